//! Signing in through the bureau's identity provider (OpenID Connect Core 1.0): an ID token in, a session of the
//! hub's own out, so that everything behind the door knows one kind of session.
//!
//! | module | holds |
//! |---|---|
//! | [`keys`] | the provider's keys (RFC 7517), and what an ID token must say |
//! | [`fetch`] | discovery and the keys over HTTPS |
//! | [`factor`] | whether more than one factor was shown (RFC 8176) |

mod factor;
mod fetch;
mod keys;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use metrics::counter;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use tokio::sync::Mutex;
use tokio::time::Instant;

pub use fetch::{FetchError, TrustError};
pub use keys::{IdTokenError, ProviderKeys};

use super::Sessions;
use super::own_account::Door;
use crate::config;
use crate::identity::RoleKind;
use crate::identity::session::Session;
use crate::store;
use crate::telemetry::metrics::SIGN_INS;
use fetch::Fetcher;
use keys::{IdToken, Wanted};

/// Keys are asked for again this long after the last time at the earliest, whoever names unknown ones.
const ASK_AGAIN: Duration = Duration::from_secs(30);
/// Keys are asked for again when they are this old: one that the provider withdrew is refused after that.
const STALE: Duration = Duration::from_secs(15 * 60);
/// How long a provider that handed out no keys is left alone.
const VAIN: Duration = Duration::from_secs(1);

/// Why an ID token is not exchanged for a session.
#[derive(Debug, thiserror::Error)]
pub enum ProviderSignInError {
    #[error("the ID token is not accepted: {0}")]
    Token(#[from] IdTokenError),
    #[error("the ID token was used already")]
    Used,
    #[error("no account that may sign in belongs to this subject")]
    NoAccount,
    #[error("the account's role needs a second factor, and the provider states none in `amr`")]
    SecondFactorMissing,
    #[error("ask the identity provider for its keys: {0}")]
    Provider(#[from] FetchError),
    #[error("look the account up: {0}")]
    Database(#[from] sqlx::Error),
}

/// What is known of the provider's keys.
#[derive(Debug, Default)]
struct Held {
    /// When they were last asked for, in vain or not.
    asked: Option<Instant>,
    keys: Option<Arc<ProviderKeys>>,
}

/// The bureau's identity provider, and who of its people may sign in.
#[derive(Debug)]
pub struct Provider {
    wanted: Wanted,
    fetcher: Fetcher,
    /// Held while the keys are asked for.
    held: Mutex<Held>,
    second_factor: Vec<RoleKind>,
}

impl Provider {
    /// The provider of a configuration. It is asked for its keys when somebody first signs in: the hub starts
    /// without it.
    pub fn new(config: &config::Oidc, second_factor: Vec<RoleKind>) -> Result<Self, TrustError> {
        Ok(Self {
            wanted: Wanted {
                issuer: config.issuer.as_str().to_owned(),
                client_id: config.client_id.clone(),
            },
            fetcher: Fetcher::new(&config.issuer, &config.ca_file)?,
            held: Mutex::default(),
            second_factor,
        })
    }

    /// Exchanges an ID token for a session. `nonce` is what the caller gave the provider when it asked for the token.
    pub async fn sign_in(
        &self,
        sessions: &Sessions,
        id_token: &str,
        nonce: &str,
        from: Option<IpAddr>,
    ) -> Result<Session, ProviderSignInError> {
        let result = self.try_sign_in(sessions, id_token, nonce, from).await;
        let outcome = match &result {
            Ok(_) => "granted",
            Err(ProviderSignInError::SecondFactorMissing) => "code_required",
            Err(ProviderSignInError::Provider(_) | ProviderSignInError::Database(_)) => "failed",
            Err(_) => "refused",
        };
        counter!(SIGN_INS, "outcome" => outcome).increment(1);
        result
    }

    async fn try_sign_in(
        &self,
        sessions: &Sessions,
        id_token: &str,
        nonce: &str,
        from: Option<IpAddr>,
    ) -> Result<Session, ProviderSignInError> {
        let token = self.read(id_token, nonce).await?;
        let found = store::account::by_provider_subject(&sessions.pool, &token.subject).await?;
        let account = found.ok_or(ProviderSignInError::NoAccount)?;
        let role = account.person.role.kind();
        if self.second_factor.contains(&role) && !factor::are_several(&token.methods) {
            return Err(ProviderSignInError::SecondFactorMissing);
        }
        // What is signed, without the signature: to one of ECDSA anybody can make a second that is as good.
        let signed = id_token.rsplit_once('.').map_or(id_token, |(text, _)| text);
        let hash: [u8; 32] = Sha256::digest(signed).into();
        if !store::account::use_id_token(&sessions.pool, &hash, token.ends_at).await? {
            return Err(ProviderSignInError::Used);
        }
        Ok(sessions.begin(account, Door::Provider, from).await?)
    }

    async fn read(&self, id_token: &str, nonce: &str) -> Result<IdToken, ProviderSignInError> {
        let now = OffsetDateTime::now_utc();
        let keys = self.keys(STALE).await?;
        match keys.read(id_token, &self.wanted, nonce, now) {
            // The provider may have begun to sign with a new key.
            Err(IdTokenError::UnknownKey) => {
                let keys = self.keys(ASK_AGAIN).await?;
                Ok(keys.read(id_token, &self.wanted, nonce, now)?)
            }
            result => Ok(result?),
        }
    }

    /// The provider's keys, asked for when they are older than `age`. A provider that is away is spoken for by the
    /// keys it had.
    async fn keys(&self, age: Duration) -> Result<Arc<ProviderKeys>, FetchError> {
        let mut held = self.held.lock().await;
        let asked_within = |span| held.asked.is_some_and(|at| at.elapsed() < span);
        match &held.keys {
            Some(known) if asked_within(age) => return Ok(Arc::clone(known)),
            None if asked_within(VAIN) => return Err(FetchError::JustAsked),
            _ => {}
        }
        held.asked = Some(Instant::now());
        match self.fetcher.keys().await {
            Ok(keys) => {
                let keys = Arc::new(keys);
                held.keys = Some(Arc::clone(&keys));
                Ok(keys)
            }
            Err(error) => {
                tracing::warn!(%error, "the identity provider does not hand out its keys");
                held.keys.clone().ok_or(error)
            }
        }
    }
}
