//! Editions of what supervision goes by: the text of the rules and that of the tariff, each under a version of its own,
//! and which of them are in force.
//!
//! A version is one text for ever: findings name it. The hub registers the texts it ships with at its start; what is in
//! force is changed by `notary-hub supervision rules activate` alone, once there is something. Whoever judges reads what
//! is in force in the transaction that stores what was found, and holds it until then; everything else follows within
//! seconds.

use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use sqlx::{PgConnection, PgPool};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::rule::{self, Rules, RulesError};
use super::tariff::{self, Tariff};
use crate::codes::codes;
use crate::store::supervision::edition::{self as store, InForce, Registered};

const READ_EVERY: Duration = Duration::from_secs(1);

/// What there are versions of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Rules,
    Tariff,
}

codes!(Part { Rules = "rules", Tariff = "tariff" });

/// A text under its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    pub version: String,
    pub content: String,
}

/// Rules and a tariff that can be in force together.
#[derive(Clone, Debug)]
pub struct Edition {
    pub rules: Rules,
    rules_text: Text,
    tariff_text: Text,
}

/// Why an edition is not in force.
#[derive(Debug, thiserror::Error)]
pub enum EditionError {
    #[error(transparent)]
    Text(#[from] RulesError),
    #[error(
        "version {version} of the {} is known with another text; a changed text needs a new `version`", part.code()
    )]
    Changed { part: Part, version: String },
    #[error(
        "version {version} of the supervision rules, which is in force, cannot be read by this hub: {source}; upgrade the hub"
    )]
    Unreadable { version: String, source: RulesError },
    #[error("read the rules of supervision in force: {0}")]
    Database(#[from] sqlx::Error),
}

/// What is in force as this hub knows it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Current(Arc<watch::Sender<Arc<Rules>>>);

impl Text {
    /// By what two texts under one version are told apart.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(&self.content).into()
    }
}

impl Edition {
    /// Reads both texts.
    pub fn parse(rules: String, tariff: String) -> Result<Self, RulesError> {
        let parsed = Tariff::parse(&tariff)?;
        let tariff_text = Text {
            version: parsed.version.clone(),
            content: tariff,
        };
        let parsed = Rules::parse(&rules, parsed)?;
        Ok(Self {
            rules_text: Text {
                version: parsed.own_version().to_owned(),
                content: rules,
            },
            tariff_text,
            rules: parsed,
        })
    }

    /// The texts that this hub ships with.
    pub fn shipped() -> Self {
        Self::parse(rule::BUILTIN.to_owned(), tariff::BUILTIN.to_owned())
            .expect("hub/rules/ is checked by tests")
    }

    /// This edition with other texts in the places of its own.
    pub fn with(self, rules: Option<String>, tariff: Option<String>) -> Result<Self, RulesError> {
        Self::parse(
            rules.unwrap_or(self.rules_text.content),
            tariff.unwrap_or(self.tariff_text.content),
        )
    }

    /// What is in force; what ships with the hub where nothing is.
    pub async fn in_force(connection: &mut PgConnection) -> Result<Self, EditionError> {
        let rules = store::text(&mut *connection, Part::Rules, None).await?;
        let tariff = store::text(connection, Part::Tariff, None).await?;
        let (Some(rules), Some(tariff)) = (rules, tariff) else {
            return Ok(Self::shipped());
        };
        let version = format!("{}/{}", rules.version, tariff.version);
        Self::parse(rules.content, tariff.content)
            .map_err(|source| EditionError::Unreadable { version, source })
    }

    /// The text of each part.
    pub fn texts(&self) -> [(Part, &Text); 2] {
        [
            (Part::Rules, &self.rules_text),
            (Part::Tariff, &self.tariff_text),
        ]
    }

    /// Makes the texts known to the database, and puts those in force of which there is none.
    ///
    /// # Errors
    /// [`EditionError::Changed`] when a version is known with another text.
    pub async fn register(&self, pool: &PgPool) -> Result<(), EditionError> {
        match store::register(pool, self).await? {
            Registered::Same => Ok(()),
            Registered::Other(part, version) => Err(EditionError::Changed { part, version }),
        }
    }
}

impl Current {
    /// These rules, until the database says otherwise.
    pub fn new(rules: Rules) -> Self {
        Self(Arc::new(watch::Sender::new(Arc::new(rules))))
    }

    /// Registers the shipped texts and reads which are in force.
    pub async fn load(pool: &PgPool) -> Result<Self, EditionError> {
        let shipped = Edition::shipped();
        shipped.register(pool).await?;
        let current = Self::new(shipped.rules.clone());
        let mut connection = pool.acquire().await?;
        let versions = store::in_force(&mut connection).await?;
        let in_force = current.take_up(&mut connection, &versions).await?;
        if in_force.version != shipped.rules.version {
            tracing::warn!(
                in_force = in_force.version,
                shipped = shipped.rules.version,
                "other rules of supervision are in force than this hub ships with; `notary-hub supervision rules simulate` shows the difference"
            );
        }
        Ok(current)
    }

    /// What is in force as last read.
    pub fn rules(&self) -> Arc<Rules> {
        Arc::clone(&self.0.borrow())
    }

    /// What is in force, and stays so until the connection's transaction ends.
    pub async fn held(&self, connection: &mut PgConnection) -> Result<Arc<Rules>, EditionError> {
        let versions = store::hold(connection).await?;
        self.take_up(connection, &versions).await
    }

    /// Follows what is in force until `stop`. What cannot be read changes nothing.
    pub async fn follow(self, pool: PgPool, stop: CancellationToken) {
        let mut ticks = interval(READ_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            let followed = async {
                let mut connection = pool.acquire().await?;
                let versions = store::in_force(&mut connection).await?;
                self.take_up(&mut connection, &versions).await
            };
            if let Err(error) = followed.await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the rules of supervision in force could not be read; those read before stay"
                );
            }
        }
    }

    async fn take_up(
        &self,
        connection: &mut PgConnection,
        versions: &InForce,
    ) -> Result<Arc<Rules>, EditionError> {
        let current = self.rules();
        let names: Vec<&str> = versions
            .iter()
            .map(|(_, version)| version.as_str())
            .collect();
        // Rules before tariff, as both are ordered by their codes.
        if names.is_empty() || names.join("/") == current.version {
            return Ok(current);
        }
        let rules = Arc::new(Edition::in_force(connection).await?.rules);
        tracing::info!(version = rules.version, "rules of supervision taken up");
        self.0.send_replace(Arc::clone(&rules));
        Ok(rules)
    }
}

impl From<EditionError> for sqlx::Error {
    /// For a worker, to which rules it cannot read are like a database that is away: nothing is wrong with its cases.
    fn from(error: EditionError) -> Self {
        match error {
            EditionError::Database(error) => error,
            other => Self::Configuration(Box::new(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_has_its_version_and_a_finding_names_both() {
        let shipped = Edition::shipped();
        let [(_, rules), (_, tariff)] = shipped.texts();
        assert_eq!(
            shipped.rules.version,
            format!("{}/{}", rules.version, tariff.version)
        );
    }

    #[test]
    fn a_text_alone_is_put_in_the_place_of_its_part() {
        let shipped = Edition::shipped();
        let [(_, rules), (_, tariff)] = shipped.texts().map(|(part, text)| (part, text.clone()));
        let other = tariff.content.replacen(&tariff.version, "next", 1);
        let next = shipped.with(None, Some(other)).expect("a tariff");
        assert_eq!(next.rules.version, format!("{}/next", rules.version));
    }
}
