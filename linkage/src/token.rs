//! Keyed tokens: what stands for a number outside the office that knows it.
//!
//! token = HMAC(city key, domain ‖ kind ‖ number), cut to its first 16 bytes, where ‖ joins length-prefixed parts,
//! so that no two different lists of parts give the same input. Equal numbers of one kind give equal tokens under
//! one key; without the key a token says nothing, and tokens of different kinds or domains never meet.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use sm3::Sm3;
use zeroize::Zeroizing;

use crate::{
    identifier::{Identifier, UnverifiedIdentifier},
    phone::PhoneNumber,
    subject::SubjectNumber,
    vocabulary::vocabulary,
};

vocabulary! {
    /// How a token is computed. The choice is the city's; both are cut to 16 bytes.
    TokenAlgorithm, "token_algorithm" {
        /// RFC 2104 over FIPS 180-4.
        HmacSha256 = "hmac_sha256" "HMAC-SHA-256",
        /// RFC 2104 over GB/T 32905.
        HmacSm3 = "hmac_sm3" "HMAC-SM3",
    }
}

/// Keyed token of one number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token([u8; 16]);

/// Bytes that are no token, because a token has 16.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a token has 16 bytes, not {len}")]
pub struct TokenLength {
    /// How many there were.
    pub len: usize,
}

impl Token {
    /// The 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl From<[u8; 16]> for Token {
    fn from(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl TryFrom<&[u8]> for Token {
    type Error = TokenLength;

    fn try_from(bytes: &[u8]) -> Result<Self, TokenLength> {
        bytes
            .try_into()
            .map(Self)
            .map_err(|_| TokenLength { len: bytes.len() })
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({:032x})", u128::from_be_bytes(self.0))
    }
}

/// The key that a city's tokens are made with, and the one that is to follow it once the city has begun to change it.
#[derive(Clone, Debug)]
pub struct TokenKeys {
    /// What tokens are made with.
    pub present: TokenKey,
    /// Nothing is made with it yet.
    pub next: Option<TokenKey>,
}

/// The city's secret with its id and algorithm. Wiped on drop; `Debug` shows no secret.
#[derive(Clone)]
pub struct TokenKey {
    id: u32,
    algorithm: TokenAlgorithm,
    secret: Zeroizing<[u8; 32]>,
}

impl TokenKey {
    /// A key of 32 random bytes under the id that is stored beside its tokens.
    #[must_use]
    pub fn new(id: u32, algorithm: TokenAlgorithm, secret: [u8; 32]) -> Self {
        Self {
            id,
            algorithm,
            secret: Zeroizing::new(secret),
        }
    }

    /// Key id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Algorithm the key is for.
    #[must_use]
    pub fn algorithm(&self) -> TokenAlgorithm {
        self.algorithm
    }

    /// The secret, for storing it or handing it to an enrolled office.
    #[must_use]
    pub fn secret(&self) -> &[u8; 32] {
        &self.secret
    }

    /// Token of a verified number.
    #[must_use]
    pub fn identifier(&self, identifier: &Identifier) -> Token {
        self.token(&[
            "identifier",
            identifier.kind().code(),
            identifier.normalised(),
        ])
    }

    /// Token of a number that is not verified; never equal to one that is.
    #[must_use]
    pub fn unverified(&self, identifier: &UnverifiedIdentifier) -> Token {
        self.token(&[
            "unverified_identifier",
            identifier.kind().code(),
            identifier.normalised(),
        ])
    }

    /// Tokens of the segments of a number that is not verified, in the order of
    /// [`UnverifiedIdentifier::segments`]; empty when it has none.
    #[must_use]
    pub fn segments(&self, identifier: &UnverifiedIdentifier) -> Vec<Token> {
        const NAMES: [&str; 3] = ["area_birth", "birth_order", "order_check"];
        let kind = identifier.kind().code();
        identifier.segments().map_or_else(Vec::new, |segments| {
            NAMES
                .iter()
                .zip(segments)
                .map(|(name, segment)| self.token(&["identifier_segment", kind, name, segment]))
                .collect()
        })
    }

    /// Token of what a matter is about.
    #[must_use]
    pub fn subject(&self, subject: &SubjectNumber) -> Token {
        self.token(&["subject", subject.kind().code(), subject.normalised()])
    }

    /// Token of a phone number.
    #[must_use]
    pub fn phone(&self, phone: &PhoneNumber) -> Token {
        self.token(&["phone", phone.normalised()])
    }

    fn token(&self, parts: &[&str]) -> Token {
        match self.algorithm {
            TokenAlgorithm::HmacSha256 => self.first_16_of::<Hmac<Sha256>>(parts),
            TokenAlgorithm::HmacSm3 => self.first_16_of::<Hmac<Sm3>>(parts),
        }
    }

    fn first_16_of<M: Mac + KeyInit>(&self, parts: &[&str]) -> Token {
        let mut mac =
            <M as KeyInit>::new_from_slice(&*self.secret).expect("HMAC takes a key of any length");
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        let tag = mac.finalize().into_bytes();
        Token(std::array::from_fn(|i| tag[i]))
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenKey")
            .field("id", &self.id)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        identifier::{
            IdentifierKind,
            samples::{canonical, resident_id, unverified, verified},
        },
        subject::SubjectKind,
    };

    fn key(algorithm: TokenAlgorithm) -> TokenKey {
        TokenKey::new(
            1,
            algorithm,
            std::array::from_fn(|i| u8::try_from(i).expect("32 bytes")),
        )
    }

    fn hex(token: Token) -> String {
        format!("{:032x}", u128::from_be_bytes(*token.as_bytes()))
    }

    #[test]
    fn sm3_gives_the_digest_of_gbt_32905_annex_a() {
        let digest = <Sm3 as sm3::Digest>::digest(b"abc");
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            hex,
            "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
        );
    }

    /// Tokens must never change: they are stored. Expected values by OpenSSL 3, `dgst -mac HMAC -macopt hexkey:`.
    #[test]
    fn tokens_are_the_same_as_openssl_computes_them() {
        let identifier = verified(IdentifierKind::ResidentId, "11010519491231002X");
        let mistyped = unverified(IdentifierKind::ResidentId, "110105194912310021");
        let unit =
            SubjectNumber::parse(SubjectKind::RealEstateUnit, "330106001001GB00012F00010001");
        let unit = unit.expect("a unit number");
        let phone = PhoneNumber::parse("13800138000").expect("a mobile");
        let tokens = |algorithm| {
            let key = key(algorithm);
            [
                hex(key.identifier(&identifier)),
                hex(key.unverified(&mistyped)),
                hex(key.segments(&mistyped)[2]),
                hex(key.subject(&unit)),
                hex(key.phone(&phone)),
            ]
        };
        assert_eq!(
            tokens(TokenAlgorithm::HmacSha256),
            [
                "5f85eecb5647d6073903c982b4e43304",
                "9834aa214964b5af6065f53dd0561873",
                "0aafff0f2e426a0bdaad5af38ff275aa",
                "4dfa25a4bcb5c39b27e4bcf4f0bafd64",
                "43a0c0cf34acef25691c12c29424fee7",
            ]
        );
        assert_eq!(
            tokens(TokenAlgorithm::HmacSm3),
            [
                "3e8864750f953670a2b29cc970ba5143",
                "90265ee59ac7a73fea8081652575c32b",
                "7bb65aa291bffeee73796cf93cfb6262",
                "816243e453d8431e1eb3ded46c8c53bc",
                "137dcf5bb3682ea779aa997324942885",
            ]
        );
    }

    #[test]
    fn debug_shows_the_key_id_and_no_secret() {
        let key = TokenKey::new(7, TokenAlgorithm::HmacSm3, [0xAB; 32]);
        assert_eq!(
            format!("{key:?}"),
            "TokenKey { id: 7, algorithm: HmacSm3, .. }"
        );
    }

    #[test]
    fn a_token_has_16_bytes() {
        assert_eq!(
            Token::try_from([1; 16].as_slice()),
            Ok(Token::from([1; 16]))
        );
        assert_eq!(
            Token::try_from([1; 15].as_slice()),
            Err(TokenLength { len: 15 })
        );
    }

    #[test]
    fn parts_of_other_lengths_are_other_inputs() {
        let key = key(TokenAlgorithm::HmacSha256);
        assert_ne!(key.token(&["ab", "c"]), key.token(&["a", "bc"]));
        assert_ne!(key.token(&["ab"]), key.token(&["ab", ""]));
    }

    proptest! {
        #[test]
        fn equal_numbers_have_equal_tokens_however_written((kind, number) in canonical()) {
            let key = key(TokenAlgorithm::HmacSha256);
            let written = format!(" {} ", number.to_lowercase());
            prop_assert_eq!(key.identifier(&verified(kind, &number)), key.identifier(&verified(kind, &written)));
        }

        #[test]
        fn other_numbers_keys_and_algorithms_have_other_tokens(a in resident_id(), b in resident_id()) {
            prop_assume!(a != b);
            let sha = key(TokenAlgorithm::HmacSha256);
            let other_secret = TokenKey::new(1, TokenAlgorithm::HmacSha256, [9; 32]);
            let sm3 = key(TokenAlgorithm::HmacSm3);
            let (a, b) = (verified(IdentifierKind::ResidentId, &a), verified(IdentifierKind::ResidentId, &b));
            prop_assert_ne!(sha.identifier(&a), sha.identifier(&b));
            prop_assert_ne!(sha.identifier(&a), other_secret.identifier(&a));
            prop_assert_ne!(sha.identifier(&a), sm3.identifier(&a));
        }

        #[test]
        fn one_number_has_another_token_in_each_kind_and_domain(number in "[A-Z][0-9]{8}") {
            let key = key(TokenAlgorithm::HmacSha256);
            let mut tokens = vec![
                key.identifier(&verified(IdentifierKind::Passport, &number)),
                key.unverified(&unverified(IdentifierKind::ResidentId, &number)),
                key.unverified(&unverified(IdentifierKind::CreditCode, &number)),
            ];
            for kind in [SubjectKind::Contract, SubjectKind::Vehicle, SubjectKind::Certificate] {
                tokens.push(key.subject(&SubjectNumber::parse(kind, &number).expect("usable")));
            }
            let count = tokens.len();
            tokens.sort_unstable();
            tokens.dedup();
            prop_assert_eq!(tokens.len(), count);
        }

        #[test]
        fn segments_of_nearly_equal_numbers_share_a_token(number in resident_id(), to in 0u8..10) {
            let to = char::from(b'0' + to);
            prop_assume!(!number.ends_with(to) && !number[16..].starts_with(to));
            let key = key(TokenAlgorithm::HmacSha256);
            let one = unverified(IdentifierKind::ResidentId, &format!("{}{to}", &number[..17]));
            let other = unverified(IdentifierKind::ResidentId, &format!("{}{to}{}", &number[..16], &number[17..]));
            let (one, other) = (key.segments(&one), key.segments(&other));
            prop_assert_eq!(one.len(), 3);
            prop_assert_eq!(one[0], other[0], "area and birth are the same");
            prop_assert_ne!(one[1], other[1]);
        }
    }
}
