//! What kind of file it is, and what its bytes say before a row is read.

use std::path::Path;

use super::bad::BadFile;
use super::encoding::{hash, survey};
use super::rows::Format;
use crate::config::Encoding;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Csv,
    Xlsx,
}

impl Kind {
    /// By the end of a file's name or of a pattern.
    pub(super) fn of(name: &str) -> Option<Self> {
        match name.rsplit_once('.')?.1.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "xlsx" => Some(Self::Xlsx),
            _ => None,
        }
    }
}

/// Digest of a file and how to read it.
pub(super) fn examine(
    kind: Kind,
    encoding: Encoding,
    path: &Path,
    file: &str,
) -> Result<(String, Format), BadFile> {
    match kind {
        Kind::Csv => {
            let survey = survey(path, file, encoding)?;
            Ok((survey.hash, Format::Csv(survey.encoding)))
        }
        Kind::Xlsx => {
            let hash = hash(path).map_err(|error| BadFile::io(file, &error))?;
            Ok((hash, Format::Xlsx))
        }
    }
}
