//! Case numbers (证号) as notary offices print them.

use std::{fmt, str::FromStr};

use crate::text::{
    half_width, is_closing, is_dash, is_han, is_invisible, is_opening, serde_as_text,
};

/// A case number in one form: full-width brackets, no spaces, no leading zeros, 第 and 号 written, e.g.
/// `（2024）浙杭钱证民字第1234号`. A supplement keeps its suffix, e.g. `（2024）浙杭证民字第1234-1号`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaseNo(String);

/// Why a text is no case number. No variant carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CaseNoError {
    /// No digit in it: a dash, 无, 待定.
    #[error("the case number is empty")]
    Empty,
    /// More than [`MAX_CHARS`] characters.
    #[error("the case number is longer than {MAX_CHARS} characters")]
    TooLong,
    /// It does not begin with a year in brackets.
    #[error(
        "the case number does not begin with a year in brackets, as in （2024）浙杭证民字第1234号"
    )]
    Year,
    /// No issuer's word with 证 between year and serial.
    #[error(
        "the case number has no issuer between year and serial, as in （2024）浙杭证民字第1234号"
    )]
    Issuer,
    /// It does not end with a serial number.
    #[error("the case number does not end with a serial, as in （2024）浙杭证民字第1234号")]
    Serial,
}

/// Longest raw text that is looked at, in characters.
pub const MAX_CHARS: usize = 64;

impl CaseNo {
    /// Reads a case number as an office wrote it: brackets of any form, full- or half-width, spaces at will, 第 and
    /// 号 optional.
    ///
    /// # Errors
    /// [`CaseNoError`], naming the part that is not there.
    pub fn parse(raw: &str) -> Result<Self, CaseNoError> {
        let text = fold(raw)?;
        let (year, rest) = text
            .strip_prefix('(')
            .and_then(|rest| rest.split_once(')'))
            .filter(|(year, _)| is_year(year))
            .ok_or(CaseNoError::Year)?;
        let rest = rest.strip_suffix('号').unwrap_or(rest);
        let (issuer, serial) = split_serial(rest)?;
        if !is_issuer(issuer) {
            return Err(CaseNoError::Issuer);
        }
        Ok(Self(format!("（{year}）{issuer}第{serial}号")))
    }

    /// The number as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The year it was given in.
    #[must_use]
    pub fn year(&self) -> i32 {
        self.0
            .chars()
            .skip(1)
            .map_while(|c| c.to_digit(10))
            .fold(0, |year, digit| {
                year * 10 + i32::try_from(digit).expect("a digit is small")
            })
    }
}

fn fold(raw: &str) -> Result<String, CaseNoError> {
    let raw = raw.trim();
    // Four bytes are the longest character, so this bounds the work before characters are counted.
    if raw.len() > 4 * MAX_CHARS || raw.chars().count() > MAX_CHARS {
        return Err(CaseNoError::TooLong);
    }
    let visible = raw
        .chars()
        .map(half_width)
        .filter(|&c| !c.is_whitespace() && !is_invisible(c));
    let text: String = visible
        .map(|c| match c {
            c if is_opening(c) => '(',
            c if is_closing(c) => ')',
            c if is_dash(c) => '-',
            c => c.to_ascii_uppercase(),
        })
        .collect();
    if text.contains(|c: char| c.is_ascii_digit()) {
        Ok(text.trim_end_matches(['。', '.']).to_owned())
    } else {
        Err(CaseNoError::Empty)
    }
}

/// Notarisation was restored in 1979; the upper bound tells a slip from a year.
fn is_year(text: &str) -> bool {
    text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit()) && ("1979"..="2099").contains(&text)
}

fn is_issuer(text: &str) -> bool {
    text.contains('证') && text.chars().all(|c| is_han(c) || c.is_ascii_alphanumeric())
}

/// Splits off the serial (`1234` or `1234-1`) with its leading zeros stripped, and 第 before it.
fn split_serial(text: &str) -> Result<(&str, &str), CaseNoError> {
    let is_serial = |c: char| c.is_ascii_digit() || c == '-';
    let issuer = text.trim_end_matches(is_serial);
    let serial = text[issuer.len()..].trim_start_matches('0');
    let (number, suffix) = serial
        .split_once('-')
        .map_or((serial, None), |(n, s)| (n, Some(s)));
    let number_fits = (1..=10).contains(&number.len());
    let suffix_fits = suffix.is_none_or(|s| (1..=4).contains(&s.len()) && !s.contains('-'));
    if number_fits && suffix_fits {
        Ok((issuer.strip_suffix('第').unwrap_or(issuer), serial))
    } else {
        Err(CaseNoError::Serial)
    }
}

impl FromStr for CaseNo {
    type Err = CaseNoError;

    fn from_str(text: &str) -> Result<Self, CaseNoError> {
        Self::parse(text)
    }
}

impl AsRef<str> for CaseNo {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CaseNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

serde_as_text!(CaseNo);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_way_of_writing_a_case_number_is_one() {
        for raw in [
            "（2024）浙杭钱证民字第1234号",
            "(2024)浙杭钱证民字第1234号",
            "〔2024〕浙杭钱证民字第01234号",
            "【２０２４】 浙杭钱证 民字 第１２３４号",
            "[2024]浙杭钱证民字第1234",
            "(2024)浙杭钱证民字1234号",
            "〈2024〉浙杭钱证民字第1234号",
            "《2024》浙杭钱证民字第1234号",
            "＜2024＞浙杭钱证民字第1234号",
            "「2024」浙杭钱证民字第1234号。",
        ] {
            let case_no = CaseNo::parse(raw).expect("usable");
            assert_eq!(case_no.as_str(), "（2024）浙杭钱证民字第1234号", "{raw}");
            assert_eq!(case_no.year(), 2024);
        }
    }

    #[test]
    fn the_category_before_the_word_is_optional_and_supplements_keep_their_suffix() {
        let parse = |raw| CaseNo::parse(raw).map(|no| no.to_string());
        assert_eq!(
            parse("(2019)浙杭东证字第567号").as_deref(),
            Ok("（2019）浙杭东证字第567号")
        );
        assert_eq!(
            parse("(2019)浙杭东证外字第567—1号").as_deref(),
            Ok("（2019）浙杭东证外字第567-1号")
        );
    }

    #[test]
    fn an_error_names_the_part_that_is_not_there() {
        for none in [" ", "-", "——", "/", "无", "待定", "证字第号"] {
            assert_eq!(CaseNo::parse(none), Err(CaseNoError::Empty), "{none}");
        }
        assert_eq!(CaseNo::parse("2024浙杭证字第1号"), Err(CaseNoError::Year));
        assert_eq!(CaseNo::parse("(24)浙杭证字第1号"), Err(CaseNoError::Year));
        assert_eq!(CaseNo::parse("(2024)第1号"), Err(CaseNoError::Issuer));
        assert_eq!(
            CaseNo::parse("(2024)浙杭证(民)字第1号"),
            Err(CaseNoError::Issuer)
        );
        assert_eq!(
            CaseNo::parse("(2024)浙杭证字第号"),
            Err(CaseNoError::Serial)
        );
        assert_eq!(
            CaseNo::parse("(2024)浙杭证字第000号"),
            Err(CaseNoError::Serial)
        );
        assert_eq!(
            CaseNo::parse("(2024)浙杭证字第1--2号"),
            Err(CaseNoError::Serial)
        );
        assert_eq!(CaseNo::parse(&"9".repeat(65)), Err(CaseNoError::TooLong));
    }

    proptest! {
        #[test]
        fn a_case_number_reads_back_as_itself(
            year in 1979..=2099,
            issuer in "浙杭(钱|东|萧)?证(民|经|外)?字",
            serial in 1u32..=9_999_999,
            zeros in "0{0,3}",
        ) {
            let case_no = CaseNo::parse(&format!("({year}) {issuer}第{zeros}{serial}号")).expect("usable");
            prop_assert_eq!(case_no.as_str(), format!("（{year}）{issuer}第{serial}号"));
            prop_assert_eq!(case_no.year(), year);
            prop_assert_eq!(CaseNo::parse(case_no.as_str()), Ok(case_no));
        }

        #[test]
        fn any_text_parses_or_is_refused(
            raw in prop_oneof![any::<String>(), "[(（〔]?20[0-9]{2}[)）]?[浙杭证字第号0-9 -]{0,16}"],
        ) {
            if let Ok(case_no) = CaseNo::parse(&raw) {
                prop_assert_eq!(CaseNo::parse(case_no.as_str()), Ok(case_no));
            }
        }
    }
}
