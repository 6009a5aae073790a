//! Numbers of what a matter is about (标的): the house, its certificate, a contract, a vehicle.

use std::fmt;

use zeroize::Zeroizing;

use crate::{
    text::{
        half_width, is_closing, is_dash, is_han, is_invisible, is_middle_dot, is_opening,
        recognisable_tail,
    },
    vocabulary::vocabulary,
};

vocabulary! {
    /// What kind of thing a matter is about.
    SubjectKind, "subject_kind" {
        /// GB/T 37346.
        RealEstateUnit = "real_estate_unit" "不动产单元号",
        /// 不动产权证号, or the older 房权证 number.
        RealEstateCertificate = "real_estate_certificate" "不动产权证号",
        Contract = "contract" "合同编号",
        /// Vehicle identification or plate number.
        Vehicle = "vehicle" "机动车",
        /// Any other certificate number.
        Certificate = "certificate" "其他证书编号",
    }
}

/// Why a text is no subject number. No variant carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SubjectError {
    /// No digit in it: a dash, 无, 见附件. Everything that has the same filler would be one thing.
    #[error("the subject number is empty")]
    Empty,
    /// More than [`MAX_CHARS`] characters.
    #[error("the subject number is longer than {MAX_CHARS} characters")]
    TooLong,
    /// A control character inside.
    #[error("the subject number contains a control character")]
    ControlCharacter,
    /// Not the 28 characters of GB/T 37346.
    #[error("the real-estate unit number does not have the 28 characters of GB/T 37346")]
    UnitForm,
}

/// Longest raw text that is looked at, in characters.
pub const MAX_CHARS: usize = 128;

/// A normalised number of what a matter is about. `Debug` does not show it; the memory is wiped on drop.
///
/// Widths, case, spaces and dashes are normalised for every kind, and all brackets become `()`. Beyond that:
/// - a real-estate unit has 28 characters (GB/T 37346): 12 digits of district and cadastral zones, 2 letters and
///   5 digits of the parcel, 1 letter and 8 digits of the fixture;
/// - a real-estate or other certificate number loses the leading zeros between 第 and 号, and a missing final 号 is
///   added, so that 第0001234号, 第1234号 and 第1234 are one; in a real-estate one a missing 第 is added as well;
/// - a vehicle number loses dots and dashes, so that 浙A·12345 and 浙A12345 are one.
#[derive(Clone, PartialEq, Eq)]
pub struct SubjectNumber {
    kind: SubjectKind,
    number: Zeroizing<String>,
}

impl SubjectNumber {
    /// Reads a number as an office wrote it.
    ///
    /// # Errors
    /// [`SubjectError`], when nothing is in it, it is too long, broken, or a unit number of another form.
    pub fn parse(kind: SubjectKind, raw: &str) -> Result<Self, SubjectError> {
        let folded = fold(raw)?;
        let number = match kind {
            SubjectKind::RealEstateUnit => unit(&folded)?,
            SubjectKind::RealEstateCertificate | SubjectKind::Certificate => {
                certificate(kind, &folded)
            }
            SubjectKind::Vehicle => without_marks(&folded),
            SubjectKind::Contract => folded,
        };
        Ok(Self { kind, number })
    }

    /// Kind of thing.
    #[must_use]
    pub fn kind(&self) -> SubjectKind {
        self.kind
    }

    /// The number in the form that is equal for every way of writing it.
    #[must_use]
    pub fn normalised(&self) -> &str {
        &self.number
    }

    /// Up to six last letters and digits, for people to recognise it by.
    #[must_use]
    pub fn masked_tail(&self) -> &str {
        recognisable_tail(&self.number, 6)
    }
}

impl fmt::Debug for SubjectNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubjectNumber")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

fn fold(raw: &str) -> Result<Zeroizing<String>, SubjectError> {
    let raw = raw.trim();
    // Four bytes are the longest character, so this bounds the work before characters are counted.
    if raw.len() > 4 * MAX_CHARS || raw.chars().count() > MAX_CHARS {
        return Err(SubjectError::TooLong);
    }
    if raw.contains(char::is_control) {
        return Err(SubjectError::ControlCharacter);
    }
    let mut number = Zeroizing::new(String::with_capacity(raw.len()));
    let visible = raw
        .chars()
        .map(half_width)
        .filter(|&c| !c.is_whitespace() && !is_invisible(c));
    number.extend(visible.map(|c| match c {
        c if is_opening(c) => '(',
        c if is_closing(c) => ')',
        c if is_dash(c) => '-',
        c => c.to_ascii_uppercase(),
    }));
    let end = number.trim_end_matches(['。', '.']).len();
    number.truncate(end);
    if number.contains(is_digit) {
        Ok(number)
    } else {
        Err(SubjectError::Empty)
    }
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit() || "〇零一二三四五六七八九十".contains(c)
}

fn without_marks(number: &str) -> Zeroizing<String> {
    let is_mark = |c: char| c == '-' || c == '.' || is_middle_dot(c);
    let mut bare = Zeroizing::new(String::with_capacity(number.len()));
    bare.extend(number.chars().filter(|&c| !is_mark(c)));
    bare
}

fn unit(number: &str) -> Result<Zeroizing<String>, SubjectError> {
    // 9 stands for a digit, A for a letter.
    const FORM: &[u8; 28] = b"999999999999AA99999A99999999";
    let bare = without_marks(number);
    let fits = bare.len() == FORM.len()
        && bare.bytes().zip(FORM).all(|(b, form)| match form {
            b'9' => b.is_ascii_digit(),
            _ => b.is_ascii_uppercase(),
        });
    if fits {
        Ok(bare)
    } else {
        Err(SubjectError::UnitForm)
    }
}

/// Strips the zeros that lead the serial behind 第 and closes it with 号; of a real-estate certificate 第 may be missing.
fn certificate(kind: SubjectKind, number: &str) -> Zeroizing<String> {
    let mut closed = Zeroizing::new(String::with_capacity(number.len() + "第号".len()));
    let split = number.rsplit_once('第').or_else(|| match kind {
        SubjectKind::RealEstateCertificate => without_ordinal(number),
        _ => None,
    });
    let Some((before, serial)) = split else {
        closed.push_str(number);
        return closed;
    };
    let stripped = serial.trim_start_matches('0');
    let all_zeros = !stripped.starts_with(|c: char| c.is_ascii_digit());
    closed.extend([before, "第"]);
    if all_zeros && stripped.len() < serial.len() {
        closed.push('0');
    }
    closed.push_str(stripped);
    if closed.ends_with(|c: char| c.is_ascii_digit()) {
        closed.push('号');
    }
    closed
}

/// The text and the serial behind it, where 第 was left out: 浙(2021)杭州市不动产权0001234号.
fn without_ordinal(number: &str) -> Option<(&str, &str)> {
    let open = number.strip_suffix('号').unwrap_or(number);
    let before = open.trim_end_matches(|c: char| c.is_ascii_digit());
    (before.ends_with(is_han) && before.len() < open.len()).then(|| number.split_at(before.len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn normalised(kind: SubjectKind, raw: &str) -> String {
        SubjectNumber::parse(kind, raw)
            .expect("usable")
            .normalised()
            .to_owned()
    }

    #[test]
    fn every_way_of_writing_a_certificate_number_is_one() {
        let canonical = "浙(2021)杭州市不动产权第1234号";
        for raw in [
            "浙(2021)杭州市不动产权第1234号",
            "浙（2021）杭州市不动产权第0001234号",
            " 浙 〔２０２１〕 杭州市不动产权 第 0001234 号 ",
            "浙[2021]杭州市不动产权第0001234",
            "浙《2021》杭州市不动产权第1234号。",
            "浙〈2021〉杭州市不动产权0001234号",
            "浙（2021）杭州市不动产权1234",
            "浙\u{200B}（2021）杭州市不动产权第０００１２３４号",
        ] {
            assert_eq!(
                normalised(SubjectKind::RealEstateCertificate, raw),
                canonical,
                "{raw}"
            );
        }
        assert_eq!(
            normalised(
                SubjectKind::RealEstateCertificate,
                "杭房权证西移字第05123456号"
            ),
            "杭房权证西移字第5123456号"
        );
        assert_eq!(normalised(SubjectKind::Certificate, "第000号"), "第0号");
    }

    #[test]
    fn zeros_that_are_part_of_a_number_stay() {
        assert_eq!(normalised(SubjectKind::Certificate, "00123"), "00123");
        assert_eq!(normalised(SubjectKind::Certificate, "证0123"), "证0123");
        assert_eq!(
            normalised(SubjectKind::RealEstateCertificate, "00123"),
            "00123"
        );
        assert_eq!(normalised(SubjectKind::Contract, "ht－００１"), "HT-001");
    }

    #[test]
    fn a_unit_number_has_the_28_characters_of_its_standard() {
        let unit = "330106001001GB00012F00010001";
        assert_eq!(normalised(SubjectKind::RealEstateUnit, unit), unit);
        assert_eq!(
            normalised(
                SubjectKind::RealEstateUnit,
                "330106 001001 gb00012 f00010001"
            ),
            unit
        );
        assert_eq!(
            normalised(SubjectKind::RealEstateUnit, "330106001001GB00012W00000000").len(),
            28
        );
        for wrong in [
            &unit[1..],
            "330106001001GB00012F0001000",
            "33010600100100000012F00010001",
        ] {
            assert_eq!(
                SubjectNumber::parse(SubjectKind::RealEstateUnit, wrong),
                Err(SubjectError::UnitForm)
            );
        }
    }

    #[test]
    fn plates_are_one_with_and_without_the_dot() {
        assert_eq!(normalised(SubjectKind::Vehicle, "浙A·12345"), "浙A12345");
        assert_eq!(normalised(SubjectKind::Vehicle, "浙a-12345"), "浙A12345");
    }

    #[test]
    fn nothing_usable_is_refused() {
        let parse = |raw: &str| SubjectNumber::parse(SubjectKind::Contract, raw);
        assert_eq!(parse(""), Err(SubjectError::Empty));
        for filler in [" —（）", "/", "无", "不详", "见附件", "N/A"] {
            assert_eq!(parse(filler), Err(SubjectError::Empty), "{filler}");
        }
        assert!(parse("合同第一号").is_ok());
        assert_eq!(parse("12\u{0}34"), Err(SubjectError::ControlCharacter));
        assert_eq!(parse(&"9".repeat(129)), Err(SubjectError::TooLong));
    }

    #[test]
    fn debug_shows_no_number() {
        let subject = SubjectNumber::parse(SubjectKind::Contract, "HT-98765").expect("usable");
        assert!(!format!("{subject:?}").contains("98765"));
    }

    fn any_kind() -> impl Strategy<Value = SubjectKind> {
        prop::sample::select(SubjectKind::ALL)
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(
            kind in any_kind(),
            raw in "([A-Za-z0-9浙第号字权（）()〔〕０-９ 　·-]{0,24}|330106[0-9]{6}[a-z]{2}[0-9]{5}f[0-9]{8})",
        ) {
            if let Ok(subject) = SubjectNumber::parse(kind, &raw) {
                prop_assert_eq!(SubjectNumber::parse(kind, subject.normalised()), Ok(subject));
            }
        }

        #[test]
        fn any_text_parses_or_is_refused(kind in any_kind(), raw in any::<String>()) {
            if let Ok(subject) = SubjectNumber::parse(kind, &raw) {
                let tail = subject.masked_tail();
                prop_assert!(tail.chars().count() <= 6);
                prop_assert!(2 * tail.len() <= subject.normalised().len());
            }
        }
    }
}
