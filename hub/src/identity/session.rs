//! Sessions of people: a short-lived signed token (JWT, EdDSA) that says who somebody is and what they may be.
//! It cannot be taken back before it ends; that is why it is short.

use std::time::Duration;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use linkage::office::OfficeId;
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
}

/// The key that signs sessions. `Debug` shows its id alone.
pub struct SessionKeys {
    key_id: String,
    signing: EncodingKey,
    verifying: DecodingKey,
    validation: Validation,
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
    jti: Uuid,
}

impl SessionKeys {
    /// Reads an Ed25519 key in PKCS #8 PEM.
    pub fn from_pem(pem: &[u8]) -> Result<Self, String> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(|error| error.to_string())?;
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.secret_pkcs8_der())
            .map_err(|error| error.to_string())?;
        let public = pair.public_key().as_ref();
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.leeway = LEEWAY;
        validation.validate_nbf = true;
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        Ok(Self {
            key_id: HEXLOWER.encode(&Sha256::digest(public)[..8]),
            signing: EncodingKey::from_ed_der(der.secret_pkcs8_der()),
            verifying: DecodingKey::from_ed_der(public),
            validation,
        })
    }

    /// Signs a token for `person` that lives for `life` from `now`. Returns it with its end.
    pub fn issue(
        &self,
        person: &Person,
        now: OffsetDateTime,
        life: Duration,
    ) -> (String, OffsetDateTime) {
        let begin = now.unix_timestamp();
        let end = (now + life).unix_timestamp();
        let claims = Claims {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            sub: person.account_id,
            role: person.role.kind().code().into(),
            office_id: person.role.office_id(),
            iat: begin,
            nbf: begin,
            exp: end,
            jti: Uuid::now_v7(),
        };
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TYPE.into());
        header.kid = Some(self.key_id.clone());
        let token = jsonwebtoken::encode(&header, &claims, &self.signing)
            .expect("an Ed25519 key signs whatever has a JSON form");
        let end = OffsetDateTime::from_unix_timestamp(end).expect("a session ends within the era");
        (token, end)
    }

    /// Who a bearer token speaks for.
    pub fn verify(&self, token: &str) -> Result<Person, TokenError> {
        if token.len() > LONGEST {
            return Err(TokenError::TooLong);
        }
        self.check_header(token).ok_or(TokenError::ForeignHeader)?;
        let decoded = jsonwebtoken::decode::<Claims>(token, &self.verifying, &self.validation)
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
        Ok(Person {
            account_id: claims.sub,
            role,
        })
    }

    fn check_header(&self, token: &str) -> Option<()> {
        let (header, _) = token.split_once('.')?;
        let header = BASE64URL_NOPAD.decode(header.as_bytes()).ok()?;
        let header: StrictHeader = serde_json::from_slice(&header).ok()?;
        (header.alg == "EdDSA" && header.typ == TYPE && header.kid == self.key_id).then_some(())
    }
}

impl std::fmt::Debug for SessionKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SessionKeys({})", self.key_id)
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
