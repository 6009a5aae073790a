//! Changes that an operator makes: each is recorded before it is reported as done.

use std::sync::Arc;

use anyhow::anyhow;
use serde_json::Value;

use super::Failure;
use crate::app::Database;
use crate::audit::{Action, Actor, Entry, Outcome, append_once, key_file};
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

impl Done {
    fn entry(self) -> Entry {
        Entry::of(Actor::Operator, self.action, Outcome::Done, self.detail)
    }
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
        Ok((value, done)) => match append_once(database.audit.clone(), key, done.entry()).await {
            Ok(_) => Ok(value),
            Err(error) => Err(anyhow!("it was done, but not recorded: {error}").into()),
        },
        Err(failure) => Err(failure),
    };
    database.close().await?;
    changed
}
