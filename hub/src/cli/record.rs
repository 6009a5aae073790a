//! What an operator does, as the audit log tells it. A change has two entries: that it begins, durable before anything is
//! changed, and what came of it, durable before that is told. Work of an operator changes files beside the database and may
//! take an hour, so that no transaction holds it together with its entry: what ended between the two, killed or without a
//! log, stands in the log as begun, and somebody looks.

use std::sync::Arc;

use anyhow::anyhow;
use serde_json::{Value, json};

use super::Failure;
use crate::app::Database;
use crate::audit::{Action, Actor, Audit, Entry, Outcome, append_once, for_once, key_file};
use crate::audit::{AuditError, CheckpointKey};
use crate::config::Config;

/// An operator at work.
#[derive(Debug)]
pub(super) struct Operator {
    pub(super) database: Database,
    key: Arc<CheckpointKey>,
}

/// Opens the database and changes something; see [`Operator::change`].
pub(super) async fn change<T>(
    config: &Config,
    action: Action,
    about: Value,
    work: impl AsyncFnOnce(&Database) -> Result<(T, Value), Failure>,
) -> Result<T, Failure> {
    let operator = Operator::begin(config).await?;
    let changed = operator.change(action, about, work).await;
    operator.end().await?;
    changed
}

/// Opens the database and lets `work` read what is told, once the entry with what it returns beside it is durable.
pub(super) async fn look<T>(
    config: &Config,
    action: Action,
    work: impl AsyncFnOnce(&Database) -> Result<(T, Value), Failure>,
) -> Result<T, Failure> {
    let operator = Operator::begin(config).await?;
    let seen = operator.look(action, work).await;
    operator.end().await?;
    seen
}

impl Operator {
    pub(super) async fn begin(config: &Config) -> Result<Self, Failure> {
        // Whatever could keep the entries from being made is found before anything is changed.
        let key = Arc::new(key_file::load_or_make(config)?);
        let database = Database::open_or_join(config).await?;
        Ok(Self { database, key })
    }

    pub(super) async fn end(self) -> Result<(), Failure> {
        Ok(self.database.close().await?)
    }

    /// Lets `work` change something. `about` says what is to be changed, and the value beside the answer what was: ids and
    /// codes, never a name.
    pub(super) async fn change<T>(
        &self,
        action: Action,
        about: Value,
        work: impl AsyncFnOnce(&Database) -> Result<(T, Value), Failure>,
    ) -> Result<T, Failure> {
        let (log, key) = (self.database.audit.clone(), Arc::clone(&self.key));
        for_once(log, key, async |audit: &Audit| {
            let begun = append(audit, action, Outcome::Begun, about).await?;
            match work(&self.database).await {
                Ok((value, mut detail)) => {
                    detail["begun"] = begun.into();
                    let recorded = append(audit, action, Outcome::Done, detail).await;
                    recorded.map(|_| value).map_err(|error| {
                        let text = "it was done, and the audit log has its beginning, entry";
                        anyhow!("{text} {begun}, but not its end: {error}").into()
                    })
                }
                Err(failure) => {
                    // What was in the way is what has to be told; without this entry the other stands as it is.
                    let _ = append(audit, action, Outcome::Failed, json!({ "begun": begun })).await;
                    Err(failure)
                }
            }
        })
        .await
    }

    async fn look<T>(
        &self,
        action: Action,
        work: impl AsyncFnOnce(&Database) -> Result<(T, Value), Failure>,
    ) -> Result<T, Failure> {
        let (value, detail) = work(&self.database).await?;
        let entry = Entry::of(Actor::Operator, action, Outcome::Done, detail);
        append_once(self.database.audit.clone(), Arc::clone(&self.key), entry).await?;
        Ok(value)
    }
}

/// Returns the number of the entry.
async fn append(
    audit: &Audit,
    action: Action,
    outcome: Outcome,
    detail: Value,
) -> Result<i64, AuditError> {
    let entry = Entry::of(Actor::Operator, action, outcome, detail);
    Ok(audit.append(entry).await?.entry_no)
}
