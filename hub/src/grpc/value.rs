//! Days and times as the contract has them.

use prost_types::Timestamp;
use time::{Date, OffsetDateTime};

/// Days since 1970-01-01.
pub(super) fn day(date: Date) -> i32 {
    date.to_julian_day() - 2_440_588
}

pub(super) fn timestamp(at: OffsetDateTime) -> Timestamp {
    Timestamp {
        seconds: at.unix_timestamp(),
        nanos: i32::try_from(at.nanosecond()).unwrap_or_default(),
    }
}
