//! What people see and do of their own sessions, and what they are told of their accounts.

use std::net::IpAddr;

use serde::Serialize;
use sqlx::PgPool;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Sessions;
use crate::codes::codes;
use crate::identity::session::{Session, Verified};
use crate::store::account::own;

/// How a session began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Door {
    Password,
    /// The bureau's identity provider.
    Provider,
    /// In the place of one that ended by a change of the account.
    Change,
}

codes!(Door {
    Password = "password",
    Provider = "provider",
    Change = "change",
});

/// What is changed about an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    Password,
    SecondFactorSet,
    SecondFactorTaken,
    SessionsEnded,
    Role,
    Disabled,
    Enabled,
    ProviderLinked,
    ProviderUnlinked,
}

codes!(Change {
    Password = "password",
    SecondFactorSet = "second_factor_set",
    SecondFactorTaken = "second_factor_taken",
    SessionsEnded = "sessions_ended",
    Role = "role",
    Disabled = "disabled",
    Enabled = "enabled",
    ProviderLinked = "provider_linked",
    ProviderUnlinked = "provider_unlinked",
});

/// Who changed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangedBy {
    Owner,
    /// By a command at the hub.
    Operator,
}

codes!(ChangedBy {
    Owner = "owner",
    Operator = "operator",
});

/// Why sessions were not ended.
#[derive(Debug, thiserror::Error)]
pub enum EndError {
    #[error("the account has no such session")]
    Unknown,
    #[error("the account is disabled")]
    Disabled,
    #[error("end sessions: {0}")]
    Database(#[from] sqlx::Error),
}

impl Sessions {
    /// Ends one session of an account: here at once, on every other hub within seconds.
    pub async fn end(&self, account_id: Uuid, session_id: Uuid) -> Result<(), EndError> {
        if !own::end_session(&self.pool, account_id, session_id).await? {
            return Err(EndError::Unknown);
        }
        Ok(self.revocations.refresh().await?)
    }

    /// Ends all sessions of an account, and begins another one in the place of the one that asked. It ends when that one
    /// would have: no secret was shown again, and whoever holds a stolen session must not keep it alive.
    pub async fn end_all(
        &self,
        asking: &Verified,
        from: Option<IpAddr>,
    ) -> Result<Session, EndError> {
        let owner = own::end_all(&self.pool, asking.person.account_id).await?;
        let owner = owner.ok_or(EndError::Disabled)?;
        self.revocations.refresh().await?;
        let session = self.begin_until(asking.expires_at, owner, Door::Change, from);
        Ok(session.await?)
    }
}

/// How many of the latest sessions and changes are shown.
const SHOWN: i64 = 20;

/// An account as its owner sees it.
#[derive(Debug)]
pub struct OwnView {
    pub account: own::OwnAccount,
    pub sessions: Vec<own::OwnSession>,
    pub changes: Vec<own::Changed>,
}

/// Nothing when there is no such account.
pub async fn view(pool: &PgPool, account_id: Uuid) -> Result<Option<OwnView>, sqlx::Error> {
    let Some(account) = own::read(pool, account_id).await? else {
        return Ok(None);
    };
    Ok(Some(OwnView {
        account,
        sessions: own::sessions(pool, account_id, SHOWN).await?,
        changes: own::changes(pool, account_id, SHOWN).await?,
    }))
}
