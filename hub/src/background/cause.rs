//! Why an attempt at work came to nothing, in codes that stay: what the database said may hold a person's data.

use serde::Serialize;
use utoipa::ToSchema;

use crate::codes::codes;
use crate::store::tx;

/// Why an attempt came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CauseOfFailure)]
pub enum Cause {
    /// What is stored is not what this version reads.
    Unreadable,
    /// The database refuses what would be written.
    Refused,
    /// It took longer than the database allows, or others were always in the way.
    TooLong,
    /// The database was away, or lacked something.
    Unavailable,
    /// There is too much of it: people have to correct it where it was written.
    TooMuch,
    /// The worker ended in the middle of it: by a defect, or the hub was killed.
    WorkerEnded,
}

codes!(Cause {
    Unreadable = "unreadable" "存储的内容无法读取",
    Refused = "refused" "数据库拒绝写入",
    TooLong = "too_long" "处理超时",
    Unavailable = "unavailable" "数据库不可用",
    TooMuch = "too_much" "数据过多，须由填报单位更正",
    WorkerEnded = "worker_ended" "处理程序中途结束",
});

impl Cause {
    /// What a person who runs the hub is told.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Unreadable => "what is stored cannot be read",
            Self::Refused => "the database refuses what would be written",
            Self::TooLong => "it took too long",
            Self::Unavailable => "the database was away or lacked something",
            Self::TooMuch => "there is too much of it to be told apart",
            Self::WorkerEnded => "the worker ended in the middle of it",
        }
    }
}

impl From<&sqlx::Error> for Cause {
    fn from(error: &sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|error| error.code());
        match (error, code.as_deref()) {
            (sqlx::Error::RowNotFound, _) => Self::Unreadable,
            (error, _) if tx::is_unreadable(error) => Self::Unreadable,
            // query_canceled, lock_not_available, serialization_failure, deadlock_detected.
            (_, Some("57014" | "55P03" | "40001" | "40P01")) => Self::TooLong,
            (error, _) if tx::is_refusal(error) => Self::Refused,
            _ => Self::Unavailable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::decode::decode_error;

    #[test]
    fn what_cannot_be_read_is_told_from_a_database_that_is_away() {
        let strange = decode_error(std::io::Error::other("a code of another version"));
        assert_eq!(Cause::from(&strange), Cause::Unreadable);
        assert_eq!(Cause::from(&sqlx::Error::PoolTimedOut), Cause::Unavailable);
    }

    #[test]
    fn every_cause_is_read_back_as_it_is_stored() {
        for cause in [
            Cause::Unreadable,
            Cause::Refused,
            Cause::TooLong,
            Cause::Unavailable,
            Cause::TooMuch,
            Cause::WorkerEnded,
        ] {
            assert_eq!(cause.code().parse(), Ok(cause));
        }
    }
}
