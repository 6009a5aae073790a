//! Places by GB/T 2260, with what Hangzhou's codes meant on which day.
//!
//! Districts merge, split and are renamed; figures must be possible on the structure of any date, and an address
//! or an old ID number keeps the code of its day for ever.

use std::{fmt, str::FromStr};

use time::{Date, macros::date};

use crate::text::serde_as_text;

/// A county-level (or higher) code of GB/T 2260: six digits of an existing province.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DistrictCode([u8; 6]);

/// A text that is no district code. It does not carry the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a district code has the six digits of GB/T 2260, the first two of an existing province, e.g. 330106"
)]
pub struct DistrictCodeError;

/// One of Hangzhou's codes with the days it was valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct District {
    /// Six digits.
    pub code: &'static str,
    /// Chinese name.
    pub name_zh: &'static str,
    /// First day of validity; `None` when it was there before 2000.
    pub from: Option<Date>,
    /// First day on which it was valid no more; `None` while it is.
    pub until: Option<Date>,
    /// The codes its territory went to, the largest part first; empty while it is valid.
    pub successors: &'static [&'static str],
}

/// Hangzhou and its districts and counties. Days are those on which the State Council's approval was made public:
/// 2001 (萧山, 余杭 become districts), 2015 (富阳), 2017 (临安), 2021 (上城, 拱墅, 西湖, 余杭 redrawn; 临平, 钱塘 new).
pub const HANGZHOU: &[District] = &[
    standing("330100", "杭州市"),
    standing("330102", "上城区"),
    ended("330103", "下城区", date!(2021 - 04 - 09), &["330105"]),
    ended(
        "330104",
        "江干区",
        date!(2021 - 04 - 09),
        &["330102", "330114"],
    ),
    standing("330105", "拱墅区"),
    standing("330106", "西湖区"),
    standing("330108", "滨江区"),
    begun("330109", "萧山区", date!(2001 - 03 - 25)),
    begun("330110", "余杭区", date!(2001 - 03 - 25)),
    begun("330111", "富阳区", date!(2015 - 02 - 15)),
    begun("330112", "临安区", date!(2017 - 09 - 15)),
    begun("330113", "临平区", date!(2021 - 04 - 09)),
    begun("330114", "钱塘区", date!(2021 - 04 - 09)),
    standing("330122", "桐庐县"),
    standing("330127", "淳安县"),
    ended("330181", "萧山市", date!(2001 - 03 - 25), &["330109"]),
    standing("330182", "建德市"),
    ended("330183", "富阳市", date!(2015 - 02 - 15), &["330111"]),
    ended("330184", "余杭市", date!(2001 - 03 - 25), &["330110"]),
    ended("330185", "临安市", date!(2017 - 09 - 15), &["330112"]),
];

const fn standing(code: &'static str, name_zh: &'static str) -> District {
    District {
        code,
        name_zh,
        from: None,
        until: None,
        successors: &[],
    }
}

const fn begun(code: &'static str, name_zh: &'static str, from: Date) -> District {
    District {
        code,
        name_zh,
        from: Some(from),
        until: None,
        successors: &[],
    }
}

const fn ended(
    code: &'static str,
    name_zh: &'static str,
    until: Date,
    successors: &'static [&'static str],
) -> District {
    District {
        code,
        name_zh,
        from: None,
        until: Some(until),
        successors,
    }
}

impl District {
    /// Whether the code was valid on that day.
    #[must_use]
    pub fn is_valid_on(&self, day: Date) -> bool {
        self.from.is_none_or(|from| from <= day) && self.until.is_none_or(|until| day < until)
    }
}

impl DistrictCode {
    /// Reads six digits.
    ///
    /// # Errors
    /// [`DistrictCodeError`], when they are not six digits of an existing province.
    pub fn parse(text: &str) -> Result<Self, DistrictCodeError> {
        let code: [u8; 6] = text
            .trim()
            .as_bytes()
            .try_into()
            .map_err(|_| DistrictCodeError)?;
        if !code.iter().all(u8::is_ascii_digit) {
            return Err(DistrictCodeError);
        }
        let province = u32::from(code[0] - b'0') * 10 + u32::from(code[1] - b'0');
        if is_province(province) {
            Ok(Self(code))
        } else {
            Err(DistrictCodeError)
        }
    }

    /// The six digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a district code is six digits")
    }

    /// What is known about the code, for Hangzhou's.
    #[must_use]
    pub fn district(&self) -> Option<&'static District> {
        HANGZHOU
            .iter()
            .find(|district| district.code == self.as_str())
    }

    /// Chinese name, for Hangzhou's codes, past ones included.
    #[must_use]
    pub fn name_zh(&self) -> Option<&'static str> {
        self.district().map(|district| district.name_zh)
    }
}

/// Whether two digits are a province's: mainland provinces, Taiwan (71), Hong Kong (81), Macao (82).
pub(crate) fn is_province(code: u32) -> bool {
    matches!(code, 11..=15 | 21..=23 | 31..=37 | 41..=46 | 50..=54 | 61..=65 | 71 | 81 | 82)
}

impl FromStr for DistrictCode {
    type Err = DistrictCodeError;

    fn from_str(text: &str) -> Result<Self, DistrictCodeError> {
        Self::parse(text)
    }
}

impl AsRef<str> for DistrictCode {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for DistrictCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for DistrictCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DistrictCode({})", self.as_str())
    }
}

serde_as_text!(DistrictCode);

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hangzhous_codes_are_distinct_and_sorted_and_succeeded_by_valid_ones() {
        assert!(HANGZHOU.is_sorted_by(|a, b| a.code < b.code));
        let names: HashSet<_> = HANGZHOU.iter().map(|d| d.name_zh).collect();
        assert_eq!(names.len(), HANGZHOU.len());
        for district in HANGZHOU {
            let code: DistrictCode = district.code.parse().expect("a code");
            assert_eq!(code.name_zh(), Some(district.name_zh));
            assert_eq!(
                district.until.is_some(),
                !district.successors.is_empty(),
                "{}",
                district.code
            );
            for successor in district.successors {
                let successor: DistrictCode = successor.parse().expect("a code");
                let until = district
                    .until
                    .expect("only ended districts have successors");
                assert!(successor.district().is_some_and(|d| d.is_valid_on(until)));
            }
        }
    }

    #[test]
    fn a_district_is_valid_from_its_first_day_until_before_the_day_it_ended() {
        let valid = |code: &str, day| {
            let code: DistrictCode = code.parse().expect("a code");
            code.district().expect("of Hangzhou").is_valid_on(day)
        };
        let last_day = date!(2021 - 04 - 08);
        let next_day = date!(2021 - 04 - 09);
        assert!(valid("330103", last_day) && !valid("330103", next_day));
        assert!(!valid("330114", last_day) && valid("330114", next_day));
        assert!(valid("330106", last_day) && valid("330106", next_day));
    }

    #[test]
    fn codes_elsewhere_are_codes_without_a_name() {
        assert_eq!(
            DistrictCode::parse("310101").expect("a code").name_zh(),
            None
        );
    }

    proptest! {
        #[test]
        fn only_six_digits_of_a_province_are_a_code(text in prop_oneof!["[0-9]{6}", any::<String>()]) {
            match DistrictCode::parse(&text) {
                Ok(code) => prop_assert_eq!(code.as_str(), text.trim()),
                Err(DistrictCodeError) => {
                    let six_digits = text.len() == 6 && text.bytes().all(|b| b.is_ascii_digit());
                    prop_assert!(!six_digits || !is_province(text[..2].parse().expect("digits")));
                }
            }
        }
    }
}
