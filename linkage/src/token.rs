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
