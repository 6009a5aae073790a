//! The rules about matters: which text is in force, and where everybody has it from.
//!
//! A text has a version, and a version is one text for ever: findings name it. The hub registers the text it ships
//! with at its start; what is in force is changed by `notary-hub rules activate` alone, once there is one. Writers read
//! the version in force in their own transactions, so that no case is stored under a version that was replaced before
//! it; everything else follows within seconds.
//!
//! A text that is put in force leaves no matter out. One that was in force before the catalogue grew may: a hub works by
//! it all the same, or the upgrade that brings a matter would keep the hub from starting.

use std::sync::Arc;
use std::time::Duration;

use linkage::matter::{MatterType, RuleError, RuleSet, RulesDigest};
use sqlx::{PgConnection, PgPool};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::store;
use crate::store::rules::{InForce, Registered};

const SHIPPED: &str = include_str!("../../rules/matters.toml");
const READ_EVERY: Duration = Duration::from_secs(1);

/// A rules text that can be in force.
#[derive(Clone, Debug)]
pub struct Edition {
    pub rules: RuleSet,
    pub text: String,
}

/// Why a rules text is not in force.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    #[error(transparent)]
    Text(#[from] RuleError),
    #[error(
        "rules version {version} is known with another text; a changed text needs a new `version`"
    )]
    Changed { version: String },
    #[error(
        "rules version {version}, which is in force, cannot be read by this hub: {source}; upgrade the hub"
    )]
    Unreadable { version: String, source: RuleError },
    #[error("read the rules in force: {0}")]
    Database(#[from] sqlx::Error),
}

/// The rules in force as this hub knows them. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Rules(Arc<watch::Sender<Arc<RuleSet>>>);

impl Edition {
    /// Reads a text.
    pub fn parse(text: String) -> Result<Self, RuleError> {
        Ok(Self {
            rules: RuleSet::parse_complete(&text)?,
            text,
        })
    }

    /// The text that this hub ships with.
    pub fn shipped() -> Self {
        Self::parse(SHIPPED.to_owned()).expect("a test reads the shipped rules")
    }

    /// Makes the text known to the database, and puts it in force where none is.
    ///
    /// # Errors
    /// [`RulesError::Changed`] when its version is known with another text.
    pub async fn register(&self, pool: &PgPool) -> Result<(), RulesError> {
        let known = store::rules::register(pool, self).await?;
        match known {
            Registered::Same => Ok(()),
            Registered::Other => Err(RulesError::Changed {
                version: self.rules.version().to_owned(),
            }),
        }
    }
}

impl Rules {
    /// These rules, until the database says otherwise.
    pub fn new(rules: RuleSet) -> Self {
        Self(Arc::new(watch::Sender::new(Arc::new(rules))))
    }

    /// Those that ship with the hub, until the database says otherwise.
    pub fn shipped() -> Self {
        Self::new(Edition::shipped().rules)
    }

    /// Registers the shipped text and reads which one is in force.
    pub async fn load(pool: &PgPool) -> Result<Self, RulesError> {
        let shipped = Edition::shipped();
        shipped.register(pool).await?;
        let rules = Self::new(shipped.rules);
        let in_force = rules.refresh(&mut *pool.acquire().await?).await?;
        let shipped = Edition::shipped();
        if in_force.digest() != shipped.rules.digest() {
            tracing::warn!(
                in_force = in_force.version(),
                shipped = shipped.rules.version(),
                "other rules are in force than this hub ships with; `notary-hub rules simulate` shows the difference"
            );
        }
        Ok(rules)
    }

    /// The rules in force as last read.
    pub fn current(&self) -> Arc<RuleSet> {
        Arc::clone(&self.0.borrow())
    }

    /// The rules in force as this statement of the connection's transaction sees them.
    pub async fn refresh(&self, connection: &mut PgConnection) -> Result<Arc<RuleSet>, RulesError> {
        let current = self.current();
        match store::rules::in_force(&mut *connection).await? {
            Some(InForce { digest, .. }) if digest != *current.digest() => {}
            // Nothing is registered where nobody has opened the database as a hub.
            _ => return Ok(current),
        }
        let Some(text) = store::rules::text_in_force(connection).await? else {
            return Ok(current);
        };
        let rules = RuleSet::parse(&text.content).map_err(|source| {
            let version = text.version;
            RulesError::Unreadable { version, source }
        })?;
        tracing::info!(version = rules.version(), "rules taken up");
        warn_of_gaps(&rules);
        let rules = Arc::new(rules);
        self.0.send_replace(Arc::clone(&rules));
        Ok(rules)
    }

    /// Follows the version in force until `stop`. What cannot be read changes nothing.
    pub async fn follow(self, pool: PgPool, stop: CancellationToken) {
        let mut ticks = interval(READ_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            let refreshed = async { self.refresh(&mut *pool.acquire().await?).await };
            if let Err(error) = refreshed.await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the rules in force could not be read; those read before stay"
                );
            }
        }
    }
}

fn warn_of_gaps(rules: &RuleSet) {
    let left_out: Vec<_> = rules.left_out().map(MatterType::code).collect();
    if !left_out.is_empty() {
        tracing::warn!(
            version = rules.version(),
            matters = left_out.join(", "),
            "this hub knows matters that the rules in force leave out: no two cases of these are the same, and nothing \
             is told of them; run `notary-hub rules activate`"
        );
    }
}

/// The first bytes of a digest, as people compare it.
pub fn short(digest: &RulesDigest) -> String {
    data_encoding::HEXLOWER.encode(&digest[..6])
}

impl From<RulesError> for sqlx::Error {
    /// For a writer, to which rules it cannot read are like a database that is away: nothing is wrong with its records.
    fn from(error: RulesError) -> Self {
        match error {
            RulesError::Database(error) => error,
            other => Self::Configuration(Box::new(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_text_is_read_and_says_something_of_every_matter() {
        assert!(!Edition::shipped().rules.version().is_empty());
    }
}
