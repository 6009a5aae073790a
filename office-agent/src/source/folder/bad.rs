//! Files that cannot be read, for the office to mend.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A file that cannot be read, or not to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BadFile {
    /// Name of the file.
    pub file: String,
    /// Line, from 1, where there is one.
    pub line: Option<u64>,
    /// Character in the line, from 1, where there is one.
    pub column: Option<u64>,
    /// What is wrong.
    pub why: String,
    /// It may be readable at the next look although it has not changed.
    #[serde(skip)]
    pub(super) passing: bool,
}

impl BadFile {
    pub(super) fn new(file: &str, why: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line: None,
            column: None,
            why: why.into(),
            passing: false,
        }
    }

    pub(super) fn at(self, line: u64, column: Option<u64>) -> Self {
        Self {
            line: Some(line),
            column,
            ..self
        }
    }

    pub(super) fn io(file: &str, error: &std::io::Error) -> Self {
        Self {
            passing: true,
            ..Self::new(file, format!("cannot be read: {error}"))
        }
    }
}

impl fmt::Display for BadFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if let Some(column) = self.column {
            write!(f, ", character {column}")?;
        }
        write!(f, ": {}", self.why)
    }
}
