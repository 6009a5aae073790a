//! How an office gets its certificate, the first time and again.

pub mod join_token;
mod limits;
pub mod peer;

use std::net::IpAddr;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use data_encoding::HEXLOWER;
use linkage::office::OfficeId;
use linkage::token::TokenKeys;
use metrics::counter;
use rustls_pki_types::CertificateDer;
use serde_json::json;
use sqlx::PgPool;
use sqlx::postgres::types::PgInterval;
use time::OffsetDateTime;

use crate::audit::{Action, Actor, Audit, AuditError, Entry, Outcome};
use crate::config;
use crate::identity::OfficeIdentity;
use crate::identity::pki::authority::{
    Authority, AuthorityError, CsrError, OfficeCertificate, ProvenKey,
};
use crate::identity::pki::ca;
use crate::store::office::certificate::{self, Decision, StillChained};
use crate::store::office::revocation;
use crate::store::tx::{Retryable, tx};
use crate::telemetry::metrics::{CERTIFICATES_ISSUED, ENROLMENTS_REFUSED};
use join_token::JoinToken;
use limits::Limits;

/// Why no certificate was given.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    #[error("the join token is unknown, has ended, or was used by another key")]
    TokenInvalid,
    #[error("the bureau has not approved this key yet; come again with the same one")]
    AwaitingApproval,
    #[error("the bureau does not let this office renew a certificate that has ended")]
    LateRenewalRefused,
    #[error("the certificate is revoked")]
    CertificateRevoked,
    #[error(transparent)]
    Csr(#[from] CsrError),
    #[error("the key is another office's; ask with a key made for this office")]
    KeyOfAnother,
    #[error("too many attempts from this address")]
    TooOften { retry_after: Duration },
    #[error("the office has renewed its certificate too often")]
    RenewedTooOften { retry_after: Duration },
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    #[error(transparent)]
    Audit(#[from] AuditError),
    #[error("record the certificate: {0}")]
    Database(#[from] sqlx::Error),
}

impl Retryable for EnrolError {
    fn is_retryable(&self) -> bool {
        matches!(self, Self::Database(error) if error.is_retryable())
    }
}

/// An office's new identity.
#[derive(Debug)]
pub struct Enrolled {
    pub office_id: OfficeId,
    /// Chinese name.
    pub office_name: String,
    /// Leaf first, then the CA.
    pub chain: Vec<CertificateDer<'static>>,
    pub token_keys: TokenKeys,
}

/// Gives certificates to offices.
#[derive(Debug)]
pub struct Enrolment {
    pool: PgPool,
    audit: Audit,
    authority: Arc<Authority>,
    /// Change while the hub runs.
    token_keys: RwLock<TokenKeys>,
    /// Whether somebody at the bureau has to approve each key.
    by_hand: bool,
    limits: Limits,
}

/// Makes a join token for an office. `None` when there is no such office or it is revoked.
pub async fn make_join_token(
    pool: &PgPool,
    office_id: OfficeId,
    life: Duration,
) -> Result<Option<JoinToken>, sqlx::Error> {
    let token = JoinToken::random();
    let expires_at = OffsetDateTime::now_utc() + life;
    let stored = certificate::insert_join_token(pool, &token.hash(), office_id, expires_at).await?;
    Ok(stored.then_some(token))
}

/// Offices that would be left outside if only the CA that signs offices now were trusted.
pub async fn still_chained_elsewhere(
    pool: &PgPool,
    authority: &Authority,
    grace: Duration,
) -> Result<Vec<StillChained>, sqlx::Error> {
    let issuer = ca::fingerprint(&authority.certificate());
    // Whole seconds: an interval of the database has no nanoseconds.
    let grace =
        PgInterval::try_from(Duration::from_secs(grace.as_secs())).map_err(sqlx::Error::Encode)?;
    certificate::still_chained_elsewhere(pool, &issuer, grace).await
}

impl Enrolment {
    pub fn new(
        pool: PgPool,
        audit: Audit,
        authority: Arc<Authority>,
        token_keys: TokenKeys,
        config: &config::Identity,
    ) -> Self {
        Self {
            pool,
            audit,
            authority,
            token_keys: RwLock::new(token_keys),
            by_hand: config.approve_enrolment,
            limits: Limits::new(config),
        }
    }

    /// CA certificates by which the hub's own certificates are known.
    pub fn trust_anchors(&self) -> Vec<CertificateDer<'static>> {
        self.authority.trust_anchors()
    }

    /// The keys that are handed out.
    pub fn token_keys(&self) -> TokenKeys {
        let keys = self.token_keys.read();
        keys.expect("no holder of the lock panics").clone()
    }

    /// Hands these keys out from now on.
    pub fn replace_token_keys(&self, newer: TokenKeys) {
        *self
            .token_keys
            .write()
            .expect("no holder of the lock panics") = newer;
    }

    /// Join token and CSR in, certificate and token keys out.
    ///
    /// The first key that uses a token owns it: until the token ends, the same key may come again, because
    /// the answer may have been lost on its way; any other key is refused.
    pub async fn enrol(
        &self,
        token: &str,
        csr: &[u8],
        address: IpAddr,
    ) -> Result<Enrolled, EnrolError> {
        let result = self.try_enrol(token, csr, address).await;
        match &result {
            Ok(_) => counter!(CERTIFICATES_ISSUED, "occasion" => "enrol").increment(1),
            Err(error) => {
                counter!(ENROLMENTS_REFUSED, "reason" => refusal(error)).increment(1);
            }
        }
        result
    }

    async fn try_enrol(
        &self,
        token: &str,
        csr: &[u8],
        address: IpAddr,
    ) -> Result<Enrolled, EnrolError> {
        let counted = self.limits.attempt(address);
        counted.map_err(|retry_after| EnrolError::TooOften { retry_after })?;
        let token: JoinToken = token.parse().map_err(|_| EnrolError::TokenInvalid)?;
        let token_hash = token.hash();
        let key = ProvenKey::from_csr(csr)?;
        let authority = Arc::clone(&self.authority);
        let by_hand = self.by_hand;
        let given = tx(&self.pool, "identity.enrol", async move |tx| {
            let join = certificate::lock_join_token(tx, &token_hash)
                .await?
                .filter(|join| match &join.used_by_key {
                    None => true,
                    Some(owner) => owner.as_slice() == key.hash(),
                })
                .ok_or(EnrolError::TokenInvalid)?;
            // Else one key could pass for another's while the bureau looks at it.
            if certificate::is_key_of_another(tx, join.office_id, &key.hash()).await? {
                return Err(EnrolError::KeyOfAnother);
            }
            certificate::mark_join_token_used(tx, &token_hash, &key.hash()).await?;
            match join.decision {
                Some(Decision::Refused) => return Err(EnrolError::TokenInvalid),
                // Committed: the key has to be known to be approved.
                None if by_hand => return Ok(None),
                None | Some(Decision::Approved) => {}
            }
            let now = OffsetDateTime::now_utc();
            let certificate = authority.certify_office(join.office_id, &key, now)?;
            certificate::insert(&mut **tx, join.office_id, &certificate, false).await?;
            Ok::<_, EnrolError>(Some((join, certificate)))
        })
        .await?;
        let (join, certificate) = given.ok_or(EnrolError::AwaitingApproval)?;
        let mut entry = entry(join.office_id, Action::Enrol, &certificate);
        entry.detail["address"] = address.to_string().into();
        self.audit.append(entry).await?;
        Ok(Enrolled {
            office_id: join.office_id,
            office_name: join.office_name,
            chain: self.chain(certificate.der),
            token_keys: self.token_keys(),
        })
    }

    /// A new certificate for an office that has one. Returns the chain, leaf first. `late`: the one it has has
    /// ended, though not long ago; the bureau can refuse that.
    pub async fn renew(
        &self,
        office: OfficeIdentity,
        csr: &[u8],
        late: bool,
    ) -> Result<Vec<CertificateDer<'static>>, EnrolError> {
        let counted = self.limits.renewal(office.office_id);
        counted.map_err(|retry_after| EnrolError::RenewedTooOften { retry_after })?;
        let key = ProvenKey::from_csr(csr)?;
        let mut writing = office.scope().write(&self.pool).await?;
        let refused =
            late && certificate::late_renewal_refused(&mut writing, office.office_id).await?;
        if refused {
            return Err(EnrolError::LateRenewalRefused);
        }
        let now = OffsetDateTime::now_utc();
        let certificate = self.authority.certify_office(office.office_id, &key, now)?;
        certificate::insert(&mut *writing, office.office_id, &certificate, late).await?;
        // Looked at behind the insert, which waits for a revocation that is under way: what the hub last read of
        // revocations may be older.
        if revocation::is_taken_back(&mut writing, office.serial).await? {
            return Err(EnrolError::CertificateRevoked);
        }
        writing.commit().await?;
        if late {
            let entry = entry(office.office_id, Action::RenewLate, &certificate);
            self.audit.append(entry).await?;
        }
        let occasion = if late { "renew_late" } else { "renew" };
        counter!(CERTIFICATES_ISSUED, "occasion" => occasion).increment(1);
        Ok(self.chain(certificate.der))
    }

    fn chain(&self, leaf: CertificateDer<'static>) -> Vec<CertificateDer<'static>> {
        vec![leaf, self.authority.certificate()]
    }
}

/// What is recorded before the certificate is handed out.
fn entry(office_id: OfficeId, action: Action, certificate: &OfficeCertificate) -> Entry {
    let detail = json!({
        "office": office_id,
        "serial": certificate.serial.to_string(),
        "key": HEXLOWER.encode(&certificate.key_hash),
    });
    Entry {
        office_id: Some(office_id),
        ..Entry::of(Actor::Office(office_id), action, Outcome::Done, detail)
    }
}

fn refusal(error: &EnrolError) -> &'static str {
    match error {
        EnrolError::TokenInvalid => "token",
        EnrolError::AwaitingApproval => "approval",
        EnrolError::LateRenewalRefused => "late",
        EnrolError::CertificateRevoked => "revoked",
        EnrolError::Csr(_) | EnrolError::KeyOfAnother => "csr",
        EnrolError::TooOften { .. } | EnrolError::RenewedTooOften { .. } => "rate",
        EnrolError::Authority(_) | EnrolError::Audit(_) | EnrolError::Database(_) => "failed",
    }
}
