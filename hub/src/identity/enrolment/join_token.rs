//! One-time tokens with which an office asks for its first certificate.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE32_NOPAD;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// 32 random bytes, written in Base32 so that a person can read them to another. The hub stores the hash
/// alone and looks it up by equality: how long that takes says nothing about a token nobody has seen.
pub struct JoinToken(Zeroizing<[u8; 32]>);

/// A text that is no join token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a join token has 52 letters and digits, as printed by `notary-hub enroll-token`")]
pub struct JoinTokenError;

impl JoinToken {
    pub fn random() -> Self {
        Self(Zeroizing::new(rand::random()))
    }

    /// SHA-256, the form in which it is stored.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_slice()).into()
    }

    /// The text to hand to the office, once.
    pub fn reveal(&self) -> String {
        BASE32_NOPAD.encode(self.0.as_slice())
    }
}

impl FromStr for JoinToken {
    type Err = JoinTokenError;

    /// Spaces around it and lower case are forgiven.
    fn from_str(text: &str) -> Result<Self, JoinTokenError> {
        let text = text.trim();
        if text.len() != 52 {
            return Err(JoinTokenError);
        }
        let text = Zeroizing::new(text.to_ascii_uppercase());
        let bytes = BASE32_NOPAD
            .decode(text.as_bytes())
            .map(Zeroizing::new)
            .map_err(|_| JoinTokenError)?;
        let bytes = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| JoinTokenError)?;
        Ok(Self(Zeroizing::new(bytes)))
    }
}

impl fmt::Debug for JoinToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JoinToken")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_however_it_was_typed() {
        let token = JoinToken::random();
        let text = token.reveal();
        for typed in [text.clone(), text.to_lowercase(), format!(" {text}\n")] {
            let read: JoinToken = typed.parse().expect("the same token");
            assert_eq!(read.hash(), token.hash());
        }
        assert!(!format!("{token:?}").contains(&text));
    }

    #[test]
    fn other_texts_are_no_tokens() {
        for text in [
            "",
            "A",
            &"A".repeat(51),
            &"1".repeat(52),
            &"A".repeat(53),
            &"令".repeat(52),
        ] {
            assert!(text.parse::<JoinToken>().is_err(), "{text}");
        }
    }
}
