//! Signing in and out: who tries too often is kept out, and what came of it is recorded before it is answered.
//!
//! An account locks itself after [`FAILURES_TO_LOCK`](crate::identity::account::FAILURES_TO_LOCK) failures in a row,
//! each within a quarter of an hour of the one before. One address has fewer tries than that at one login, in the
//! same sense of a row, so that nobody can lock a colleague out from their own desk. Who has more addresses can, but not
//! from where the owner signed in of late. Tries are counted at each hub apart, and so is who came from where.

mod kept_out;
mod limits;
mod own_account;
mod password;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use sqlx::PgPool;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::audit::refusals::{Refusals, Tally};
use crate::audit::{Action, Actor, Audit, AuditError, Entry, Outcome};
use crate::identity::account::oidc::{Provider, ProviderSignInError};
use crate::identity::account::{Credentials, SignInError, SignOutError};
use crate::identity::session::Session;
use crate::identity::{Person, Sessions};
use crate::store;
use kept_out::KeptOut;
use limits::{Address, Limits};
pub use own_account::{EndSessionsError, SecondFactorChangeError};
pub use password::ChangeError;

/// How often refusals are looked through that were counted and not recorded yet.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Why somebody is not signed in.
#[derive(Debug, thiserror::Error)]
pub enum EntranceError {
    #[error("too many attempts to sign in from this address")]
    TooOften { retry_after: Duration },
    #[error(transparent)]
    SignIn(#[from] SignInError),
    #[error(transparent)]
    Provider(#[from] ProviderSignInError),
    #[error(transparent)]
    Audit(#[from] AuditError),
}

/// Why nobody was signed out.
#[derive(Debug, thiserror::Error)]
pub enum ExitError {
    #[error(transparent)]
    SignOut(#[from] SignOutError),
    #[error(transparent)]
    Audit(#[from] AuditError),
}

/// Where people sign in and out, through whichever door.
#[derive(Debug)]
pub struct Entrance {
    pool: PgPool,
    sessions: Arc<Sessions>,
    audit: Audit,
    limits: Limits,
    /// By account; logins that are nobody's as one.
    refusals: Refusals<Option<Uuid>>,
    kept_out: KeptOut,
}

impl Entrance {
    pub fn new(pool: PgPool, sessions: Arc<Sessions>, audit: Audit) -> Self {
        Self {
            pool,
            sessions,
            audit,
            limits: Limits::default(),
            refusals: Refusals::default(),
            kept_out: KeptOut::default(),
        }
    }

    /// Credentials in, session out. A session and the first refusal of a minute are recorded before the answer.
    pub async fn sign_in(
        &self,
        credentials: Credentials<'_>,
        from: IpAddr,
    ) -> Result<Session, EntranceError> {
        let login = credentials.login;
        match self.admit(credentials, from).await {
            Ok(session) => {
                self.record(&session.person, Action::SignIn).await?;
                Ok(session)
            }
            Err(error) => {
                match &error {
                    // There is no end to them: the database hears of them later, all at once.
                    EntranceError::TooOften { .. } => self.kept_out.count(login),
                    error if error.is_refusal() => self.refused(login).await?,
                    _ => {}
                }
                Err(error)
            }
        }
    }

    async fn admit(
        &self,
        credentials: Credentials<'_>,
        from: IpAddr,
    ) -> Result<Session, EntranceError> {
        let address = Address::from(from);
        // Counted before the password is checked, so that trying in parallel gains nothing.
        let (login, now) = (credentials.login, Instant::now());
        self.limits
            .attempt(address, login, now)
            .map_err(|retry_after| EntranceError::TooOften { retry_after })?;
        let caller = self.limits.caller(address, login, now);
        let signed_in = self
            .sessions
            .sign_in_from(caller, credentials, Some(from))
            .await;
        match &signed_in {
            Ok(_) => self.limits.succeeded(address, login),
            Err(SignInError::CodeRequired | SignInError::SecondFactorUnset) => {
                self.limits.take_back(address, login);
            }
            Err(_) => {}
        }
        Ok(signed_in?)
    }

    /// An ID token of the bureau's identity provider in, session out. Limited by address and recorded as
    /// [`Self::sign_in`] is; refusals count as those of logins that are nobody's.
    pub async fn sign_in_by_provider(
        &self,
        provider: &Provider,
        id_token: &str,
        nonce: &str,
        from: IpAddr,
    ) -> Result<Session, EntranceError> {
        let admitted = match self.limits.attempt_at_any(Address::from(from)) {
            Err(retry_after) => Err(EntranceError::TooOften { retry_after }),
            Ok(()) => provider
                .sign_in(&self.sessions, id_token, nonce, Some(from))
                .await
                .map_err(EntranceError::from),
        };
        match admitted {
            Ok(session) => {
                let detail = json!({ "by": "provider" });
                let entry = Entry::by(&session.person, Action::SignIn, Outcome::Done, detail);
                self.audit.append(entry).await?;
                Ok(session)
            }
            Err(error) => {
                if error.is_refusal() {
                    self.count_refusal(None).await?;
                }
                Err(error)
            }
        }
    }

    /// Ends the session of a bearer token.
    pub async fn sign_out(&self, token: &str) -> Result<(), ExitError> {
        let person = self.sessions.sign_out(token).await?;
        Ok(self.record(&person, Action::SignOut).await?)
    }

    async fn record(&self, person: &Person, action: Action) -> Result<(), AuditError> {
        let entry = Entry::by(person, action, Outcome::Done, json!({}));
        self.audit.append(entry).await?;
        Ok(())
    }

    /// Counts a refusal; the first of a minute is recorded at once. All logins that are nobody's count as one.
    async fn refused(&self, login: &str) -> Result<(), EntranceError> {
        let account_id = match login.contains('\0') {
            true => None,
            false => store::account::own::count_refusal(&self.pool, login)
                .await
                .map_err(SignInError::Database)?,
        };
        Ok(self.count_refusal(account_id).await?)
    }

    async fn count_refusal(&self, account_id: Option<Uuid>) -> Result<(), AuditError> {
        if let Some(tally) = self.refusals.count(account_id, 1, Instant::now()) {
            self.audit.append(entry_of(tally)).await?;
        }
        Ok(())
    }

    /// Tells accounts how often somebody was kept out who tried to sign in to them.
    async fn tell_of_kept_out(&self) {
        let by_login = self.kept_out.take();
        let all: u64 = by_login.values().sum();
        let told = match store::account::own::count_refusals(&self.pool, &by_login).await {
            Ok(told) => told,
            Err(error) => {
                tracing::error!(%error, "accounts could not be told of refused sign-ins yet");
                return self.kept_out.put_back(by_login);
            }
        };
        let of_accounts = told.iter().map(|(_, refusals)| refusals).sum();
        let nobodys = (None, all.saturating_sub(of_accounts));
        let told = told.into_iter().map(|(id, refusals)| (Some(id), refusals));
        for (account_id, refusals) in told.chain([nobodys]).filter(|(_, refusals)| *refusals > 0) {
            let first = self.refusals.count(account_id, refusals, Instant::now());
            self.settle(first.into_iter().collect()).await;
        }
    }

    /// Records what was counted since, minute by minute, until `stop`.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut ticks = interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            self.tell_of_kept_out().await;
            self.settle(self.refusals.due(Instant::now())).await;
        }
    }

    /// Records the rest, when nobody comes any more.
    pub async fn close(&self) {
        self.tell_of_kept_out().await;
        self.settle(self.refusals.rest()).await;
    }

    async fn settle(&self, tallies: Vec<Tally<Option<Uuid>>>) {
        for tally in tallies {
            if let Err(error) = self.audit.append(entry_of(tally)).await {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    refusals = tally.refusals,
                    "refused sign-ins could not be recorded"
                );
            }
        }
    }
}

impl EntranceError {
    /// Whether somebody was kept out. Who is asked for a code has the password and comes again.
    fn is_refusal(&self) -> bool {
        match self {
            Self::TooOften { .. } | Self::SignIn(SignInError::Refused) => true,
            Self::Provider(error) => !matches!(
                error,
                ProviderSignInError::Provider(_) | ProviderSignInError::Database(_)
            ),
            Self::SignIn(_) | Self::Audit(_) => false,
        }
    }
}

fn entry_of(tally: Tally<Option<Uuid>>) -> Entry {
    let detail = json!({ "account": tally.whose, "count": tally.refusals });
    Entry::of(Actor::Nobody, Action::SignIn, Outcome::Denied, detail)
}
