//! Putting an edition in force. The switch is one transaction: it waits for whoever judges, and puts every case and what
//! every office filed down to be judged again, so that whatever stands under the edition before is brought to this one by
//! the hubs that run.

use serde_json::json;
use sqlx::{PgConnection, PgPool};

use super::edition::{Edition, EditionError, Part};
use crate::audit::{Action, Actor, Audit, AuditError, Entry, Outcome};
use crate::store::supervision::{edition as store, work};
use crate::store::tx;

/// What putting an edition in force did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activation {
    /// Parts and versions that were in force before, where others were.
    pub replaced: Vec<(Part, String)>,
    /// Cases that wait to be judged again.
    pub cases: u64,
}

/// Why an edition was not put in force.
#[derive(Debug, thiserror::Error)]
pub enum ActivationError {
    #[error(transparent)]
    Edition(#[from] EditionError),
    #[error("put the rules of supervision in force: {0}; nothing was changed")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Audit(#[from] AuditError),
}

impl tx::Retryable for ActivationError {
    fn is_retryable(&self) -> bool {
        matches!(self, Self::Database(error) if error.is_retryable())
    }
}

/// Puts the edition in force; what is in force already stays, and nothing is judged again.
pub async fn activate(
    pool: &PgPool,
    audit: &Audit,
    edition: &Edition,
) -> Result<Activation, ActivationError> {
    edition.register(pool).await?;
    let in_force = store::in_force(&mut *pool.acquire().await?).await?;
    let is_other = |(part, version): &(Part, String)| {
        edition
            .texts()
            .iter()
            .any(|(own, text)| own == part && text.version != *version)
    };
    let replaced: Vec<_> = in_force.into_iter().filter(is_other).collect();
    if replaced.is_empty() {
        return Ok(Activation { replaced, cases: 0 });
    }
    let version = |part: &Part, version: &str| json!({ "part": part.code(), "version": version });
    let texts = edition.texts();
    let detail = json!({
        "in_force": texts.iter().map(|(part, text)| version(part, &text.version)).collect::<Vec<_>>(),
        "replaces": replaced.iter().map(|(part, before)| version(part, before)).collect::<Vec<_>>(),
    });
    let begun = audit.append(entry(Outcome::Begun, detail)).await?;
    let cases = tx::retried("supervision.activate", || async {
        let mut transaction = tx::begin(pool).await?;
        let cases = switch(&mut transaction, edition, &replaced).await?;
        transaction.commit().await?;
        Ok::<_, sqlx::Error>(cases)
    })
    .await?;
    let detail = json!({ "begun": begun.entry_no, "cases": cases });
    audit.append(entry(Outcome::Done, detail)).await?;
    Ok(Activation { replaced, cases })
}

fn entry(outcome: Outcome, detail: serde_json::Value) -> Entry {
    Entry::of(
        Actor::Operator,
        Action::ActivateSupervision,
        outcome,
        detail,
    )
}

async fn switch(
    connection: &mut PgConnection,
    edition: &Edition,
    replaced: &[(Part, String)],
) -> Result<u64, sqlx::Error> {
    // Rules before tariff: the order in which those who judge hold them.
    for (part, text) in edition.texts() {
        if replaced.iter().any(|(other, _)| *other == part) {
            store::put_in_force(&mut *connection, part, &text.version).await?;
        }
    }
    work::put_all(connection).await
}
