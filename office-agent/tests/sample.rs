//! The sample configuration and the units are what operators copy: they must be right.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use office_agent::config::{Config, Outbox, Source};

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy")
}

#[test]
fn the_sample_configuration_is_read_and_shows_the_defaults() {
    let config = Config::load(&deploy().join("office-agent.toml")).unwrap();
    assert_eq!(config.local.listen, Default::default());
    assert_eq!(
        config.outbox.retention_days,
        Outbox::default().retention_days
    );
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
}

#[test]
fn the_units_start_what_there_is_with_words_it_knows() {
    for (unit, start) in [
        ("office-agent.service", "office-agent run --config"),
        ("notary-hub.service", "notary-hub serve --config"),
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
