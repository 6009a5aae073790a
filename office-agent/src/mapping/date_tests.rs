use proptest::prelude::*;
use time::macros::datetime;

use super::*;

fn format(text: &str) -> DateFormat {
    text.parse().expect("a format")
}

#[test]
fn a_day_is_read_in_its_columns_format_and_in_every_common_one() {
    let expected = Ok(Some(date!(2024 - 03 - 05)));
    for (raw, own) in [
        ("20240305", "YYYYMMDD"),
        ("2024/03/05", "YYYY/MM/DD"),
        ("2024-03-05", "YYYY-MM-DD"),
        ("05.03.2024", "DD.MM.YYYY"),
        ("3/5/2024", "MM/DD/YYYY"),
        ("2024年3月5日", "YYYY年MM月DD日"),
        ("2024-3-5", "YYYYMMDD"),
        ("２０２４-０３-０５", "YYYY-MM-DD"),
        ("2024-03-05 00:00:00", "YYYY-MM-DD"),
        ("2024-03-05T00:00:00.000+08:00", "YYYY/MM/DD"),
        ("2024-03-04T16:00:00Z", "YYYY-MM-DD"),
        ("20240305123000", "YYYYMMDD"),
        ("45356", "YYYY-MM-DD"),
        ("45356.75", "YYYY-MM-DD"),
        ("05/03/2024 9:30", "DD/MM/YYYY HH:mm"),
    ] {
        assert_eq!(day(raw, Some(&format(own))), expected, "{raw} as {own}");
    }
    assert_eq!(day("2024.03.05", None), expected);
}

#[test]
fn no_day_is_no_day_in_another_format_either() {
    for (raw, own) in [
        ("2023-02-29", "YYYY-MM-DD"),
        ("20230231", "YYYYMMDD"),
        ("2023/02/31", "YYYY/MM/DD"),
        ("20240513", "YYYYDDMM"),
        ("13/13/2024", "DD/MM/YYYY"),
        ("2024", "YYYY-MM-DD"),
        ("2024-05", "YYYY-MM-DD"),
        ("待定", "YYYY-MM-DD"),
        ("2024-03-05后", "YYYY-MM-DD"),
        ("1849-12-31", "YYYY-MM-DD"),
        ("2150-01-02", "YYYY-MM-DD"),
        ("9999-12-31", "YYYY-MM-DD"),
        ("99999", "YYYY-MM-DD"),
        ("2024-03-05 25:00", "YYYY-MM-DD"),
    ] {
        assert_eq!(day(raw, Some(&format(own))), Err(NoDate), "{raw} as {own}");
    }
}

#[test]
fn mysqls_zero_date_is_absent() {
    assert_eq!(day("0000-00-00", None), Ok(None));
    assert_eq!(day("0000-00-00 00:00:00", None), Ok(None));
}

#[test]
fn a_birth_is_on_the_day_that_the_clock_of_then_showed() {
    for (raw, expected) in [
        ("1988-06-01T00:00:00+09:00", date!(1988 - 06 - 01)),
        ("1988-05-31T15:00:00Z", date!(1988 - 06 - 01)),
        ("1988-05-31 15:00:00+00", date!(1988 - 06 - 01)),
        ("1988-12-31T16:00:00Z", date!(1989 - 01 - 01)),
        ("1988-12-31T15:00:00Z", date!(1988 - 12 - 31)),
        ("1988-04-16T16:00:00Z", date!(1988 - 04 - 17)),
        ("1988-04-17T15:00:00Z", date!(1988 - 04 - 18)),
        ("1988-09-10T15:00:00Z", date!(1988 - 09 - 11)),
        ("1988-09-11T16:00:00Z", date!(1988 - 09 - 12)),
        ("1890-01-01 00:00:00+08:05:43", date!(1890 - 01 - 01)),
        ("1949-12-31", date!(1949 - 12 - 31)),
        ("2024-03-04T16:00:00Z", date!(2024 - 03 - 05)),
    ] {
        assert_eq!(birth_day(raw, None), Ok(Some(expected)), "{raw}");
    }
}

#[test]
fn a_moment_without_a_zone_is_the_offices() {
    for raw in [
        "2024-03-05 14:30:15",
        "2024-03-05T06:30:15Z",
        "20240305143015",
        "2024/3/5 14:30:15",
        "2024-03-05 14:30:15.999",
    ] {
        assert_eq!(
            moment(raw, None),
            Ok(Some(datetime!(2024-03-05 14:30:15 +8))),
            "{raw}"
        );
    }
}

#[test]
fn a_format_without_year_month_and_day_is_refused() {
    for wrong in [
        "",
        "YYYY-MM",
        "YY-MM-DD",
        "YYYY-mm-DD",
        "yyyy-MM-dd",
        "YYYYMMDDMM",
    ] {
        assert!(wrong.parse::<DateFormat>().is_err(), "{wrong}");
    }
}

proptest! {
    #[test]
    fn every_day_reads_back_from_every_form(offset in 0i64..=109_573) {
        let expected = FIRST + Duration::days(offset);
        let (y, m, d) = (expected.year(), u8::from(expected.month()), expected.day());
        for raw in [
            format!("{y:04}-{m:02}-{d:02}"),
            format!("{y:04}{m:02}{d:02}"),
            format!("{y:04}/{m}/{d}"),
            format!("{y:04}年{m}月{d}日"),
        ] {
            prop_assert_eq!(day(&raw, None), Ok(Some(expected)), "{}", raw);
        }
    }

    #[test]
    fn any_text_is_a_date_or_none(raw in prop_oneof![any::<String>(), "[0-9年月日:/. TZ+-]{0,20}"]) {
        let _ = day(&raw, None);
        let _ = moment(&raw, Some(&format("DD/MM/YYYY HH:mm:ss")));
    }

    #[test]
    fn any_text_is_a_format_or_none(text in "[YMDHms/ :年-]{0,12}", raw in any::<String>()) {
        if let Ok(own) = text.parse() {
            let _ = day(&raw, Some(&own));
        }
    }
}
