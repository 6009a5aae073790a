//! The sample configuration and the units are what operators copy: they must be right.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use office_agent::config::{Config, Source};

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy")
}

/// What is in force of a text, as a file of one folder.
fn in_force(folder: &Path, text: &str) -> Config {
    let file = folder.join("office-agent.toml");
    std::fs::write(&file, text).unwrap();
    Config::load(&file).unwrap()
}

#[test]
fn the_sample_configuration_is_read_and_shows_the_defaults() {
    let text = std::fs::read_to_string(deploy().join("office-agent.toml")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let config = in_force(folder.path(), &text);
    let kinds: Vec<&str> = config
        .sources
        .iter()
        .map(|source| match source {
            Source::Sql(_) => "sql",
            Source::Folder(_) => "folder",
            Source::Push(_) => "push",
        })
        .collect();
    assert_eq!(kinds, ["sql", "folder", "push"], "every kind is shown");

    // Whatever may be left out is left out.
    let mut bare: toml::Table = toml::from_str(&text).unwrap();
    for section in ["local", "outbox", "log"] {
        assert!(bare.remove(section).is_some(), "{section} is shown");
    }
    for source in bare["source"].as_array_mut().unwrap() {
        let source = source.as_table_mut().unwrap();
        for key in ["poll", "page_rows", "overlap", "encoding", "rescan"] {
            source.remove(key);
        }
    }
    let bare = in_force(folder.path(), &toml::to_string(&bare).unwrap());
    let shown = |config: &Config| toml::to_string(config).unwrap();
    assert_eq!(shown(&config), shown(&bare));
}

#[test]
fn the_units_start_what_there_is_with_words_it_knows() {
    for (unit, start) in [
        ("office-agent.service", "office-agent run --config"),
        ("notary-hub.service", "notary-hub serve --config"),
        ("notary-hub-backup.service", "backup.sh base --to"),
        ("notary-hub-wal.service", "backup.sh wal --to"),
    ] {
        let text = std::fs::read_to_string(deploy().join("systemd").join(unit)).unwrap();
        assert!(text.contains(start), "{unit}");
        for hardened in [
            "NoNewPrivileges=yes",
            "ProtectSystem=strict",
            "CapabilityBoundingSet=\n",
        ] {
            assert!(text.contains(hardened), "{unit}: {hardened}");
        }
    }
}
