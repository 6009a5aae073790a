//! The provider's keys, each pinned to one algorithm, and what an ID token must say (OpenID Connect Core 1.0,
//! section 3.1.3.7).

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::jwk::{
    AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm, PublicKeyUse,
};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use time::OffsetDateTime;

/// Longest ID token that is read, bytes.
const LONGEST: usize = 16 << 10;
/// Difference of the provider's clock and the hub's, seconds.
const LEEWAY: u64 = 60;
/// An ID token is exchanged soon after it was made.
const FRESH: Duration = Duration::from_secs(10 * 60);
/// Keys that are kept of one provider.
const MOST_KEYS: usize = 64;

/// Why an ID token is not accepted. Nothing of it is said here: it names a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdTokenError {
    #[error("it is longer than 16 KiB")]
    TooLong,
    #[error("its header is not that of a signed ID token")]
    Header,
    #[error("the provider has no key of this id")]
    UnknownKey,
    #[error("its algorithm is not its key's")]
    Algorithm,
    #[error("its signature or a claim is wrong")]
    Wrong,
    #[error("it has ended, is not valid yet, or is older than ten minutes")]
    OutOfTime,
    #[error("its nonce is another")]
    Nonce,
    #[error("it was made for another party")]
    AuthorisedParty,
}

/// What every ID token must be of and for.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub issuer: String,
    pub client_id: String,
}

/// What is taken from an ID token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct IdToken {
    pub subject: String,
    /// How the provider made sure of the person (RFC 8176).
    pub methods: Vec<String>,
    pub ends_at: OffsetDateTime,
}

/// The keys that a provider signs with.
pub struct ProviderKeys(Vec<Key>);

struct Key {
    id: String,
    algorithm: Algorithm,
    verifying: DecodingKey,
}

/// The header's fields that are looked at. Keys that a token brings along (`jwk`, `jku`, `x5u`, `x5c`) are not; what
/// `crit` asks for is not understood.
#[derive(Deserialize)]
struct Header {
    alg: Algorithm,
    kid: String,
    typ: Option<String>,
    crit: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    aud: Audience,
    azp: Option<String>,
    exp: i64,
    iat: i64,
    nonce: Option<String>,
    #[serde(default)]
    amr: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    #[expect(dead_code, reason = "the library has compared it")]
    One(String),
    Several(Vec<String>),
}

impl ProviderKeys {
    /// Takes the public signing keys of a JWK set; others (encryption, symmetric, unknown curves) are left out.
    pub(super) fn of(set: &JwkSet) -> Self {
        Self(
            set.keys
                .iter()
                .filter_map(Key::of)
                .take(MOST_KEYS)
                .collect(),
        )
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads an ID token that the provider signed for this hub.
    pub(super) fn read(
        &self,
        token: &str,
        wanted: &Wanted,
        nonce: &str,
        now: OffsetDateTime,
    ) -> Result<IdToken, IdTokenError> {
        if token.len() > LONGEST {
            return Err(IdTokenError::TooLong);
        }
        let header = Header::of(token).ok_or(IdTokenError::Header)?;
        let key = self.0.iter().find(|key| key.id == header.kid);
        let key = key.ok_or(IdTokenError::UnknownKey)?;
        if header.alg != key.algorithm {
            return Err(IdTokenError::Algorithm);
        }
        let decoded =
            jsonwebtoken::decode::<Claims>(token, &key.verifying, &validation(key, wanted));
        let claims = decoded.map_err(|error| match error.kind() {
            jsonwebtoken::errors::ErrorKind::ExpiredSignature
            | jsonwebtoken::errors::ErrorKind::ImmatureSignature => IdTokenError::OutOfTime,
            _ => IdTokenError::Wrong,
        })?;
        claims.claims.check(wanted, nonce, now)
    }
}

impl Claims {
    fn check(
        self,
        wanted: &Wanted,
        nonce: &str,
        now: OffsetDateTime,
    ) -> Result<IdToken, IdTokenError> {
        // That the hub is among the audience has been checked; among several, one has asked for the token.
        let for_several = matches!(&self.aud, Audience::Several(all) if all.len() > 1);
        let for_us = match &self.azp {
            Some(party) => *party == wanted.client_id,
            None => !for_several,
        };
        if !for_us {
            return Err(IdTokenError::AuthorisedParty);
        }
        let age = now.unix_timestamp() - self.iat;
        if !(-(LEEWAY as i64)..=FRESH.as_secs() as i64).contains(&age) || self.iat > self.exp {
            return Err(IdTokenError::OutOfTime);
        }
        if nonce.is_empty() || self.nonce.as_deref() != Some(nonce) {
            return Err(IdTokenError::Nonce);
        }
        if self.sub.is_empty() || self.sub.len() > 255 || self.sub.contains('\0') {
            return Err(IdTokenError::Wrong);
        }
        let ends_at = OffsetDateTime::from_unix_timestamp(self.exp);
        Ok(IdToken {
            subject: self.sub,
            methods: self.amr,
            ends_at: ends_at.map_err(|_| IdTokenError::Wrong)?,
        })
    }
}

fn validation(key: &Key, wanted: &Wanted) -> Validation {
    let mut validation = Validation::new(key.algorithm);
    validation.leeway = LEEWAY;
    validation.validate_nbf = true;
    validation.set_issuer(&[&wanted.issuer]);
    validation.set_audience(&[&wanted.client_id]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation
}

impl Header {
    fn of(token: &str) -> Option<Self> {
        let (header, _) = token.split_once('.')?;
        let header = BASE64URL_NOPAD.decode(header.as_bytes()).ok()?;
        let header: Self = serde_json::from_slice(&header).ok()?;
        // An access token (`at+jwt`) or a logout token is no ID token.
        let typ_fits = header
            .typ
            .as_deref()
            .is_none_or(|typ| typ.eq_ignore_ascii_case("JWT"));
        (typ_fits && header.crit.is_none()).then_some(header)
    }
}

impl Key {
    fn of(jwk: &Jwk) -> Option<Self> {
        let common = &jwk.common;
        if !matches!(common.public_key_use, None | Some(PublicKeyUse::Signature)) {
            return None;
        }
        let by_kind = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => Algorithm::RS256,
            AlgorithmParameters::EllipticCurve(curve) => match curve.curve {
                EllipticCurve::P256 => Algorithm::ES256,
                EllipticCurve::P384 => Algorithm::ES384,
                _ => return None,
            },
            AlgorithmParameters::OctetKeyPair(_) => Algorithm::EdDSA,
            // Among them symmetric keys: a secret that both sides know proves nothing about who signed.
            _ => return None,
        };
        let algorithm = match common.key_algorithm {
            None => by_kind,
            Some(named) => {
                let named = named_algorithm(named)?;
                let fits = named == by_kind || by_kind == Algorithm::RS256 && is_rsa(named);
                fits.then_some(named)?
            }
        };
        Some(Self {
            id: common.key_id.clone()?,
            algorithm,
            verifying: DecodingKey::from_jwk(jwk).ok()?,
        })
    }
}

fn named_algorithm(named: KeyAlgorithm) -> Option<Algorithm> {
    named.to_string().parse().ok()
}

fn is_rsa(algorithm: Algorithm) -> bool {
    matches!(
        algorithm,
        Algorithm::RS256
            | Algorithm::RS384
            | Algorithm::RS512
            | Algorithm::PS256
            | Algorithm::PS384
            | Algorithm::PS512
    )
}

impl std::fmt::Debug for ProviderKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|key| &key.id))
            .finish()
    }
}
