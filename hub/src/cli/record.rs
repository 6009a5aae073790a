//! Changes that an operator makes: each is recorded before it is reported as done.

use std::sync::Arc;

use anyhow::Context;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::Failure;
use crate::app::Database;
use crate::audit::checkpoint::CheckpointKey;
use crate::audit::{Action, Actor, Audit, Entry, Outcome, key_file};
use crate::config::Config;

/// What was done.
#[derive(Debug)]
pub(super) struct Done {
    action: Action,
    detail: Value,
}

/// `detail` holds ids and codes, never a name.
pub(super) fn done(action: Action, detail: Value) -> Done {
    Done { action, detail }
}

/// Opens the database, lets `work` make a change and returns what that came to once its entry is durable.
pub(super) async fn change<T>(
    config: &Config,
    work: impl AsyncFnOnce(&Database) -> Result<(T, Done), Failure>,
) -> Result<T, Failure> {
    // Whatever could keep the entry from being made is found before anything is changed.
    let key = Arc::new(key_file::load_or_make(config)?);
    let database = Database::open_or_join(config).await?;
    let changed = match work(&database).await {
        Ok((value, done)) => match record(&database, key, done).await {
            Ok(()) => Ok(value),
            Err(error) => Err(error.into()),
        },
        Err(failure) => Err(failure),
    };
    database.close().await?;
    changed
}

async fn record(database: &Database, key: Arc<CheckpointKey>, done: Done) -> anyhow::Result<()> {
    let (audit, log) = Audit::new(database.audit.clone(), key);
    let stop = CancellationToken::new();
    let task = tokio::spawn(log.run(stop.clone()));
    let entry = Entry {
        actor: Actor::Operator,
        office_id: None,
        action: done.action,
        outcome: Outcome::Done,
        purpose: None,
        case_reference: None,
        detail: done.detail,
    };
    let recorded = audit.append(entry).await;
    stop.cancel();
    task.await.context("end the audit log")?;
    recorded.map_err(|error| anyhow::anyhow!("it was done, but not recorded: {error}"))?;
    Ok(())
}
