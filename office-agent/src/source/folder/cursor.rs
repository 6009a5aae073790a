//! How far a folder has been read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a look at a file tells without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Print {
    pub(super) size: u64,
    /// Time of the last change, in nanoseconds since 1970.
    pub(super) changed: i64,
}

/// A file that has been read to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Known {
    #[serde(flatten)]
    pub(super) print: Print,
    /// SHA-256 of its bytes: a copy with a new time is not read again.
    pub(super) hash: String,
}

/// A file that is being read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Current {
    pub(super) file: String,
    #[serde(flatten)]
    pub(super) known: Known,
    /// Rows and malformed lines that are handed on.
    pub(super) rows: u64,
}

/// How far a folder has been read. Opaque to everybody else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FolderCursor {
    /// By name of the file.
    #[serde(default)]
    pub(super) files: BTreeMap<String, Known>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) current: Option<Current>,
}

impl FolderCursor {
    /// The stored cursor, or the beginning.
    pub(super) fn restore(stored: Option<&str>) -> Self {
        stored
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default()
    }

    pub(super) fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}
