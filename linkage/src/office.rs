//! Notary offices (公证处).

use std::{fmt, str::FromStr};

use crate::text::serde_as_text;

/// Short stable code of an office: a lower-case letter, then 1 to 15 lower-case letters, digits or hyphens.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OfficeId([u8; MAX_LEN]); // padded with zero bytes, which sort before every character

const MAX_LEN: usize = 16;

/// A text that is no office id. It does not carry the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an office id is a lower-case letter and then 1 to 15 lower-case letters, digits or hyphens"
)]
pub struct OfficeIdError;

impl OfficeId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let len = self.0.iter().position(|&b| b == 0).unwrap_or(MAX_LEN);
        std::str::from_utf8(&self.0[..len]).expect("an office id is ASCII")
    }
}

impl FromStr for OfficeId {
    type Err = OfficeIdError;

    fn from_str(text: &str) -> Result<Self, OfficeIdError> {
        let bytes = text.as_bytes();
        let fits = (2..=MAX_LEN).contains(&bytes.len())
            && bytes[0].is_ascii_lowercase()
            && bytes
                .iter()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        if !fits {
            return Err(OfficeIdError);
        }
        let mut id = [0; MAX_LEN];
        id[..bytes.len()].copy_from_slice(bytes);
        Ok(Self(id))
    }
}

impl AsRef<str> for OfficeId {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for OfficeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for OfficeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OfficeId({})", self.as_str())
    }
}

serde_as_text!(OfficeId);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_id_reads_back_and_sorts_as_its_text(a in "[a-z][a-z0-9-]{1,15}", b in "[a-z][a-z0-9-]{1,15}") {
            let (left, right): (OfficeId, OfficeId) = (a.parse().expect("fits"), b.parse().expect("fits"));
            prop_assert_eq!(left.as_str(), &a);
            prop_assert_eq!(left.cmp(&right), a.cmp(&b));
        }

        #[test]
        fn any_text_is_an_id_only_when_it_has_the_form(text in any::<String>()) {
            if let Ok(id) = text.parse::<OfficeId>() {
                prop_assert_eq!(id.as_str(), text);
            }
        }
    }

    #[test]
    fn texts_of_another_form_are_refused() {
        for text in [
            "",
            "a",
            "1a",
            "-a",
            "Hz",
            "hz_east",
            "hz east",
            "abcdefghijklmnopq",
            "杭州",
        ] {
            assert_eq!(text.parse::<OfficeId>(), Err(OfficeIdError), "{text}");
        }
    }
}
