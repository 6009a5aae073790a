//! All cases of the hub, page by page: their keys derived anew, or duplicates sought for them again.
//!
//! Keys come before findings, numbers before persons, in three passes. If a page's duplicates were sought as soon as it had its new keys, cases
//! further on would still stand behind old ones, and findings would be closed that hold.

use linkage::matter::{MatterFacts, MatterKey, RuleSet};
use linkage::office::OfficeId;
use sqlx::{PgConnection, PgPool};
use time::Date;

use super::{Effect, keys, persons};
use crate::case::CaseKey;
use crate::local_time::local_day;
use crate::rules::Rules;
use crate::store::case::child::{self, Keyed, rank};
use crate::store::duplicate::Sought;
use crate::store::duplicate::replay::{self, Kept};
use crate::store::{linking, tx};

/// Cases of one page: the office's feed waits meanwhile.
const PAGE: i64 = 500;

/// Who else may store cases in this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Company {
    /// Nobody whose work this pass could miss.
    Alone,
    /// Writers, who have to be waited for.
    Writers,
}

/// What one page came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Paged {
    pub(super) cases: usize,
    /// The page's last case; `None` when the office has no more.
    pub(super) last: Option<String>,
    pub(super) effect: Effect,
}

/// Gives the office's next cases the keys that they have under `rules`.
pub(super) async fn derive_keys(
    connection: &mut PgConnection,
    rules: &RuleSet,
    office_id: OfficeId,
    behind: &str,
) -> Result<Paged, sqlx::Error> {
    let cases = replay::page(connection, office_id, behind, PAGE).await?;
    let derived: Vec<Vec<MatterKey>> = cases.iter().map(|case| keys_of(rules, case)).collect();
    let anew: Vec<Keyed<'_>> = cases
        .iter()
        .zip(&derived)
        .map(|(case, keys)| Keyed {
            office_id,
            source_case_id: &case.source_case_id,
            keys,
            rank: rank(case.state, case.accepted_on),
        })
        .zip(&cases)
        .filter(|(keyed, case)| !is_as_stored(keyed, case))
        .map(|(keyed, _)| keyed)
        .collect();
    let cleared: Vec<CaseKey<'_>> = anew
        .iter()
        .map(|keyed| (keyed.office_id, keyed.source_case_id))
        .collect();
    child::clear_matter_keys(connection, &cleared).await?;
    child::insert_matter_keys(connection, anew.into_iter()).await?;
    Ok(paged(cases, Effect::default()))
}

/// Gives every case of the hub the keys that it has under `rules`, in a transaction that nobody else stores cases beside.
pub(crate) async fn derive_all_keys(
    connection: &mut PgConnection,
    rules: &RuleSet,
) -> Result<(), sqlx::Error> {
    for office_id in replay::offices(connection).await? {
        let mut behind = Some(String::new());
        while let Some(last) = behind {
            behind = derive_keys(connection, rules, office_id, &last).await?.last;
        }
    }
    Ok(())
}

/// Seeks what persons show again for the office's next cases.
pub(super) async fn seek_persons(
    connection: &mut PgConnection,
    rules: &RuleSet,
    office_id: OfficeId,
    behind: &str,
) -> Result<Paged, sqlx::Error> {
    let names = replay::names(connection, office_id, behind, PAGE).await?;
    let (cases, last) = (names.len(), names.last().cloned());
    let here = names.into_iter().map(|name| (office_id, name)).collect();
    let effect = persons::find(connection, rules, &here).await?;
    Ok(Paged {
        cases,
        last,
        effect,
    })
}

/// The same for every case of the hub, a page in a transaction, after all persons became others at once. `told` hears
/// how many cases were looked at.
pub(crate) async fn follow_persons<E: From<sqlx::Error>>(
    pool: &PgPool,
    rules: &Rules,
    mut told: impl AsyncFnMut(usize) -> Result<(), E>,
) -> Result<(), E> {
    let offices = replay::offices(&mut *pool.acquire().await?).await?;
    let mut cases = 0;
    for office_id in offices {
        let mut behind = Some(String::new());
        while let Some(last) = behind {
            let paged = tx::tx(pool, "rules.persons", async |transaction| {
                linking::lock_clusters(&mut *transaction).await?;
                let rules = rules.refresh(&mut *transaction).await?;
                seek_persons(transaction, &rules, office_id, &last).await
            })
            .await?;
            cases += paged.cases;
            told(cases).await?;
            behind = paged.last;
        }
    }
    Ok(())
}

/// Seeks duplicates again for those of the office's next cases that are not older than `since`.
pub(super) async fn seek(
    connection: &mut PgConnection,
    rules: &RuleSet,
    office_id: OfficeId,
    behind: &str,
    since: Option<Date>,
    company: Company,
) -> Result<Paged, sqlx::Error> {
    let cases = replay::page(connection, office_id, behind, PAGE).await?;
    let wanted: Vec<&Kept> = cases
        .iter()
        .filter(|case| since.is_none_or(|since| day_of(case) >= since))
        .collect();
    let derived: Vec<Vec<MatterKey>> = wanted.iter().map(|case| keys_of(rules, case)).collect();
    let sought: Vec<Sought<'_>> = wanted
        .iter()
        .zip(&derived)
        .map(|(case, keys)| Sought {
            office_id,
            source_case_id: &case.source_case_id,
            matter_type: case.matter_type,
            state: case.state,
            applied_on: case.applied_on,
            accepted_on: case.accepted_on,
            first_recorded_at: Some(case.first_recorded_at),
            keys,
        })
        .collect();
    let here: Vec<CaseKey<'_>> = sought
        .iter()
        .map(|case| (case.office_id, case.source_case_id))
        .collect();
    let effect = match company {
        Company::Alone => super::look(connection, rules, &sought, &here).await?,
        Company::Writers => super::find(connection, rules, &sought, &here, &[]).await?,
    };
    Ok(paged(cases, effect))
}

fn paged(cases: Vec<Kept>, effect: Effect) -> Paged {
    Paged {
        cases: cases.len(),
        last: cases
            .into_iter()
            .next_back()
            .map(|case| case.source_case_id),
        effect,
    }
}

fn keys_of(rules: &RuleSet, case: &Kept) -> Vec<MatterKey> {
    let facts = MatterFacts {
        matter_type: case.matter_type,
        parties: &case.parties,
        subjects: &case.subjects,
        place_of_use: case.place_of_use.as_deref(),
    };
    keys(rules, case.state, &facts)
}

fn is_as_stored(keyed: &Keyed<'_>, case: &Kept) -> bool {
    let derived = keyed.keys.iter().map(|key| (*key, keyed.rank));
    derived.eq(case.keys.iter().copied())
}

/// A case's day as the rules see it.
fn day_of(case: &Kept) -> Date {
    case.accepted_on
        .or(case.applied_on)
        .unwrap_or_else(|| local_day(case.first_recorded_at))
}
