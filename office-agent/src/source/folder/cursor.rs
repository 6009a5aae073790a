//! How far a folder has been read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How long a file that is gone is known, seconds.
const KNOWN_WHEN_GONE: i64 = 24 * 3600;

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
    /// Since when it is not there, seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) gone_since: Option<i64>,
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

    /// Notes which files are there. One that is away is known for a day more: a share may only not be mounted.
    pub(super) fn see(&mut self, is_there: impl Fn(&str) -> bool, now: i64) {
        self.files.retain(|name, known| {
            known.gone_since = match is_there(name) {
                true => None,
                false => known.gone_since.or(Some(now)),
            };
            known
                .gone_since
                .is_none_or(|since| now - since < KNOWN_WHEN_GONE)
        });
    }

    pub(super) fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_away_is_known_for_a_day() {
        let known = Known {
            print: Print {
                size: 1,
                changed: 1,
            },
            hash: String::new(),
            gone_since: None,
        };
        let mut cursor = FolderCursor::default();
        cursor.files.insert("a.csv".to_owned(), known.clone());
        cursor.see(|_| false, 100);
        cursor.see(|_| false, 100 + KNOWN_WHEN_GONE - 1);
        cursor.see(|name| name == "a.csv", 100 + KNOWN_WHEN_GONE);
        assert_eq!(cursor.files.get("a.csv"), Some(&known), "it came back");
        cursor.see(|_| false, 200);
        cursor.see(|_| false, 200 + KNOWN_WHEN_GONE);
        assert!(cursor.files.is_empty());
    }
}
