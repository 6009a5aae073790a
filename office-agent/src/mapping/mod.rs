//! From an office's columns to the canonical case: one TOML file says which column is which field and what its
//! words mean. A row becomes a [`Case`], or a [`Reject`] that names rule and field; nothing is guessed and
//! nothing else in the feed is held up.

mod case;
mod code;
mod date;
mod field;
mod file;
mod party;
mod reject;
mod rule;
mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fs, io};

pub use case::{Case, Excused};
pub use code::PlaceCode;
pub use field::label_zh;
pub use party::{Party, Subject};
pub use reject::Reject;
pub use value::{Fen, Text};

use crate::config::UnknownKey;
use crate::source::row::Row;
use file::{File, Place, Rules};
use rule::Column;

/// A mapping that can be used.
#[derive(Clone, Debug, PartialEq)]
pub struct Mapping {
    file: File,
}

/// A mapping file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// The file cannot be read.
    #[error("the mapping {path} cannot be read: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A key, canonical field or canonical code that does not exist.
    #[error("{place}: {key}")]
    Unknown {
        /// File and line.
        place: String,
        /// What was written and what was probably meant.
        key: UnknownKey,
    },
    /// Anything else that is wrong in the file.
    #[error("{place}: {message}")]
    Wrong {
        /// File and line.
        place: String,
        /// What.
        message: String,
    },
}

/// Columns that a mapping knows, by table: `None` is the row itself, the others are its children.
pub type KnownColumns<'a> = BTreeMap<Option<&'a str>, BTreeSet<&'a str>>;

impl Mapping {
    /// Reads a mapping file.
    ///
    /// # Errors
    /// When the file is unreadable or anything in it is wrong; the message says where and what.
    pub fn load(path: &Path) -> Result<Self, MappingError> {
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(&text, path),
            Err(source) => Err(MappingError::Unreadable {
                path: path.to_owned(),
                source,
            }),
        }
    }

    pub(crate) fn parse(text: &str, path: &Path) -> Result<Self, MappingError> {
        toml::from_str(text)
            .map(|file| Self { file })
            .map_err(|error| explain(&error, text, path))
    }

    /// Makes a case of a row.
    ///
    /// # Errors
    /// Why the row is none: the first rule that it breaks.
    pub fn case(&self, row: &Row) -> Result<Case, Reject> {
        case::read(&self.file, row)
    }

    /// The case's key in a row, when it has a usable one.
    #[must_use]
    pub fn key(&self, row: &Row) -> Option<Text<64>> {
        case::key(&self.file.case, row).ok()
    }

    /// Columns that are read, by table.
    #[must_use]
    pub fn columns(&self) -> KnownColumns<'_> {
        let mut known = KnownColumns::new();
        known.entry(None).or_default();
        for (place, rules) in self.parts() {
            let columns = known.entry(place.child).or_default();
            columns.extend(
                rules
                    .iter()
                    .filter_map(|(_, rule)| Some(rule.column()?.name())),
            );
            columns.extend(place.when.map(Column::name));
        }
        known
    }

    /// Columns that are known and not wanted, in any table.
    pub fn ignored(&self) -> impl Iterator<Item = &str> {
        self.file.ignore.iter().map(String::as_str)
    }

    /// Codes in the row and its children that the mapping does not know, with their columns. They are raw values.
    #[must_use]
    pub fn unknown_codes<'a>(&'a self, row: &'a Row) -> Vec<(&'a str, &'a str)> {
        let mut unknown = Vec::new();
        for (place, rules) in self.parts() {
            for row in place.rows(row) {
                let codes = rules
                    .iter()
                    .filter_map(|(_, rule)| Some((rule.column()?.name(), rule.unknown_code(row)?)));
                unknown.extend(codes);
            }
        }
        unknown
    }

    /// The office's own name of the column that a row's field is read from, by the field's canonical path, e.g.
    /// `parties[1].identifier`; `None` when no column is.
    #[must_use]
    pub fn column_of(&self, row: &Row, field: &str) -> Option<&str> {
        field::column_of(&self.file, row, field)
    }

    /// Every table of the file: where its rows come from, and its rules.
    fn parts(&self) -> Vec<(Place<'_>, Rules<'_>)> {
        let lists = ["parties", "subjects", "excused"].into_iter();
        let listed = lists.filter_map(|list| self.file.list(list)).flatten();
        [(Place::OWN, self.file.case.rules())]
            .into_iter()
            .chain(listed)
            .collect()
    }
}

fn explain(error: &toml::de::Error, text: &str, path: &Path) -> MappingError {
    let place = match error.span() {
        Some(span) => {
            let before = &text.as_bytes()[..span.start.min(text.len())];
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            format!("{}:{line}", path.display())
        }
        None => path.display().to_string(),
    };
    match UnknownKey::from_message(error.message()) {
        Some(key) => MappingError::Unknown { place, key },
        None => MappingError::Wrong {
            place,
            message: error.message().to_owned(),
        },
    }
}

#[cfg(test)]
mod tests;
