//! What keeps a source from being read.

use std::io;
use std::path::PathBuf;

use crate::config::SecretError;

/// Why a source cannot be read now. The text is shown to the office: it says what to do where that is known, and holds
/// no value of a row.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The address is not where the configuration says.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The address is none.
    #[error("the url is none of postgres://…, mysql://… and sqlite:/path: {0}")]
    Url(String),
    /// Nobody answers.
    #[error("the database cannot be reached: {0}")]
    Unreachable(String),
    /// The account or the password is wrong.
    #[error("the database refuses the login: {0}")]
    LoginRefused(String),
    /// A statement failed.
    #[error("the database refuses {what}: {reason}")]
    Refused {
        /// Which query.
        what: String,
        /// The database's word.
        reason: String,
    },
    /// A statement took too long.
    #[error(
        "the database did not answer in {seconds} seconds; an index on (watermark, key) makes reading quick"
    )]
    TooSlow {
        /// The limit.
        seconds: u64,
    },
    /// A column that the configuration names and the query does not give.
    #[error("{what} gives no column `{column}`; it gives: {given}")]
    NoColumn {
        /// Which query.
        what: String,
        /// As configured.
        column: String,
        /// The columns there are.
        given: String,
    },
    /// A column that is there twice.
    #[error(
        "{what} gives the column `{column}` twice; name the columns one by one, or rename one with AS"
    )]
    SameColumn {
        /// Which query.
        what: String,
        /// The column.
        column: String,
    },
    /// A column of bytes where text, a number or a time is needed.
    #[error(
        "{what}: the column `{column}` holds bytes and cannot be the watermark or a key; convert it to text in the query"
    )]
    BinaryColumn {
        /// Which query.
        what: String,
        /// The column.
        column: String,
    },
    /// Two rows with one key.
    #[error(
        "the key column `{column}` is not unique: two rows have the same watermark and key; choose another key"
    )]
    KeyNotUnique {
        /// The column.
        column: String,
    },
    /// An overlap without times.
    #[error("`overlap` needs a watermark that is a date or a time; this one is not")]
    OverlapWithoutTime,
    /// A value that is no text.
    #[error(
        "the column `{column}` holds text that is not UTF-8; set `encoding = \"gb18030\"` for an SQLite file of an older system, or correct the encoding of the database connection"
    )]
    NotText {
        /// The column.
        column: String,
    },
    /// The folder is not there or closed to us.
    #[error("the folder {path} cannot be read: {source}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The pattern is neither CSV nor XLSX.
    #[error("the pattern `{0}` names neither *.csv nor *.xlsx files")]
    Pattern(String),
    /// A read that was cut short.
    #[error("reading was cut short")]
    CutShort,
}
