//! Texts and amounts that fit the wire contract.

use std::fmt;

use linkage::vocabulary::RejectRule;

/// A trimmed text of 1 to `MOST` characters without control characters. It may be a name: `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<const MOST: usize>(String);

impl<const MOST: usize> Text<MOST> {
    /// Reads a cell. Line ends and other control characters inside count as spaces; nothing but spaces is `None`.
    pub(crate) fn read(raw: &str) -> Result<Option<Self>, RejectRule> {
        let spaced = raw.replace(char::is_control, " ");
        let text = trim(&spaced);
        if text.is_empty() {
            return Ok(None);
        }
        // The byte length bounds the work before characters are counted.
        if text.len() > 4 * MOST || text.chars().nth(MOST).is_some() {
            return Err(RejectRule::FieldTooLong);
        }
        Ok(Some(Self(text.to_owned())))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MOST: usize> fmt::Debug for Text<MOST> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Text(..)")
    }
}

/// Without the spaces, byte order marks and zero-width spaces around a value.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{FEFF}' | '\u{200B}'))
}

/// Full-width digits, points, commas and signs as ASCII.
pub(super) fn half_width(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\u{FF01}'..='\u{FF5E}' => char::from_u32(c as u32 - 0xFEE0).unwrap_or(c),
            '\u{3000}' => ' ',
            c => c,
        })
        .collect()
}

/// A long number as spreadsheets show it, with most of its digits gone: `3.30106E+17`.
pub(super) fn is_rounded(raw: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    trim(raw).split_once("E+").is_some_and(|(number, power)| {
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        whole.len() == 1 && digits(whole) && digits(fraction) && digits(power)
    })
}

/// An amount of money in fen (1/100 yuan): 0 to a thousand billion yuan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fen(i64);

impl Fen {
    const MOST: i64 = 100_000_000_000_000;

    /// The amount.
    #[must_use]
    pub fn get(self) -> i64 {
        self.0
    }
}

/// What a column of money counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Unit {
    #[default]
    Yuan,
    Fen,
}

impl Unit {
    fn decimals(self) -> usize {
        match self {
            Self::Yuan => 2,
            Self::Fen => 0,
        }
    }

    /// Reads an exact decimal: `1234.5`, `1,234.50`, `¥1234`, `1234元`. Digits below a fen must be zeros.
    pub(super) fn read(self, raw: &str) -> Option<Fen> {
        let text = half_width(trim(raw));
        let text = text.trim_start_matches(['¥', '￥']).trim_start();
        let text = text.strip_suffix('元').unwrap_or(text).trim_end();
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let whole = without_thousands(whole)?;
        let decimals = self.decimals();
        let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if !all_digits(&whole) || !all_digits(fraction) {
            return None;
        }
        let kept = &fraction[..fraction.len().min(decimals)];
        if fraction.bytes().skip(decimals).any(|b| b != b'0') {
            return None;
        }
        let fen: i64 = format!("{whole}{kept:0<decimals$}").parse().ok()?;
        (fen <= Fen::MOST).then_some(Fen(fen))
    }
}

/// Strips commas that stand before groups of three digits; `None` when they stand elsewhere or nothing is there.
fn without_thousands(whole: &str) -> Option<String> {
    let mut groups = whole.split(',');
    let first = groups.next().filter(|first| !first.is_empty())?;
    let fits = whole == first || first.len() <= 3 && groups.all(|group| group.len() == 3);
    fits.then(|| whole.replace(',', ""))
}

/// Reads a positive whole number; spreadsheets write `3.0` for 3.
pub(super) fn revision(raw: &str) -> Option<u64> {
    let text = half_width(trim(raw));
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let plain = whole.bytes().all(|b| b.is_ascii_digit()) && fraction.bytes().all(|b| b == b'0');
    // The hub keeps revisions in a signed column.
    let number: u64 = whole.parse().ok().filter(|_| plain)?;
    (1..=i64::MAX as u64).contains(&number).then_some(number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn yuan(raw: &str) -> Option<i64> {
        Unit::Yuan.read(raw).map(Fen::get)
    }

    #[test]
    fn yuan_are_exact_decimals_in_any_usual_form() {
        for (raw, fen) in [
            ("0", 0),
            ("1234.5", 123_450),
            ("1,234,567.89", 123_456_789),
            (" ￥１２．５０ ", 1_250),
            ("¥ 80", 8_000),
            ("80元", 8_000),
            ("12.5000", 1_250),
            ("5.", 500),
        ] {
            assert_eq!(yuan(raw), Some(fen), "{raw}");
        }
    }

    #[test]
    fn what_is_no_exact_amount_is_none() {
        for raw in [
            "",
            ".",
            ".5",
            "-1",
            "+1",
            "1.005",
            "1e3",
            "1,23",
            "12,34.00",
            ",123",
            "壹佰贰拾元整",
            "99999999999999999999",
            "1000000000000.01",
            "1.2.3",
            "１２a",
        ] {
            assert_eq!(yuan(raw), None, "{raw}");
        }
    }

    #[test]
    fn fen_have_no_decimals_but_zeros() {
        assert_eq!(Unit::Fen.read("12050").map(Fen::get), Some(12_050));
        assert_eq!(Unit::Fen.read("12050.00").map(Fen::get), Some(12_050));
        assert_eq!(Unit::Fen.read("12050.5"), None);
    }

    #[test]
    fn texts_are_trimmed_and_counted_in_characters() {
        let read = |raw: &str| Text::<3>::read(raw).map(|text| text.map(|text| text.0));
        assert_eq!(
            read("\u{FEFF} 张\r\n三\u{3000}"),
            Err(RejectRule::FieldTooLong)
        );
        assert_eq!(read(" 张\n三 "), Ok(Some("张 三".to_owned())));
        assert_eq!(read("\t\u{3000}\u{200B}"), Ok(None));
        assert_eq!(
            format!("{:?}", Text::<3>::read("张三")),
            "Ok(Some(Text(..)))"
        );
    }

    #[test]
    fn revisions_are_positive_whole_numbers() {
        assert_eq!(revision("17"), Some(17));
        assert_eq!(revision("17.0"), Some(17));
        for raw in ["0", "-1", "+1", "1.5", "", "9223372036854775808", "v2"] {
            assert_eq!(revision(raw), None, "{raw}");
        }
    }

    proptest! {
        #[test]
        fn every_amount_reads_back(fen in 0i64..=Fen::MOST) {
            prop_assert_eq!(yuan(&format!("{}.{:02}", fen / 100, fen % 100)), Some(fen));
            prop_assert_eq!(Unit::Fen.read(&fen.to_string()).map(Fen::get), Some(fen));
        }

        #[test]
        fn any_text_is_read_or_refused(raw in any::<String>()) {
            let _ = (Unit::Yuan.read(&raw), Unit::Fen.read(&raw), revision(&raw), Text::<5>::read(&raw));
        }
    }
}
