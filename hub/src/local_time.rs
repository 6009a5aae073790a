//! The time that people here live by.

use time::macros::{format_description, offset};
use time::{Date, OffsetDateTime, UtcOffset};

/// Asia/Shanghai, which has had no daylight saving since 1991.
pub(crate) const SHANGHAI: UtcOffset = offset!(+8);

/// A moment as people read it: to the second, in Asia/Shanghai.
pub(crate) fn local_time(at: OffsetDateTime) -> String {
    let form = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    // Every moment has these parts.
    (at.to_offset(SHANGHAI).format(form)).unwrap_or_default()
}

/// The day in Asia/Shanghai.
pub(crate) fn local_day(at: OffsetDateTime) -> Date {
    at.to_offset(SHANGHAI).date()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn moments_are_told_to_the_second_by_the_clock_on_the_wall() {
        let at = datetime!(2026-11-26 22:04:31.123456 UTC);
        assert_eq!(local_time(at), "2026-11-27 06:04:31");
    }
}
