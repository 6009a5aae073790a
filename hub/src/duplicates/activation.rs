//! Putting rules in force. The switch is one moment: every case stored before it has the keys of the old version, every
//! one after it those of the new. Then the cases that were here are brought to the new version in pages, each a
//! transaction that remembers where it came to; whoever activates the same version again goes on from there.
//!
//! A page holds its office's feed, as a writer does, so that no case changes under it. Writers of other offices meet it
//! at the stripes. What persons show comes last, and meets linkage at its lock alone.

use linkage::matter::RuleSet;
use linkage::office::OfficeId;
use serde_json::json;
use sqlx::{PgConnection, PgPool};

use super::pass::{self, Company, Paged};
use crate::audit::{Action, Actor, Audit, AuditError, Entry, Outcome};
use crate::rules::{Edition, RulesError, short};
use crate::store::rules::{self, Stage};
use crate::store::{duplicate::replay, feed::sync, linking, token_key, tx};

/// How far an activation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub pass: Pass,
    /// Cases that this run has looked at in the pass.
    pub cases: usize,
    /// Cases at its beginning.
    pub of: usize,
}

/// The passes over all cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    Keys,
    Findings,
    Persons,
}

/// What a run of an activation has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Activation {
    /// Version that was in force before, where another one was.
    pub replaced: Option<String>,
    pub opened: usize,
    pub closed: usize,
}

/// Why rules were not put in force, or not to the end.
#[derive(Debug, thiserror::Error)]
pub enum ActivationError {
    #[error(transparent)]
    Rules(#[from] RulesError),
    #[error("bring the cases to the new rules; run the same command again to go on: {0}")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Audit(#[from] AuditError),
    #[error("another version was put in force meanwhile")]
    Superseded,
}

/// Puts the edition in force, or goes on where an activation of it was broken off. `pool` is the one of writers.
pub async fn activate(
    pool: &PgPool,
    audit: &Audit,
    edition: &Edition,
    mut progress: impl FnMut(Progress),
) -> Result<Activation, ActivationError> {
    edition.register(pool).await?;
    let version = edition.rules.version();
    let before = rules::in_force(pool).await?;
    let before = before.map(|in_force| in_force.version);
    let mut done = Activation::default();
    if before.as_deref() != Some(version) {
        done.replaced = before;
        let detail = json!({ "step": "switch", "version": version, "digest": short(edition.rules.digest()),
                             "replaces": done.replaced });
        audit.append(entry(Outcome::Begun, detail)).await?;
        tx::tx(pool, "rules.switch", async |transaction| {
            rules::put_in_force(transaction, version).await
        })
        .await?;
    }
    let of = usize::try_from(replay::count(&mut *pool.acquire().await?).await?).unwrap_or(0);
    let (mut pass, mut cases) = (Pass::Keys, 0);
    loop {
        let step = tx::retried("rules.page", || step(pool, &edition.rules)).await?;
        let Step::Page(now, paged) = step else { break };
        if now != pass {
            (pass, cases) = (now, 0);
        }
        cases += paged.cases;
        done.opened += paged.effect.opened.len();
        done.closed += paged.effect.closed;
        progress(Progress { pass, cases, of });
    }
    let detail =
        json!({ "step": "done", "version": version, "opened": done.opened, "closed": done.closed });
    audit.append(entry(Outcome::Done, detail)).await?;
    Ok(done)
}

fn entry(outcome: Outcome, detail: serde_json::Value) -> Entry {
    Entry::of(Actor::Operator, Action::ActivateRules, outcome, detail)
}

enum Step {
    Page(Pass, Paged),
    Done,
}

/// One page, in one transaction.
async fn step(pool: &PgPool, rule_set: &RuleSet) -> Result<Step, ActivationError> {
    let mut transaction = tx::begin(pool).await?;
    let connection = &mut *transaction;
    // A page of keys is made from tokens.
    token_key::enter(connection).await?;
    let version = rule_set.version();
    let stage = rules::lock_stage(connection, version).await?;
    let (pass, behind) = match stage.ok_or(ActivationError::Superseded)? {
        Stage::Keys(behind) => (Pass::Keys, behind),
        Stage::Findings(behind) => (Pass::Findings, behind),
        Stage::Persons(behind) => (Pass::Persons, behind),
        Stage::Done => return Ok(Step::Done),
    };
    let offices = replay::offices(connection).await?;
    let first = offices.first().map(|office| (*office, String::new()));
    let (next, paged) = match behind.or(first) {
        None => (Stage::Done, Paged::default()),
        Some((office_id, case)) => {
            let paged = page(connection, rule_set, pass, office_id, &case).await?;
            let next = match &paged.last {
                Some(last) => Some((office_id, last.clone())),
                None => following(&offices, office_id),
            };
            (stage_of(pass, next), paged)
        }
    };
    rules::set_stage(connection, version, &next).await?;
    transaction.commit().await?;
    Ok(Step::Page(pass, paged))
}

async fn page(
    connection: &mut PgConnection,
    rules: &RuleSet,
    pass: Pass,
    office_id: OfficeId,
    behind: &str,
) -> Result<Paged, sqlx::Error> {
    match pass {
        Pass::Keys => {
            sync::lock(connection, &[office_id]).await?;
            pass::derive_keys(connection, rules, office_id, behind).await
        }
        Pass::Findings => {
            sync::lock(connection, &[office_id]).await?;
            pass::seek(connection, rules, office_id, behind, None, Company::Writers).await
        }
        Pass::Persons => {
            linking::lock_clusters(connection).await?;
            pass::seek_persons(connection, rules, office_id, behind).await
        }
    }
}

fn following(offices: &[OfficeId], office_id: OfficeId) -> Option<(OfficeId, String)> {
    let next = offices.iter().find(|office| **office > office_id)?;
    Some((*next, String::new()))
}

/// Behind the last office a pass has ended.
fn stage_of(pass: Pass, next: Option<(OfficeId, String)>) -> Stage {
    match (pass, next) {
        (Pass::Keys, Some(next)) => Stage::Keys(Some(next)),
        (Pass::Keys, None) => Stage::Findings(None),
        (Pass::Findings, Some(next)) => Stage::Findings(Some(next)),
        (Pass::Findings, None) => Stage::Persons(None),
        (Pass::Persons, Some(next)) => Stage::Persons(Some(next)),
        (Pass::Persons, None) => Stage::Done,
    }
}

impl tx::Retryable for ActivationError {
    fn is_retryable(&self) -> bool {
        match self {
            Self::Database(error) => error.is_retryable(),
            _ => false,
        }
    }
}
