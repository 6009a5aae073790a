//! Reading the configuration: file, then environment, then a plain word about the first thing wrong.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::{Table, Value};

use super::Config;

/// Overrides are named by the way to the key, as `NOTARY_HUB__LOOKUP__ALARM__BLOCKS`.
const PREFIX: &str = "NOTARY_HUB__";

/// Why there is no configuration. Never repeats a value: it may be a password.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error(
        "cannot read {}: {source}; name another file with --config, deploy/notary-hub.toml is a sample",
        path.display()
    )]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{}, line {line}: not TOML: {problem}", path.display())]
    NotToml {
        path: PathBuf,
        line: usize,
        problem: String,
    },
    #[error("{}: {problem}", path.display())]
    Wrong { path: PathBuf, problem: String },
}

impl Config {
    /// Reads `path` and the overrides in this process's environment.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        let overrides = overrides(std::env::vars_os()).map_err(|problem| ConfigError::Wrong {
            path: path.to_owned(),
            problem,
        })?;
        Self::parse(&text, path, overrides)
    }

    /// Makes a configuration of a file's text and environment variables.
    pub fn parse(
        text: &str,
        path: &Path,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut table: Table =
            toml::from_str(text).map_err(|error: toml::de::Error| ConfigError::NotToml {
                path: path.to_owned(),
                line: line_of(text, error.span().map_or(0, |span| span.start)),
                problem: error.message().to_owned(),
            })?;
        let wrong = |problem| ConfigError::Wrong {
            path: path.to_owned(),
            problem,
        };
        for (name, value) in environment {
            if let Some(keys) = name.strip_prefix(PREFIX) {
                overlay(&mut table, keys, &value).map_err(&wrong)?;
            }
        }
        let config = Self::deserialize(table).map_err(|error| wrong(explain(&error)))?;
        let base = path.parent().unwrap_or(Path::new(""));
        config.settle(base).map_err(wrong)
    }
}

/// Those of the variables that are this program's. Others may be in any encoding, which is none of its business.
fn overrides(
    environment: impl Iterator<Item = (OsString, OsString)>,
) -> Result<Vec<(String, String)>, String> {
    environment
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .filter(|(name, _)| name.starts_with(PREFIX))
        .map(|(name, value)| match value.into_string() {
            Ok(value) => Ok((name, value)),
            Err(_) => Err(format!("{name}: must be UTF-8")),
        })
        .collect()
}

fn line_of(text: &str, offset: usize) -> usize {
    text[..offset.min(text.len())].matches('\n').count() + 1
}

/// Sets the key an environment variable names. Its value is read as TOML where it is TOML (numbers, lists),
/// and as plain text otherwise.
fn overlay(table: &mut Table, keys: &str, value: &str) -> Result<(), String> {
    let value = toml::from_str::<Table>(&format!("value = {value}"))
        .ok()
        .and_then(|mut parsed| parsed.remove("value"))
        .unwrap_or_else(|| Value::String(value.to_owned()));
    put(table, &keys.to_ascii_lowercase(), value)
}

fn put(table: &mut Table, keys: &str, value: Value) -> Result<(), String> {
    let Some((section, rest)) = keys.split_once("__") else {
        table.insert(keys.to_owned(), value);
        return Ok(());
    };
    let section_of = table
        .entry(section)
        .or_insert_with(|| Value::Table(Table::new()))
        .as_table_mut()
        .ok_or_else(|| format!("{section}: must be a section"))?;
    put(section_of, rest, value)
}

/// The parser's error in one line, with the nearest known word when an unknown one was used.
fn explain(error: &toml::de::Error) -> String {
    let message = error.message();
    let place = error.to_string();
    let place = place
        .lines()
        .find_map(|line| line.strip_prefix("in `")?.strip_suffix('`'));
    let mut text = match place {
        Some(place) => format!("{place}: {message}"),
        None => message.to_owned(),
    };
    if let Some(nearest) = nearest_known(message) {
        text.push_str(&format!("; did you mean `{nearest}`?"));
    }
    text
}

/// Serde says "unknown field `lisen`, expected one of `listen`, …": the first quoted word is the one used,
/// the others are the known ones.
fn nearest_known(message: &str) -> Option<&str> {
    message
        .starts_with("unknown ")
        .then(|| message.split('`').skip(1).step_by(2))
        .and_then(|mut quoted| {
            let used = quoted.next()?;
            quoted
                .map(|known| (strsim::normalized_damerau_levenshtein(used, known), known))
                .filter(|(likeness, _)| *likeness > 0.4)
                .max_by(|(left, _), (right, _)| left.total_cmp(right))
        })
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::{LogFormat, TlsVersion};

    fn parse(text: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
        let environment = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::parse(text, Path::new("/etc/hub/notary-hub.toml"), environment)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn variables_of_other_programs_may_be_in_any_encoding() {
        use std::os::unix::ffi::OsStringExt;
        let gb18030 = || OsString::from_vec(vec![0xb9, 0xab, 0xd6, 0xa4]);
        let others = [("LANGUAGE_NAME".into(), gb18030()), (gb18030(), "x".into())];
        assert_eq!(overrides(others.into_iter()), Ok(Vec::new()));
        let ours = [("NOTARY_HUB__DATA_DIR".into(), gb18030())];
        assert_eq!(
            overrides(ours.into_iter()),
            Err("NOTARY_HUB__DATA_DIR: must be UTF-8".into())
        );
    }

    #[test]
    fn everything_but_the_data_directory_has_a_default() {
        let config = parse("data_dir = '/var/lib/hub'", &[]).expect("enough");
        assert_eq!(config.agents.listen.port(), 7443);
        assert_eq!(config.people.listen.port(), 8443);
        assert!(config.metrics.listen.ip().is_loopback());
        assert_eq!(config.identity.trust_domain.as_str(), "notary.hangzhou");
        assert_eq!(
            Duration::from(config.identity.certificate_ttl),
            Duration::from_secs(24 * 3600)
        );
        assert_eq!(config.tls.minimum_version, TlsVersion::Tls13);
        let problem = parse("", &[]).expect_err("data_dir is missing");
        assert!(problem.contains("data_dir"), "{problem}");
    }

    #[test]
    fn the_shipped_sample_says_what_the_defaults_are() {
        let sample = include_str!("../../../deploy/notary-hub.toml");
        let sample = parse(sample, &[]).expect("the sample is good");
        let defaults = parse("data_dir = '/var/lib/notary-hub'", &[]).expect("good");
        assert_eq!(sample.redacted(), defaults.redacted());
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_nearest_known_one() {
        for (text, place, nearest) in [
            (
                "data_dir = 'd'\n[agents]\nlisen = '0.0.0.0:1'",
                "agents",
                "listen",
            ),
            ("datadir = 'd'", "", "data_dir"),
            ("data_dir = 'd'\n[peple]", "", "people"),
            (
                "data_dir = 'd'\n[identity]\ntrustdomain = 'a'",
                "identity",
                "trust_domain",
            ),
            ("data_dir = 'd'\n[log]\nformat = 'jsn'", "log", "json"),
        ] {
            let problem = parse(text, &[]).expect_err(text);
            assert!(
                problem.contains(&format!("did you mean `{nearest}`?")),
                "{problem}"
            );
            assert!(problem.contains(place), "{problem}");
        }
    }

    #[test]
    fn a_wrong_value_is_named_by_its_key_and_not_repeated() {
        for (text, key) in [
            (
                "data_dir = 'd'\n[agents]\nlisten = 's3cret'",
                "agents.listen",
            ),
            (
                "data_dir = 'd'\n[identity]\ncertificate_ttl = 's3cret'",
                "identity.certificate_ttl",
            ),
            (
                "data_dir = 'd'\n[identity]\ntrust_domain = 'S3cret'",
                "identity.trust_domain",
            ),
            ("data_dir = 'd'\n[identity]\nnames = []", "identity.names"),
            (
                "data_dir = 'd'\n[identity]\nsession_ttl = '25h'",
                "identity.session_ttl",
            ),
            (
                "data_dir = 'd'\n[identity]\nrenewal_grace = '366d'",
                "identity.renewal_grace",
            ),
            (
                "data_dir = 'd'\n[identity]\nsecond_factor = ['king']",
                "identity.second_factor",
            ),
            (
                "data_dir = 'd'\n[metrics]\nlisten = '0.0.0.0:9464'",
                "metrics.listen",
            ),
            (
                "data_dir = 'd'\n[database]\nurl = 'mysql://hub:s3cret@db/hub'",
                "database.url",
            ),
            (
                "data_dir = 'd'\n[people]\nlisten = '127.0.0.1:7443'",
                "people.listen",
            ),
            (
                "data_dir = 'd'\n[metrics]\nlisten = '127.0.0.1:8443'",
                "metrics.listen",
            ),
            ("data_dir = 'd'\n[ingest]\nwriters = 0", "ingest.writers"),
            ("data_dir = 'd'\n[ingest]\nwriters = 100", "ingest.writers"),
            (
                "data_dir = 'd'\n[database]\nmax_connections = 1",
                "database.max_connections",
            ),
            ("data_dir = 'd'\n[log]\nfilter = 'a=b=c'", "log.filter"),
            ("data_dir = ''", "data_dir"),
        ] {
            let problem = parse(text, &[]).expect_err(text);
            assert!(problem.contains(key), "{key}: {problem}");
            assert!(!problem.contains("s3cret"), "{problem}");
        }
        let problem = parse("data_dir = 'd'\nlog = ", &[]).expect_err("not TOML");
        assert!(problem.contains("line 2"), "{problem}");
    }

    #[test]
    fn doors_may_have_one_port_at_two_addresses_or_any_free_one() {
        for text in [
            "[agents]\nlisten = '127.0.0.1:0'\n[people]\nlisten = '127.0.0.1:0'",
            "[agents]\nlisten = '127.0.0.1:443'\n[people]\nlisten = '127.0.0.2:443'",
        ] {
            parse(&format!("data_dir = 'd'\n{text}"), &[]).expect(text);
        }
    }

    #[test]
    fn the_environment_overrides_the_file() {
        let config = parse(
            "data_dir = 'd'\n[log]\nfilter = 'warn'",
            &[
                ("NOTARY_HUB__DATA_DIR", "/srv/hub"),
                ("NOTARY_HUB__LOG__FORMAT", "text"),
                ("NOTARY_HUB__INGEST__WRITERS", "3"),
                (
                    "NOTARY_HUB__IDENTITY__NAMES",
                    "['hub.example.org', '10.0.0.1']",
                ),
                ("NOTARY_HUB_PG_BIN", "/usr/bin"),
                ("PATH", "/usr/bin"),
            ],
        )
        .expect("good");
        assert_eq!(config.data_dir, Path::new("/srv/hub"));
        assert_eq!(config.log.format, LogFormat::Text);
        assert_eq!(config.log.filter, "warn");
        assert_eq!(config.ingest.writers, 3);
        assert_eq!(config.identity.names, ["hub.example.org", "10.0.0.1"]);
        let problem = parse("data_dir = 'd'", &[("NOTARY_HUB__LOG__FROMAT", "text")])
            .expect_err("an unknown key");
        assert!(problem.contains("did you mean `format`?"), "{problem}");
    }

    /// The leaves of a file as variables, named by the way to them.
    fn as_variables(table: &Table, name: &str, variables: &mut Vec<(String, String)>) {
        for (key, value) in table {
            let name = format!("{name}__{}", key.to_ascii_uppercase());
            match value {
                Value::Table(section) => as_variables(section, &name, variables),
                value => variables.push((name, value.to_string())),
            }
        }
    }

    #[test]
    fn the_environment_reaches_every_key_of_the_sample() {
        let sample: Table =
            toml::from_str(include_str!("../../../deploy/notary-hub.toml")).expect("TOML");
        let mut variables = Vec::new();
        as_variables(&sample, "NOTARY_HUB", &mut variables);
        assert!(variables.len() > 30, "{variables:?}");
        for (name, value) in &variables {
            parse("data_dir = 'd'", &[(name, value)]).expect(name);
        }
        let alarm = ("NOTARY_HUB__LOOKUP__ALARM__BLOCKS", "true");
        let config = parse("data_dir = 'd'", &[alarm]).expect("good");
        assert!(config.lookup.alarm.blocks);
    }

    #[test]
    fn a_relative_data_directory_stands_beside_the_file() {
        let config = parse("data_dir = 'data'", &[]).expect("good");
        assert_eq!(config.data_dir, Path::new("/etc/hub/data"));
    }

    #[test]
    fn the_databases_address_may_stand_in_a_file_of_its_own() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().join("notary-hub.toml");
        let text = "data_dir = 'd'\n[database]\nurl = 'file:database-url'";
        let load = || Config::parse(text, &place, []).map_err(|error| error.to_string());
        let missing = load().expect_err("no such file");
        assert!(missing.contains("database.url"), "{missing}");
        let file = folder.path().join("database-url");
        std::fs::write(&file, "postgres://hub:s3cret@db/hub\n").expect("written");
        let config = load().expect("good");
        let url = config.database.url.as_ref().expect("given");
        assert_eq!(url.secret(), "postgres://hub:s3cret@db/hub");
        let shown = config.redacted();
        assert!(
            shown.contains(&format!("file:{}", file.display())),
            "{shown}"
        );
        assert_eq!(parse(&shown, &[]).expect("reads back").redacted(), shown);
        for wrong in ["", "mysql://hub:s3cret@db/hub", "file:database-url"] {
            std::fs::write(&file, wrong).expect("written");
            let problem = load().expect_err(wrong);
            assert!(problem.contains("database.url"), "{problem}");
            assert!(!problem.contains("s3cret"), "{problem}");
        }
    }

    #[test]
    fn what_is_shown_reads_back_and_holds_no_password() {
        let config = parse(
            "data_dir = '/d'\n[database]\nurl = 'postgres://hub:s3cret@db/hub'",
            &[],
        )
        .expect("good");
        let shown = config.redacted();
        assert!(!shown.contains("s3cret"), "{shown}");
        assert!(!format!("{config:?}").contains("s3cret"));
        parse(&shown, &[]).expect("what is shown is a configuration");
    }
}
