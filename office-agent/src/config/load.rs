//! From file and environment to [`Config`].

use std::{
    collections::HashSet,
    ffi::OsString,
    fmt, fs, io,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use toml::{Table, Value};
use tracing_subscriber::EnvFilter;

use super::{Config, Source};

const ENV_PREFIX: &str = "OFFICE_AGENT__";

/// A configuration that cannot be used. Values are never quoted: they may be secrets.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration {path} cannot be read: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A key that does not exist.
    #[error("{place}: {key}")]
    UnknownKey {
        /// File and line, or the environment.
        place: String,
        /// The key and the one that was probably meant.
        key: UnknownKey,
    },
    /// Anything else that is wrong in the file.
    #[error("{place}: {message}")]
    Wrong {
        /// File and line, or the environment.
        place: String,
        /// What.
        message: String,
    },
    /// Two sources of one name.
    #[error("two sources are named `{0}`; give one another name")]
    SameName(String),
    /// A number out of its range.
    #[error("source `{name}`: page_rows must be 1 to 10000")]
    PageRows {
        /// The source.
        name: String,
    },
    /// A value that reads but does not do.
    #[error("{key}: {problem}")]
    Unusable {
        /// The key, or the variable.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// A key that does not exist, and the nearest that does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownKey {
    /// As written.
    pub key: String,
    /// Nearest known key or value, when one is near.
    pub nearest: Option<String>,
}

impl fmt::Display for UnknownKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not known", self.key)?;
        match &self.nearest {
            Some(nearest) => write!(f, "; did you mean `{nearest}`?"),
            None => Ok(()),
        }
    }
}

impl UnknownKey {
    /// Reads serde's own message, the only place where it names the keys that exist.
    pub(crate) fn from_message(message: &str) -> Option<Self> {
        let mut quoted = message
            .strip_prefix("unknown field ")
            .or_else(|| message.strip_prefix("unknown variant "))?
            .split('`')
            .skip(1)
            .step_by(2);
        let key = quoted.next()?.to_owned();
        let nearest = quoted
            .map(|known| (strsim::damerau_levenshtein(&key, known), known))
            .min()
            .filter(|(distance, known)| *distance <= key.len().max(known.len()) / 2)
            .map(|(_, known)| known.to_owned());
        Some(Self { key, nearest })
    }
}

impl Config {
    /// Reads a configuration file under the process's environment.
    ///
    /// # Errors
    /// When the file is unreadable or anything in it is wrong; the message says where and what.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let own: Vec<_> = std::env::vars_os()
            .filter_map(own)
            .collect::<Result<_, _>>()?;
        Self::load_with(path, own.into_iter())
    }

    fn load_with(
        path: &Path,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        let overrides: Vec<_> = environment
            .filter_map(|(name, value)| {
                Some((name.strip_prefix(ENV_PREFIX)?.to_lowercase(), value))
            })
            .collect();
        let mut config = if overrides.is_empty() {
            toml::from_str(&text).map_err(|error| explain(&error, path, &text))?
        } else {
            let mut table: Table =
                toml::from_str(&text).map_err(|error| explain(&error, path, &text))?;
            for (name, value) in overrides {
                put(&mut table, &name, value).map_err(|key| ConfigError::UnknownKey {
                    place: "the environment".to_owned(),
                    key,
                })?;
            }
            Self::deserialize(Value::Table(table)).map_err(|error| explain(&error, path, &text))?
        };
        let base = path.parent().unwrap_or(Path::new("."));
        config.check()?;
        config.anchor(base);
        Ok(config)
    }

    /// Makes every path absolute to the configuration file, so that the working directory does not matter.
    fn anchor(&mut self, base: &Path) {
        let join = |path: &mut PathBuf| *path = base.join(&*path);
        join(&mut self.data_dir);
        join(&mut self.hub.ca_file);
        for source in &mut self.sources {
            match source {
                Source::Sql(source) => {
                    join(&mut source.mapping);
                    source.url.anchor(base);
                }
                Source::Folder(source) => {
                    join(&mut source.mapping);
                    join(&mut source.path);
                }
                Source::Push(source) => join(&mut source.mapping),
            }
        }
    }

    fn check(&self) -> Result<(), ConfigError> {
        let unusable = |key: &str, problem: String| ConfigError::Unusable {
            key: key.to_owned(),
            problem,
        };
        if self.data_dir.as_os_str().is_empty() {
            return Err(unusable("data_dir", "must name a folder".to_owned()));
        }
        EnvFilter::try_new(&self.log.filter)
            .map_err(|error| unusable("log.filter", error.to_string()))?;
        let mut names = HashSet::new();
        for source in &self.sources {
            if !names.insert(source.name()) {
                return Err(ConfigError::SameName(source.name().to_string()));
            }
            if let Source::Sql(source) = source
                && !(1..=10_000).contains(&source.page_rows)
            {
                return Err(ConfigError::PageRows {
                    name: source.name.to_string(),
                });
            }
        }
        Ok(())
    }
}

/// A variable that is this program's. Others may be in any encoding, which is none of its business.
fn own((name, value): (OsString, OsString)) -> Option<Result<(String, String), ConfigError>> {
    let name = name.into_string().ok()?;
    if !name.starts_with(ENV_PREFIX) {
        return None;
    }
    Some(match value.into_string() {
        Ok(value) => Ok((name, value)),
        Err(_) => Err(ConfigError::Unusable {
            key: name,
            problem: "must be UTF-8".to_owned(),
        }),
    })
}

fn explain(error: &toml::de::Error, path: &Path, text: &str) -> ConfigError {
    let place = match error.span() {
        Some(span) => {
            let line = text[..span.start.min(text.len())].matches('\n').count() + 1;
            format!("{}:{line}", path.display())
        }
        None => format!("{} (with the environment)", path.display()),
    };
    match UnknownKey::from_message(error.message()) {
        Some(key) => ConfigError::UnknownKey { place, key },
        None => ConfigError::Wrong {
            place,
            message: error.message().to_owned(),
        },
    }
}

/// Sets `hub__agents` in `[hub]`, or `source__cases__url` in the `[[source]]` named `cases`.
fn put(table: &mut Table, name: &str, value: String) -> Result<(), UnknownKey> {
    let Some((head, rest)) = name.split_once("__") else {
        let value = typed(table.get(name), value);
        table.insert(name.to_owned(), value);
        return Ok(());
    };
    let unknown = |key: &str| UnknownKey {
        key: key.to_owned(),
        nearest: None,
    };
    let next = table
        .entry(head)
        .or_insert_with(|| Value::Table(Table::new()));
    match next {
        Value::Table(inner) => put(inner, rest, value),
        Value::Array(items) => {
            let (item, rest) = rest.split_once("__").ok_or_else(|| unknown(name))?;
            let named = items
                .iter_mut()
                .filter_map(Value::as_table_mut)
                .find(|table| {
                    table
                        .get("name")
                        .and_then(Value::as_str)
                        .is_some_and(|n| n.replace('-', "_") == item)
                });
            put(named.ok_or_else(|| unknown(item))?, rest, value)
        }
        _ => Err(unknown(name)),
    }
}

fn typed(old: Option<&Value>, value: String) -> Value {
    if matches!(old, Some(Value::String(_))) {
        return Value::String(value);
    }
    if let Ok(number) = value.parse() {
        return Value::Integer(number);
    }
    match value.parse() {
        Ok(flag) => Value::Boolean(flag),
        Err(_) => Value::String(value),
    }
}

#[cfg(test)]
mod tests {
    use std::iter;

    use super::*;

    fn load(text: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("agent.toml");
        fs::write(&path, text).expect("written");
        let environment = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::load_with(&path, environment).map_err(|error| {
            error
                .to_string()
                .replace(&folder.path().display().to_string(), "")
        })
    }

    const SQL: &str = r#"
data_dir = "data"
[[source]]
name = "cases"
kind = "sql"
url = "postgres://u:geheim@db/x"
mapping = "m.toml"
query = "SELECT 1"
watermark = "w"
key = "k"
"#;

    #[test]
    fn the_defaults_are_the_documented_ones() {
        let config = load(SQL, &[]).expect("fits");
        assert!(config.data_dir.is_absolute() && config.data_dir.ends_with("data"));
        assert_eq!(config.hub.agents.to_string(), "https://localhost:7443");
        assert_eq!(config.local.listen.to_string(), "127.0.0.1:7800");
        assert_eq!(config.outbox.retention_days, 30);
        let Source::Sql(source) = &config.sources[0] else {
            panic!("the source is a database")
        };
        assert_eq!(
            (source.poll.to_string().as_str(), source.page_rows),
            ("5s", 1000)
        );
    }

    #[test]
    fn an_unknown_key_is_answered_with_line_and_nearest_key() {
        assert_eq!(
            load("data_dir = \"d\"\n[hub]\nagnets = \"https://h\"\n", &[]).expect_err("unknown"),
            "/agent.toml:3: `agnets` is not known; did you mean `agents`?"
        );
        let in_source = load(&SQL.replace("watermark", "watermrk"), &[]).expect_err("unknown");
        assert!(
            in_source.ends_with("`watermrk` is not known; did you mean `watermark`?"),
            "{in_source}"
        );
        let kind = load(&SQL.replace("\"sql\"", "\"sqll\""), &[]).expect_err("unknown");
        assert!(
            kind.ends_with("`sqll` is not known; did you mean `sql`?"),
            "{kind}"
        );
    }

    #[test]
    fn a_wrong_value_is_named_by_line_and_not_quoted_when_secret() {
        assert_eq!(
            load("data_dir = \"d\"\n[local]\nlisten = \"0.0.0.0:1\"\n", &[]).expect_err("open"),
            "/agent.toml:3: only a loopback address may listen here, e.g. 127.0.0.1:7800: the endpoint has no sign-in"
        );
        let error = load(&SQL.replace("key = \"k\"", "key = k"), &[]).expect_err("no TOML");
        assert!(
            error.starts_with("/agent.toml:10") && !error.contains("geheim"),
            "{error}"
        );
    }

    #[test]
    fn the_environment_overrides_sections_and_sources_by_name() {
        let config = load(
            SQL,
            &[
                ("OFFICE_AGENT__HUB__AGENTS", "https://hub:1"),
                ("OFFICE_AGENT__OUTBOX__RETENTION_DAYS", "7"),
                ("OFFICE_AGENT__SOURCE__CASES__POLL", "1s"),
                ("OFFICE_AGENT_PASSWORD", "not configuration"),
            ],
        )
        .expect("fits");
        assert_eq!(config.hub.agents.to_string(), "https://hub:1");
        assert_eq!(config.outbox.retention_days, 7);
        let Source::Sql(source) = &config.sources[0] else {
            panic!("the source is a database")
        };
        assert_eq!(source.poll.to_string(), "1s");
        let error =
            load(SQL, &[("OFFICE_AGENT__SOURCE__CASSES__POLL", "9s")]).expect_err("unknown");
        assert_eq!(error, "the environment: `casses` is not known");
        let error = load(SQL, &[("OFFICE_AGENT__HUB__AGENTZ", "x")]).expect_err("unknown");
        assert!(
            error.ends_with("`agentz` is not known; did you mean `agents`?"),
            "{error}"
        );
    }

    #[test]
    fn variables_of_other_programs_may_be_in_any_encoding() {
        use std::os::unix::ffi::OsStringExt;
        let gb18030 = || OsString::from_vec(vec![0xb9, 0xab, 0xd6, 0xa4]);
        assert!(own(("LANGUAGE_NAME".into(), gb18030())).is_none());
        assert!(own((gb18030(), "x".into())).is_none());
        let ours = own(("OFFICE_AGENT__DATA_DIR".into(), gb18030()));
        let refused = ours.expect("it is ours").expect_err("not UTF-8");
        assert_eq!(refused.to_string(), "OFFICE_AGENT__DATA_DIR: must be UTF-8");
    }

    #[test]
    fn what_reads_but_does_not_do_is_named_by_its_key() {
        let filter = load(SQL, &[("OFFICE_AGENT__LOG__FILTER", "a=b=c")]).expect_err("no filter");
        assert!(filter.starts_with("log.filter: "), "{filter}");
        let nowhere = load(&SQL.replace("\"data\"", "\"\""), &[]).expect_err("no folder");
        assert_eq!(nowhere, "data_dir: must name a folder");
    }

    #[test]
    fn two_sources_of_one_name_are_refused() {
        let twice: String = iter::once("data_dir = \"d\"\n")
            .chain(iter::repeat_n(
                "[[source]]\nname = \"a\"\nkind = \"push\"\nmapping = \"m\"\n",
                2,
            ))
            .collect();
        assert!(
            load(&twice, &[])
                .expect_err("same name")
                .contains("two sources")
        );
    }

    #[test]
    fn the_effective_configuration_shows_no_secret() {
        let shown = toml::to_string(&load(SQL, &[]).expect("fits")).expect("writes");
        assert!(
            shown.contains("[redacted]") && !shown.contains("geheim"),
            "{shown}"
        );
    }
}
