//! The time that people here live by.

use time::macros::offset;
use time::{Date, OffsetDateTime, UtcOffset};

/// Asia/Shanghai, which has had no daylight saving since 1991.
pub(crate) const SHANGHAI: UtcOffset = offset!(+8);

/// The day in Asia/Shanghai.
pub(crate) fn local_day(at: OffsetDateTime) -> Date {
    at.to_offset(SHANGHAI).date()
}
