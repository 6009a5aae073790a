//! Sessions of people: a short-lived signed token (JWT, EdDSA) that says who somebody is and what they may be.
//! What is taken back before it ends stands in [`super::revocation`].

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use linkage::office::OfficeId;
use lru::LruCache;
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Person, Role};

const ISSUER: &str = "notary-hub";
const AUDIENCE: &str = "notary-hub";
/// RFC 9068: tells an access token from any other JWT.
const TYPE: &str = "at+jwt";
/// Difference allowed between the clocks of hubs that share a key, seconds.
const LEEWAY: u64 = 5;
/// Ours have about 500 bytes.
const LONGEST: usize = 2048;
/// Sessions of which is remembered that their tokens are good: more than a city has notaries at work.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(4096).expect("more than none");

/// What a person holds after signing in.
#[derive(Clone)]
pub struct Session {
    /// Bearer token.
    pub access_token: String,
    pub expires_at: OffsetDateTime,
    pub person: Person,
    pub display_name: String,
}

/// A token that proves nothing. Why is for the log; the caller learns only that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    #[error("the token is longer than {LONGEST} bytes")]
    TooLong,
    #[error("the token's header is not the hub's")]
    ForeignHeader,
    #[error("the token has ended or has not begun")]
    OutOfTime,
    #[error("the token's signature or claims are not the hub's")]
    NotOurs,
    #[error("the session was ended")]
    Ended,
}

/// A token whose signature, times and claims are good. Whether its session was ended is another question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    pub person: Person,
    pub session_id: Uuid,
    /// Generation of the account's sessions.
    pub generation: i32,
    pub expires_at: OffsetDateTime,
}

/// The keys of sessions: the first signs, all verify. `Debug` shows their ids alone.
pub struct SessionKeys {
    keys: Vec<Key>,
    /// Tokens that were verified, by their SHA-256: the same one comes with each call of a session, and its signature is
    /// as good as before. Only good ones are here, so that nobody pushes them out with others.
    good: Mutex<LruCache<[u8; 32], Good>>,
}

/// A token that was verified, and from when on it is good, seconds since 1970.
struct Good {
    verified: Verified,
    begin: i64,
}

/// One key with everything a token under it must have. The algorithm is the key's, never the token's choice.
struct Key {
    id: String,
    algorithm: &'static str,
    signing: EncodingKey,
    verifying: DecodingKey,
    validation: Validation,
}

/// Why a file holds no session keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionKeyError {
    #[error("not PEM: {0}")]
    NotPem(String),
    #[error("no Ed25519 key in PKCS #8: {0}")]
    NotEd25519(String),
    #[error("no key in it")]
    Empty,
}

/// Exactly the header the hub writes. Anything beside it (`jku`, `jwk`, `x5c`, `crit`, …) is refused before
/// the library sees the token.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StrictHeader {
    alg: String,
    kid: String,
    typ: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    iss: String,
    aud: String,
    /// Account id.
    sub: Uuid,
    role: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    office_id: Option<OfficeId>,
    /// Seconds since 1970.
    iat: i64,
    nbf: i64,
    exp: i64,
    /// Session id.
    jti: Uuid,
    /// Generation of the account's sessions.
    #[serde(rename = "gen")]
    generation: i32,
}

impl Key {
    fn read(der: &PrivatePkcs8KeyDer<'_>) -> Result<Self, SessionKeyError> {
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.secret_pkcs8_der())
            .map_err(|error| SessionKeyError::NotEd25519(error.to_string()))?;
        let public = pair.public_key().as_ref();
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.leeway = LEEWAY;
        validation.validate_nbf = true;
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        Ok(Self {
            id: HEXLOWER.encode(&Sha256::digest(public)[..8]),
            algorithm: "EdDSA",
            signing: EncodingKey::from_ed_der(der.secret_pkcs8_der()),
            verifying: DecodingKey::from_ed_der(public),
            validation,
        })
    }
}

impl SessionKeys {
    /// Reads Ed25519 keys in PKCS #8 PEM, the one that signs first.
    pub fn from_pem(pem: &[u8]) -> Result<Self, SessionKeyError> {
        let keys: Vec<Key> = PrivatePkcs8KeyDer::pem_slice_iter(pem)
            .map(|der| Key::read(&der.map_err(|error| SessionKeyError::NotPem(error.to_string()))?))
            .collect::<Result<_, _>>()?;
        match keys.is_empty() {
            true => Err(SessionKeyError::Empty),
            false => Ok(Self {
                keys,
                good: Mutex::new(LruCache::new(REMEMBERED)),
            }),
        }
    }

    /// Ids of the keys (`kid`), the one that signs first.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(|key| key.id.as_str())
    }

    /// Signs a token for a session of `person` from `now` to the second of `end`. Returns it with its end.
    pub fn issue(
        &self,
        session_id: Uuid,
        person: &Person,
        generation: i32,
        now: OffsetDateTime,
        end: OffsetDateTime,
    ) -> (String, OffsetDateTime) {
        let begin = now.unix_timestamp();
        let end = end.unix_timestamp();
        let claims = Claims {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            sub: person.account_id,
            role: person.role.kind().code().into(),
            office_id: person.role.office_id(),
            iat: begin,
            nbf: begin,
            exp: end,
            jti: session_id,
            generation,
        };
        let key = &self.keys[0];
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TYPE.into());
        header.kid = Some(key.id.clone());
        let token = jsonwebtoken::encode(&header, &claims, &key.signing)
            .expect("an Ed25519 key signs whatever has a JSON form");
        let end = OffsetDateTime::from_unix_timestamp(end).expect("a session ends within the era");
        (token, end)
    }

    /// Who a bearer token speaks for, if its session was not ended.
    pub fn verify(&self, token: &str) -> Result<Verified, TokenError> {
        if token.len() > LONGEST {
            return Err(TokenError::TooLong);
        }
        let digest = Sha256::digest(token).into();
        if let Some(verified) = self.remembered(&digest) {
            return Ok(verified);
        }
        let good = self.verify_anew(token)?;
        let verified = good.verified.clone();
        let mut remembered = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        remembered.put(digest, good);
        Ok(verified)
    }

    /// Whom a token speaks for that was verified before, while its time lasts.
    fn remembered(&self, digest: &[u8; 32]) -> Option<Verified> {
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let mut remembered = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        let Good { verified, begin } = remembered.get(digest)?;
        let in_time = (*begin..verified.expires_at.unix_timestamp()).contains(&now);
        in_time.then(|| verified.clone())
    }

    fn verify_anew(&self, token: &str) -> Result<Good, TokenError> {
        let key = self.key_of(token).ok_or(TokenError::ForeignHeader)?;
        let decoded = jsonwebtoken::decode::<Claims>(token, &key.verifying, &key.validation)
            .map_err(|error| match error.kind() {
                jsonwebtoken::errors::ErrorKind::ExpiredSignature
                | jsonwebtoken::errors::ErrorKind::ImmatureSignature => TokenError::OutOfTime,
                _ => TokenError::NotOurs,
            })?;
        let claims = decoded.claims;
        if claims.iat > claims.exp || claims.nbf > claims.exp {
            return Err(TokenError::NotOurs);
        }
        let role = claims
            .role
            .parse()
            .and_then(|kind| Role::new(kind, claims.office_id))
            .map_err(|_| TokenError::NotOurs)?;
        let verified = Verified {
            person: Person::new(claims.sub, role),
            session_id: claims.jti,
            generation: claims.generation,
            expires_at: OffsetDateTime::from_unix_timestamp(claims.exp)
                .map_err(|_| TokenError::NotOurs)?,
        };
        Ok(Good {
            verified,
            begin: claims.nbf,
        })
    }

    /// The key that a token names, when the rest of its header fits that key.
    fn key_of(&self, token: &str) -> Option<&Key> {
        let (header, _) = token.split_once('.')?;
        let header = BASE64URL_NOPAD.decode(header.as_bytes()).ok()?;
        let header: StrictHeader = serde_json::from_slice(&header).ok()?;
        let key = self.keys.iter().find(|key| key.id == header.kid)?;
        (header.alg == key.algorithm && header.typ == TYPE).then_some(key)
    }
}

impl std::fmt::Debug for SessionKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.ids()).finish()
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("account_id", &self.person.account_id)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
