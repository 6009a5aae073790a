//! How far a database source has been read.
//!
//! Watermarks rarely tell all changes apart: many have the resolution of a second, and a row with the watermark that
//! was the highest when it was read may get company later, before or behind it in key order. So reading goes in
//! passes. A pass begins at a watermark, that one included, and goes on by (watermark, key) until nothing is left. The
//! next one begins at the watermark that was the highest when this one began: everything below was committed then and
//! has been seen; everything from there on is looked at again. The outbox recognises what it has seen.

use serde::{Deserialize, Serialize};
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{Duration, OffsetDateTime, PrimitiveDateTime};

/// A value as the database holds it, for comparing by the database and for showing as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Value {
    /// SQLite's INTEGER.
    Integer(i64),
    /// SQLite's REAL, with as many digits as tell it apart.
    Real(String),
    /// Anything else, and everything of the other databases: their own text of it loses nothing.
    Text(String),
}

impl Value {
    pub(super) fn text(&self) -> String {
        match self {
            Self::Integer(number) => number.to_string(),
            Self::Real(text) | Self::Text(text) => text.clone(),
        }
    }
}

/// Place of a row in the order of reading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    pub(super) watermark: Value,
    pub(super) key: Value,
}

/// A pass that has not reached the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pass {
    pub(super) at: Position,
    /// Highest watermark when the pass began.
    pub(super) highest: Value,
}

/// How far a source has been read. Opaque to everybody else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SqlCursor {
    /// The configuration's watermark and key: with others the rest means nothing.
    pub(super) columns: [String; 2],
    /// Where the next pass begins; at the first row when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) begin: Option<Value>,
    /// Last row of the last whole pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) last: Option<Position>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) pass: Option<Pass>,
}

impl SqlCursor {
    /// The stored cursor, or the beginning when there is none or it belongs to other columns.
    pub(super) fn restore(stored: Option<&str>, columns: [String; 2]) -> Self {
        stored
            .and_then(|text| serde_json::from_str::<Self>(text).ok())
            .filter(|cursor| cursor.columns == columns)
            .unwrap_or(Self {
                columns,
                begin: None,
                last: None,
                pass: None,
            })
    }

    pub(super) fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// After a page whose last row is `at`. `highest` is the watermark that was the highest when the pass began.
    pub(super) fn go_on(&mut self, at: Position, highest: Value) {
        self.pass = Some(Pass { at, highest });
    }

    /// After the last page of a pass; `last` is its last row, when the page had any.
    pub(super) fn finish(&mut self, last: Option<Position>) {
        let pass = self.pass.take();
        let last = last.or_else(|| pass.as_ref().map(|pass| pass.at.clone()));
        if let Some(last) = last {
            // A pass of one page is one statement: what it saw last was the highest then.
            self.begin = Some(match pass {
                Some(pass) => pass.highest,
                None => last.watermark.clone(),
            });
            self.last = Some(last);
        }
    }
}

const DATE: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");
const WITH_SPACE: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
const WITH_T: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
const SECONDS: usize = "2024-01-01 00:00:00".len();

/// A watermark that is a date or a time, and how it is written.
struct Written<'a> {
    moment: PrimitiveDateTime,
    form: &'static [BorrowedFormatItem<'static>],
    /// Of the time's zone, as it stands there.
    offset: &'a str,
}

impl<'a> Written<'a> {
    fn parse(watermark: &'a Value) -> Option<Self> {
        let Value::Text(text) = watermark else {
            return None;
        };
        let text = text.trim();
        if let Ok(date) = time::Date::parse(text, DATE) {
            return Some(Self {
                moment: date.midnight(),
                form: DATE,
                offset: "",
            });
        }
        let head = text.get(..SECONDS)?;
        let form = if head.contains('T') {
            WITH_T
        } else {
            WITH_SPACE
        };
        // Fractions are cut off: a bound may be too early.
        Some(Self {
            moment: PrimitiveDateTime::parse(head, form).ok()?,
            form,
            offset: text[SECONDS..].trim_start_matches(|c: char| c == '.' || c.is_ascii_digit()),
        })
    }

    /// Another moment in the same writing.
    fn at(&self, moment: PrimitiveDateTime) -> Option<Value> {
        Some(Value::Text(moment.format(self.form).ok()? + self.offset))
    }
}

/// A lower bound `by` before `watermark`, in the same writing; `None` when it is no date or time.
pub(super) fn earlier(watermark: &Value, by: std::time::Duration) -> Option<Value> {
    let written = Written::parse(watermark)?;
    let whole_seconds = i64::try_from(by.as_secs()).ok()? + i64::from(by.subsec_nanos() > 0);
    written.at(written
        .moment
        .checked_sub(Duration::seconds(whole_seconds))?)
}

/// A lower bound in place of one that lies in the future: behind the watermark of a typing error no change would ever be
/// read. `None` where it does not, or is no date or time. A day makes up for every time zone.
pub(super) fn not_in_the_future(watermark: &Value, now: OffsetDateTime) -> Option<Value> {
    const DAY: Duration = Duration::days(1);
    let written = Written::parse(watermark)?;
    let now = PrimitiveDateTime::new(now.date(), now.time());
    match written.moment > now.checked_add(DAY)? {
        true => written.at(now.checked_sub(DAY)?),
        false => None,
    }
}

/// Whether it is text whose order may be another than that of the times it speaks of: 2024/9/30 stands behind 2024/10/1.
pub(super) fn is_ordered_as_text(watermark: &Value) -> bool {
    let Value::Text(text) = watermark else {
        return false;
    };
    Written::parse(watermark).is_none() && text.trim().parse::<f64>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::Text(text.into())
    }

    fn at(watermark: &str, key: &str) -> Position {
        Position {
            watermark: text(watermark),
            key: text(key),
        }
    }

    fn start() -> SqlCursor {
        SqlCursor::restore(None, ["w".into(), "k".into()])
    }

    #[test]
    fn a_pass_of_one_page_is_looked_at_again_from_its_last_watermark() {
        let mut cursor = start();
        cursor.finish(Some(at("10", "a")));
        assert_eq!(cursor.begin, Some(text("10")));
        cursor.finish(None);
        assert_eq!(
            cursor.begin,
            Some(text("10")),
            "an empty page changes nothing"
        );
    }

    #[test]
    fn a_longer_pass_is_looked_at_again_from_what_was_highest_when_it_began() {
        let mut cursor = start();
        cursor.go_on(at("10", "a"), text("11"));
        cursor.go_on(at("11", "a"), text("11"));
        cursor.finish(Some(at("12", "a")));
        assert_eq!(cursor.begin, Some(text("11")));
        assert_eq!(cursor.last, Some(at("12", "a")));
        assert_eq!(cursor.pass, None);
    }

    #[test]
    fn a_stored_cursor_of_other_columns_is_the_beginning() {
        let mut cursor = start();
        cursor.go_on(at("10", "a"), text("11"));
        let stored = cursor.to_text();
        assert_eq!(
            SqlCursor::restore(Some(&stored), ["w".into(), "k".into()]),
            cursor
        );
        let other = SqlCursor::restore(Some(&stored), ["w2".into(), "k".into()]);
        assert_eq!((other.begin, other.pass), (None, None));
        assert_eq!(
            SqlCursor::restore(Some("{"), ["w".into(), "k".into()]),
            start()
        );
    }

    #[test]
    fn a_watermark_in_the_future_bounds_nothing() {
        let now = time::macros::datetime!(2024-03-05 12:00:30 UTC);
        for (watermark, expected) in [
            ("2099-01-01 00:00:00", Some("2024-03-04 12:00:30")),
            ("2099-01-01T00:00:00.5+08", Some("2024-03-04T12:00:30+08")),
            ("2099-01-01", Some("2024-03-04")),
            ("2024-03-06 12:00:30", None),
            ("2024-03-05", None),
            ("4070908800", None),
        ] {
            let instead = not_in_the_future(&text(watermark), now);
            assert_eq!(instead, expected.map(text), "{watermark}");
        }
        assert_eq!(not_in_the_future(&Value::Integer(4_070_908_800), now), None);
    }

    #[test]
    fn text_that_is_no_date_may_be_in_another_order() {
        for (watermark, so) in [
            ("2024/10/1", true),
            ("2024-9-30 10:00", true),
            ("2024-09-30", false),
            ("2024-09-30 10:00:00.123+08", false),
            ("1727690400", false),
        ] {
            assert_eq!(is_ordered_as_text(&text(watermark)), so, "{watermark}");
        }
        assert!(!is_ordered_as_text(&Value::Integer(7)));
    }

    #[test]
    fn an_overlap_keeps_the_writing_of_the_watermark() {
        let by = std::time::Duration::from_millis(600_500);
        for (watermark, expected) in [
            ("2024-01-01 00:05:00", Some("2023-12-31 23:54:59")),
            ("2024-01-01 00:05:00.123456", Some("2023-12-31 23:54:59")),
            (
                "2024-01-01 00:05:00.123456+08",
                Some("2023-12-31 23:54:59+08"),
            ),
            ("2024-01-01T00:05:00Z", Some("2023-12-31T23:54:59Z")),
            ("2024-03-01", Some("2024-02-29")),
            ("1704067200", None),
            ("infinity", None),
            ("二〇二四年一月一日", None),
        ] {
            assert_eq!(
                earlier(&text(watermark), by),
                expected.map(text),
                "{watermark}"
            );
        }
        assert_eq!(earlier(&Value::Integer(1_704_067_200), by), None);
    }
}
