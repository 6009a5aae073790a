//! The next certificate, at half of the life of the one before, or when the hub says that it has ended: over the old one,
//! even shortly after its end.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use linkage::token::TokenKeys;
use notary_proto::hub::v1::certificate_service_client::CertificateServiceClient;
use notary_proto::hub::v1::{self as wire, RenewRequest};
use rand::RngExt;
use time::OffsetDateTime;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::enrol::{ders, new_key, request, token_key};
use super::{EnrolError, Identity, IdentityError, file};
use crate::config::HubUrl;
use crate::dial::{self, DialError, Refusal};

/// The current identity. Whoever dials takes the newest; who holds a connection hears of a new one.
pub type Identities = watch::Receiver<Arc<Identity>>;

/// The wall clock may jump (sleep, a corrected clock): never trust a longer wait.
const LOOK_AGAIN: Duration = Duration::from_secs(600);
/// A hub that takes the call and never answers must not end all renewing.
const ANSWER: Duration = Duration::from_secs(60);
const RETRY_FROM: Duration = Duration::from_secs(5);
const RETRY_TO: Duration = Duration::from_secs(1800);

/// Why there is no new certificate.
#[derive(Debug, thiserror::Error)]
pub enum RenewError {
    /// The hub was not reached.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// The hub said no.
    #[error("{0}")]
    Refused(Refusal),
    /// No key, or no use for the answer.
    #[error(transparent)]
    Enrol(#[from] EnrolError),
    /// It could not be kept.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

/// What renewing needs.
#[derive(Clone, Debug)]
pub struct Renewal {
    /// Where the identity is kept.
    pub data_dir: PathBuf,
    /// Address for agents.
    pub hub: HubUrl,
    /// Where the new identity is announced.
    pub current: watch::Sender<Arc<Identity>>,
    /// Told when the hub says that the certificate has ended, whatever this machine's clock says.
    pub ended: Arc<Notify>,
}

/// Renews for ever; failures are said once and tried again.
pub async fn keep_renewed(renewal: Renewal, stop: CancellationToken) {
    let mut said: Option<String> = None;
    let mut retry = RETRY_FROM;
    let mut at_least = Duration::ZERO;
    loop {
        let due = renewal.current.borrow().renew_at();
        let wait = match &said {
            Some(_) => jittered(retry),
            None => until(due, OffsetDateTime::now_utc()).max(at_least),
        };
        let has_ended = tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => false,
            () = renewal.ended.notified(), if said.is_none() => true,
        };
        if said.is_none() && !has_ended && OffsetDateTime::now_utc() < due {
            continue;
        }
        match renewal.once().await {
            Ok(not_after) => {
                tracing::info!(%not_after, "certificate renewed");
                (said, retry) = (None, RETRY_FROM);
                at_least = renewal.pause_after_success();
            }
            Err(error) => {
                renewal.say(&error, &mut said);
                retry = (retry * 2).min(RETRY_TO);
            }
        }
    }
}

impl Renewal {
    /// Gets the next certificate, keeps it and announces it.
    ///
    /// # Errors
    /// When the identity is as before.
    pub async fn once(&self) -> Result<OffsetDateTime, RenewError> {
        let old = Arc::clone(&self.current.borrow());
        let tls = dial::as_office(&old).map_err(DialError::from)?;
        let channel = dial::dial(&self.hub, tls).await?;
        let key = new_key().map_err(EnrolError::from)?;
        let mut call = tonic::Request::new(RenewRequest {
            csr_der: request(&key)?,
        });
        call.set_timeout(ANSWER);
        let answer = CertificateServiceClient::new(channel)
            .renew(call)
            .await
            .map_err(|status| RenewError::Refused(Refusal::of(&status)))?
            .into_inner();
        let identity = Identity::new(
            (old.office_id(), old.office_name().to_owned()),
            key,
            ders(answer.certificate_chain_der),
            ders(answer.trust_anchors_der),
            token_keys(&old, answer.token_key, answer.next_token_key)?,
            OffsetDateTime::now_utc(),
        )?;
        file::store(&self.data_dir, &identity)?;
        let not_after = identity.not_after();
        self.current.send_replace(Arc::new(identity));
        Ok(not_after)
    }
}

/// The keys from now on. One that was to follow and was taken back is told of no more. Whoever was away while the city
/// went over to another key gets that one first: the stream that is opened next goes over to it.
fn token_keys(
    old: &Identity,
    present: Option<wire::TokenKey>,
    next: Option<wire::TokenKey>,
) -> Result<TokenKeys, EnrolError> {
    let has = old.token_key();
    let missed = present.filter(|present| present.key_id != has.id());
    Ok(TokenKeys {
        present: has.clone(),
        next: missed.or(next).map(token_key).transpose()?,
    })
}

impl Renewal {
    /// A new certificate that is due again at once shows that this machine's clock is ahead: asking on and on would
    /// not help.
    fn pause_after_success(&self) -> Duration {
        let identity = self.current.borrow();
        match identity.renew_at() <= OffsetDateTime::now_utc() {
            true => {
                tracing::warn!(
                    "the new certificate has ended by this machine's clock; set the clock right"
                );
                LOOK_AGAIN
            }
            false => Duration::ZERO,
        }
    }

    fn say(&self, error: &RenewError, said: &mut Option<String>) {
        let words = error.to_string();
        if said.as_ref() != Some(&words) {
            let ends = self.current.borrow().not_after();
            tracing::warn!(error = words, %ends, "the certificate could not be renewed; trying again");
            *said = Some(words);
        }
    }
}

fn until(due: OffsetDateTime, now: OffsetDateTime) -> Duration {
    Duration::try_from(due - now)
        .unwrap_or_default()
        .min(LOOK_AGAIN)
}

fn jittered(delay: Duration) -> Duration {
    delay.mul_f64(rand::rng().random_range(0.5..1.0))
}
