//! Why a stream ended.

use std::time::Duration;

use crate::dial::{DialError, Refusal, TOKEN_KEY_UNKNOWN};
use crate::outbox::OutboxError;

const AWAY_ZH: &str = "暂时无法连接平台，恢复后自动继续报送。";
const CERTIFICATE_ENDED: &str = "CERTIFICATE_ENDED";

/// Why a stream ended, or was not opened.
#[derive(Debug, thiserror::Error)]
pub enum End {
    /// No connection.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// The hub ended it with a reason.
    #[error("{}", explained(.0))]
    Refused(Refusal),
    /// The hub ended it without one.
    #[error("the hub closed the stream")]
    Closed,
    /// Batches stayed unacknowledged.
    #[error("the hub has not acknowledged anything for too long")]
    Stalled,
    /// The hub said what the contract does not allow.
    #[error("the hub does not keep to the protocol: {0}; is it another version?")]
    Protocol(&'static str),
    /// The city changed its token key.
    #[error(
        "the hub wants tokens made with key {wants} but this agent has key {has}; nothing is sent until the agent \
         is enrolled again with a new join token"
    )]
    TokenKey {
        /// The hub's key id and algorithm.
        wants: String,
        /// This agent's.
        has: String,
    },
    /// The city went over to the key that this agent has as the next one.
    #[error("the city went over to token key {key_id}; this agent goes over too")]
    GoOver {
        /// Its id.
        key_id: u32,
    },
    /// The outbox failed.
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    /// Everything kept is to be offered again.
    #[error("the hub or the outbox was restored from a backup; offering everything kept again")]
    Reoffered,
}

fn explained(refusal: &Refusal) -> String {
    let advice = match refusal.reason.as_str() {
        "EPOCH_STALE" => {
            "the hub has records of a newer outbox of this office: this one is an old copy, or another agent runs for \
             the office; stop the other, or move this outbox away so that a new one is made"
        }
        "STREAM_REPLACED" => "another agent of this office connected; only one may run",
        "CERTIFICATE_REVOKED" => {
            "this office's certificate was revoked; enrol again with a new join token"
        }
        "OFFICE_REVOKED" => "the office's access was revoked; ask the justice bureau",
        "OFFICE_MISMATCH" => "the hub knows this certificate as another office's; enrol again",
        CERTIFICATE_ENDED => "this office's certificate has ended; it is being renewed",
        _ if has_future_epoch(refusal) => {
            "this machine's clock is wrong, or was when the outbox was made: by the hub's clock the outbox's epoch lies \
             in the future; set the clock right, then stop the agent, move the outbox away and start again, so that a \
             new one is made and everything is read anew"
        }
        _ => return refusal.to_string(),
    };
    format!("{advice} ({})", refusal.reason)
}

/// The agent's epochs are sound but for the clock that made them.
fn has_future_epoch(refusal: &Refusal) -> bool {
    refusal.reason == "FIELD_INVALID" && refusal.fields.iter().any(|field| field == "hello.epoch")
}

impl End {
    /// Whether it is in the nature of things: nobody has to do anything.
    pub(super) fn is_ordinary(&self) -> bool {
        match self {
            Self::Closed | Self::Reoffered | Self::GoOver { .. } => true,
            Self::Refused(refusal) => {
                matches!(
                    refusal.reason.as_str(),
                    "DRAINING" | "SEQUENCE_GAP" | TOKEN_KEY_UNKNOWN
                )
            }
            _ => false,
        }
    }

    /// Whether the hub refused who this agent is.
    pub(super) fn is_of_identity(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.is_of_identity())
    }

    /// Whether the hub takes the certificate for ended: the next one helps, and nobody has to do anything.
    pub(super) fn is_of_ended_certificate(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.reason == CERTIFICATE_ENDED)
    }

    /// Shortest sensible wait: long where only a person can help, so that the hub is not asked in vain.
    pub(super) fn at_least(&self) -> Duration {
        match self {
            Self::TokenKey { .. } => Duration::from_secs(60),
            Self::Refused(refusal) if has_future_epoch(refusal) || refusal.is_of_identity() => {
                Duration::from_secs(30)
            }
            Self::Refused(refusal) => match refusal.reason.as_str() {
                "EPOCH_STALE" | "STREAM_REPLACED" => Duration::from_secs(30),
                _ => refusal
                    .retry_after
                    .unwrap_or_default()
                    .min(Duration::from_secs(600)),
            },
            _ => Duration::ZERO,
        }
    }

    /// For staff; empty when there is nothing better than the English text.
    pub(super) fn text_zh(&self) -> String {
        match self {
            Self::Dial(error) => error.remedy_zh().unwrap_or(AWAY_ZH).to_owned(),
            Self::Closed | Self::Stalled => AWAY_ZH.to_owned(),
            Self::Refused(refusal) if has_future_epoch(refusal) => {
                "本机时钟不正确，或建立发送队列时不正确。请校准本机时间，停止程序，移走发送队列文件后重新启动。"
                    .to_owned()
            }
            Self::Refused(refusal) => refusal.message_zh.clone(),
            Self::TokenKey { .. } => "标识密钥与平台不一致。请重新注册以取得现行密钥。".to_owned(),
            Self::Outbox(OutboxError::DiskFull) => "磁盘已满。请清理磁盘。".to_owned(),
            Self::Outbox(OutboxError::ReadOnly) => {
                "发送队列无法写入。请检查磁盘与权限。".to_owned()
            }
            Self::Outbox(OutboxError::Missing { .. }) => {
                "发送队列缺少记录，其后的记录无法报送。请停止程序，运行 office-agent outbox check --mend，再启动。"
                    .to_owned()
            }
            Self::Outbox(_) | Self::Protocol(_) | Self::Reoffered | Self::GoOver { .. } => {
                String::new()
            }
        }
    }
}
