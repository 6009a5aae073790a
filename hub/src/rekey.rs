//! Going over to the key that follows the city's token key, in one transaction: either all of it stands under the new key
//! or nothing has changed, wherever it is cut off. Whoever stores tokens waits meanwhile or is asked to come back; whoever
//! looks something up is answered from what stood before. The folder of a hub follows by [`crate::app::settle`], at once
//! where the command runs and within seconds where a hub does.

use std::collections::HashMap;

use linkage::matter::{MatterFacts, MatterKey, RuleSet};
use linkage::office::OfficeId;
use serde::Serialize;
use sqlx::PgConnection;

use crate::duplicates::pass;
use crate::jobs::Begun;
use crate::linking::LinkingError;
use crate::linking::relink::{self, Relinked};
use crate::linking::run::{Run, Runs};
use crate::rules::Rules;
use crate::store::duplicate::replay::Kept;
use crate::store::token_key::OfficeStanding;
use crate::store::token_key::go_over::{self as store, Moved};
use crate::store::{case::next_tokens, duplicate::replay, token_key, tx};

/// What going over came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Retirement {
    Done(Done),
    Refused(Refusal),
}

/// What stands under the new key.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Done {
    /// Id of the key that came into force.
    pub key_id: u32,
    pub cases: u64,
    pub parties: u64,
    pub subjects: u64,
    /// Cases that keep tokens of the key that was given up: they match nothing until their office sends them again.
    pub left: u64,
    pub persons: u64,
    pub seconds: f64,
}

/// Why the city stays with the key that it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
pub enum Refusal {
    #[error("no change of the token key is under way")]
    NoChange,
    #[error("this folder has no such key: copy next-token.key from the hub that made it")]
    NotHere,
    #[error(
        "these offices' agents do not have the next key: {}; wait until they have renewed their certificates, or revoke them",
        .0.join(", ")
    )]
    OfficesLack(Vec<String>),
    #[error(
        "{cases} cases have no tokens under the next key: see notary-hub token-key status, or leave them behind with \
         --leave {cases}"
    )]
    CasesLack { cases: u64 },
}

/// Goes over, unless an office lacks the key or more than `leave` cases lack its tokens. `here` is the next key that this
/// hub's folder has.
pub async fn retire(
    runs: &Runs<'_>,
    here: Option<u32>,
    leave: u64,
) -> Result<Retirement, LinkingError> {
    // Looked at before anybody has to wait, and once more when nobody can change it.
    if let Err(refusal) = ready(&mut *runs.long.acquire().await?, here, leave).await? {
        return Ok(Retirement::Refused(refusal));
    }
    runs.run(Begun::Relink, async |run| go_over(run, here, leave).await)
        .await
}

async fn go_over(run: &Run<'_>, here: Option<u32>, leave: u64) -> Result<Retirement, LinkingError> {
    let begun = std::time::Instant::now();
    let mut transaction = tx::begin(run.pool()).await?;
    relink::prepare(&mut transaction, run).await?;
    token_key::keep_out(&mut transaction).await?;
    next_tokens::hold(&mut transaction).await?;
    let next = match ready(&mut transaction, here, leave).await? {
        Ok(next) => next,
        Err(refusal) => return Ok(Retirement::Refused(refusal)),
    };
    let moved = move_cases(&mut transaction, next).await?;
    let Relinked { persons, .. } = relink::anew(&mut transaction, run).await?;
    token_key::put_in_force(&mut transaction, next).await?;
    next_tokens::empty(&mut transaction).await?;
    transaction.commit().await?;
    Ok(Retirement::Done(Done {
        key_id: next,
        cases: moved.cases,
        parties: moved.parties,
        subjects: moved.subjects,
        left: moved.left,
        persons,
        seconds: begun.elapsed().as_secs_f64(),
    }))
}

/// The key to go over to, if nothing stands against it.
async fn ready(
    connection: &mut PgConnection,
    here: Option<u32>,
    leave: u64,
) -> Result<Result<u32, Refusal>, sqlx::Error> {
    let Some(next) = token_key::under_way(&mut *connection).await? else {
        return Ok(Err(Refusal::NoChange));
    };
    if here != Some(next) {
        return Ok(Err(Refusal::NotHere));
    }
    let offices = token_key::offices_in(connection, next).await?;
    let lacks = |office: &&OfficeStanding| office.active && !office.has_next;
    let without: Vec<String> = offices
        .iter()
        .filter(lacks)
        .map(|office| office.office_id.to_string())
        .collect();
    let cases: u64 = offices.iter().map(|office| office.lacking).sum();
    Ok(match (without.is_empty(), cases > leave) {
        (false, _) => Err(Refusal::OfficesLack(without)),
        (true, true) => Err(Refusal::CasesLack { cases }),
        (true, false) => Ok(next),
    })
}

async fn move_cases(connection: &mut PgConnection, next: u32) -> Result<Moved, sqlx::Error> {
    let key_id = store::stored(next)?;
    let rules = Rules::shipped().refresh(&mut *connection).await?;
    let watched = store::of_standing_questions(connection).await?;
    let before = named(connection, &watched).await?;
    store::declared(connection, key_id).await?;
    let moved = store::cases(connection, key_id).await?;
    let after = named(connection, &watched).await?;
    store::standing_questions(connection, &pairs(&rules, &before, &after)).await?;
    pass::derive_all_keys(connection, &rules).await?;
    Ok(moved)
}

/// The cases of this name.
async fn named(
    connection: &mut PgConnection,
    cases: &[(OfficeId, String)],
) -> Result<Vec<Kept>, sqlx::Error> {
    let mut names: HashMap<OfficeId, Vec<String>> = HashMap::new();
    for (office_id, name) in cases {
        names.entry(*office_id).or_default().push(name.clone());
    }
    let mut found = Vec::with_capacity(cases.len());
    for (office_id, names) in names {
        found.extend(replay::cases(connection, office_id, &names).await?);
    }
    found.sort_by(|a, b| (a.office_id, &a.source_case_id).cmp(&(b.office_id, &b.source_case_id)));
    Ok(found)
}

/// Keys before and after: a case's tokens have changed and nothing else, so that its keys come in the same order.
fn pairs(
    rules: &RuleSet,
    before: &[Kept],
    after: &[Kept],
) -> Vec<(OfficeId, MatterKey, MatterKey)> {
    before
        .iter()
        .zip(after)
        .flat_map(|(before, after)| {
            let former = rules.keys_in_order(&facts(before));
            let next = rules.keys_in_order(&facts(after));
            let office_id = before.office_id;
            let pairs = former.into_iter().zip(next);
            pairs
                .filter(|(former, next)| former != next)
                .map(move |(former, next)| (office_id, former, next))
        })
        .collect()
}

fn facts(case: &Kept) -> MatterFacts<'_> {
    MatterFacts {
        matter_type: case.matter_type,
        parties: &case.parties,
        subjects: &case.subjects,
        place_of_use: case.place_of_use.as_deref(),
    }
}
