//! Who this agent is: the office's key and certificate, whom to trust for the hub, and the city's token keys.
//!
//! All of it is one file, replaced in one step, so that key and certificate always belong together.

mod enrol;
mod file;
mod renew;
mod secret_file;

use std::fmt;

use linkage::office::OfficeId;
use linkage::token::{TokenKey, TokenKeys};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use time::{Duration, OffsetDateTime};
use x509_parser::parse_x509_certificate;
use zeroize::Zeroizing;

pub(crate) use enrol::algorithm;
pub use enrol::{EnrolError, enrol};
pub use file::{IdentityError, load, store};
pub use renew::{Identities, RenewError, Renewal, keep_renewed};
pub use secret_file::make_dir;

/// Metadata that names the token key which a call's tokens are made with.
const TOKEN_KEY_ID: &str = "token-key-id";

/// An office's identity. `Debug` shows no secret.
#[derive(Clone)]
pub struct Identity {
    office_id: OfficeId,
    office_name: String,
    /// PKCS #8 DER.
    key: Zeroizing<Vec<u8>>,
    key_sha256: String,
    chain: Vec<CertificateDer<'static>>,
    anchors: Vec<CertificateDer<'static>>,
    token_keys: TokenKeys,
    /// When it was received, by this machine's clock.
    received_at: OffsetDateTime,
    /// From its beginning to its end, by the hub's clock alone. It begins earlier than it was made.
    life: Duration,
    not_after: OffsetDateTime,
}

impl Identity {
    /// Puts an identity together.
    ///
    /// # Errors
    /// When the certificate is none, or is not one for the key.
    fn new(
        office: (OfficeId, String),
        key: Zeroizing<Vec<u8>>,
        chain: Vec<CertificateDer<'static>>,
        anchors: Vec<CertificateDer<'static>>,
        token_keys: TokenKeys,
        received_at: OffsetDateTime,
    ) -> Result<Self, IdentityError> {
        let leaf = chain
            .first()
            .ok_or(IdentityError::Damaged("there is no certificate"))?;
        let (_, certificate) = parse_x509_certificate(leaf)
            .map_err(|_| IdentityError::Damaged("the certificate cannot be read"))?;
        let not_after = certificate.validity().not_after.to_datetime();
        let key_sha256 = enrol::key_sha256(certificate.public_key().raw);
        let life = not_after - certificate.validity().not_before.to_datetime();
        let pair = enrol::key_pair(&key)?;
        if rcgen::PublicKeyData::der_bytes(&pair)
            != certificate.public_key().subject_public_key.data.as_ref()
        {
            return Err(IdentityError::Damaged("the certificate is of another key"));
        }
        if anchors.is_empty() {
            return Err(IdentityError::Damaged("there is no CA certificate"));
        }
        let (office_id, office_name) = office;
        Ok(Self {
            office_id,
            office_name,
            key,
            key_sha256,
            chain,
            anchors,
            token_keys,
            received_at,
            life,
            not_after,
        })
    }

    /// The office.
    #[must_use]
    pub fn office_id(&self) -> OfficeId {
        self.office_id
    }

    /// The office's Chinese name.
    #[must_use]
    pub fn office_name(&self) -> &str {
        &self.office_name
    }

    /// By which the bureau knows this agent's key, hexadecimal.
    #[must_use]
    pub fn key_sha256(&self) -> &str {
        &self.key_sha256
    }

    /// The city's token key.
    #[must_use]
    pub fn token_key(&self) -> &TokenKey {
        &self.token_keys.present
    }

    /// The key that is to follow it, once the hub has handed one out.
    #[must_use]
    pub fn next_token_key(&self) -> Option<&TokenKey> {
        self.token_keys.next.as_ref()
    }

    /// The same, when it is the one that is `asked` for.
    #[must_use]
    pub fn next_token_key_if(&self, asked: Option<u32>) -> Option<TokenKey> {
        let next = self.next_token_key();
        next.filter(|key| Some(key.id()) == asked).cloned()
    }

    /// The same office with the next key as the city's, when it is the one with this id.
    #[must_use]
    pub fn under_next_key(&self, key_id: u32) -> Option<Self> {
        let present = self.next_token_key_if(Some(key_id))?;
        Some(Self {
            token_keys: TokenKeys {
                present,
                next: None,
            },
            ..self.clone()
        })
    }

    /// The same office under another key than this one: its present key, or else the next.
    #[must_use]
    pub(crate) fn under_other_key(self, refused: u32) -> Option<Self> {
        match self.token_key().id() == refused {
            false => Some(self),
            true => self.under_next_key(self.next_token_key()?.id()),
        }
    }

    /// Names the key that a call's tokens are made with.
    pub fn name_key<T>(&self, call: &mut tonic::Request<T>) {
        let id = self.token_key().id();
        call.metadata_mut().insert(TOKEN_KEY_ID, id.into());
    }

    /// When the certificate ends.
    #[must_use]
    pub fn not_after(&self) -> OffsetDateTime {
        self.not_after
    }

    /// Half of the certificate's life: when to get the next. A clock that is slow sees the end later than it comes, so
    /// that no more than half of the whole life is waited for.
    #[must_use]
    pub fn renew_at(&self) -> OffsetDateTime {
        self.received_at + (self.not_after - self.received_at).min(self.life) / 2
    }

    pub(crate) fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    pub(crate) fn anchors(&self) -> &[CertificateDer<'static>] {
        &self.anchors
    }

    pub(crate) fn private_key(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.to_vec()).into()
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("office_id", &self.office_id)
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use linkage::token::TokenAlgorithm;

    const HOUR: Duration = Duration::HOUR;

    /// As it is kept of a certificate for a day that the hub made at `made`, on a machine whose clock is `off`.
    fn received(made: OffsetDateTime, off: Duration) -> Identity {
        let key = rcgen::KeyPair::generate().expect("a key");
        let mut params = rcgen::CertificateParams::default();
        params.not_before = made - Duration::minutes(5);
        params.not_after = made + 24 * HOUR;
        let leaf = params.self_signed(&key).expect("a certificate");
        Identity::new(
            ("hzgl".parse().expect("an office id"), String::new()),
            key.serialize_der().into(),
            vec![leaf.der().clone()],
            vec![leaf.der().clone()],
            TokenKeys {
                present: TokenKey::new(1, TokenAlgorithm::HmacSha256, [7; 32]),
                next: None,
            },
            made + off,
        )
        .expect("they belong together")
    }

    #[test]
    fn a_certificate_is_renewed_at_half_of_its_life_however_slow_the_clock_is() {
        let made = OffsetDateTime::from_unix_timestamp(1_800_000_000).expect("a time");
        for (off, hours) in [(0, 12), (-1, 12), (-24, 12), (-72, 12), (12, 6)] {
            let identity = received(made, off * HOUR);
            let due: Duration = identity.renew_at() - off * HOUR - made;
            let beside: Duration = due - hours * HOUR;
            assert!(
                beside.abs() < HOUR,
                "a clock {off} h off renews after {due}"
            );
        }
    }
}
