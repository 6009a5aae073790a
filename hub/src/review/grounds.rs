//! Why somebody decided: a sentence of their own.

use std::str::FromStr;

use linkage::long_number;

/// Longest sentence, characters.
const LONGEST: usize = 500;

/// A reason in somebody's own words, without control characters and without what looks like a number of a person.
#[derive(Clone, PartialEq, Eq)]
pub struct Grounds(String);

/// Why a text is no reason. Does not carry the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GroundsError {
    #[error("1 to {LONGEST} characters, without control characters")]
    Form,
    #[error("no phone or document numbers; they do not belong into a reason")]
    Number,
}

impl Grounds {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Grounds {
    type Err = GroundsError;

    fn from_str(text: &str) -> Result<Self, GroundsError> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > LONGEST || text.chars().any(char::is_control) {
            return Err(GroundsError::Form);
        }
        match long_number::is_in(text) {
            true => Err(GroundsError::Number),
            false => Ok(Self(text.to_owned())),
        }
    }
}

impl std::fmt::Debug for Grounds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Grounds")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_kept_as_it_is() {
        let grounds: Grounds = " 两处档案所附照片为同一人，见（2024）浙杭证民字第1234号 "
            .parse()
            .expect("a reason");
        assert_eq!(
            grounds.as_str(),
            "两处档案所附照片为同一人，见（2024）浙杭证民字第1234号"
        );
    }

    #[test]
    fn nothing_and_too_much_and_control_characters_are_refused() {
        for text in ["", "  ", "a\nb", "a\u{0}b", &"长".repeat(501)] {
            assert_eq!(text.parse::<Grounds>(), Err(GroundsError::Form));
        }
    }

    #[test]
    fn numbers_of_persons_are_refused_however_they_are_written() {
        for text in [
            "身份证 11010519491231002X",
            "电话１３８００００００００",
            "138 0000-0000",
        ] {
            assert_eq!(text.parse::<Grounds>(), Err(GroundsError::Number), "{text}");
        }
    }
}
