//! What `office-agent status` says about the connection.

use serde::{Deserialize, Serialize};

/// The connection to the hub.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncState {
    /// Whether a stream is open.
    pub connected: bool,
    /// When the last one was opened, seconds since 1970.
    pub connected_at: Option<i64>,
    /// When the hub last acknowledged, seconds since 1970.
    pub acked_at: Option<i64>,
    /// Hub's version.
    pub hub_version: Option<String>,
    /// This machine's clock minus the hub's, milliseconds, network time included.
    pub clock_skew_ms: Option<i64>,
    /// Whether the hub refused who this agent is (revoked, ended too long ago, another office's) and has opened no
    /// stream since.
    #[serde(default)]
    pub identity_refused: bool,
    /// What last went wrong.
    pub last_error: Option<Said>,
}

/// Something that went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// English.
    pub text: String,
    /// Chinese; empty when the hub gave none.
    pub text_zh: String,
    /// When, seconds since 1970.
    pub at: i64,
    /// Whether it still stands; false once a stream was opened after it.
    pub open: bool,
}
