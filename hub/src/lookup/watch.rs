//! Standing questions (关注): an office that checked or opened a matter hears when another one opens it.
//!
//! What is there already is counted in the answer; whatever comes while the question stands is told by a notice. How
//! the two are kept apart when both happen at one moment is in [`crate::duplicates::watched`].

use std::num::NonZeroU32;
use std::time::Instant;

use linkage::matter::{MatterKey, RuleSet};
use linkage::office::OfficeId;
use metrics::{counter, histogram};
use serde_json::{Value, json};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::check::{Lookup, LookupError};
use super::disclosure;
use super::question::{Asker, Denial, Question};
use super::record::{asked, entry};
use super::search::living;
use super::severity::Intake;
use crate::alarm::Asked;
use crate::audit::{Action, Actor, Entry, Outcome, Receipt};
use crate::duplicates::watched::{Asking, Intent, intended, there_already};
use crate::store::duplicate::{lock_stripes, stripes};
use crate::store::lookup::intent::Standing;
use crate::store::lookup::watch::{self, NewWatch, Put, Watch};
use crate::store::token_key::{self, Told};
use crate::store::{scope, tx};
use crate::telemetry::metrics::{LOOKUP_SECONDS, LOOKUPS};

/// For how long a question stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days(u16);

/// A question that was put.
#[derive(Clone, Debug)]
pub struct Watching {
    pub watch: Watch,
    /// Other offices' cases and intents of the matter that are there already.
    pub already_open: usize,
    pub receipt: Receipt,
}

/// What of the matter is there already.
struct There {
    cases: Vec<(OfficeId, String)>,
    intents: Vec<Standing>,
}

impl Days {
    /// 1 to 366; 0 stands for the usual 90.
    pub fn new(days: u32) -> Option<Self> {
        match days {
            0 => Some(Self(90)),
            1..=366 => u16::try_from(days).ok().map(Self),
            _ => None,
        }
    }
}

impl Lookup {
    /// Puts a standing question whose tokens are made with the key `told`, or records that it is denied.
    pub async fn watch(
        &self,
        asker: Asker,
        question: Question,
        days: Days,
        told: Told,
    ) -> Result<Watching, LookupError> {
        let begun = Instant::now();
        let action = Action::WatchMatter;
        let rules = self.rules.current();
        let intake = Intake::new(&rules, &question, asker, OffsetDateTime::now_utc());
        self.admit(asker, &question, action, NonZeroU32::MIN)
            .await?;
        if let Err(denial) = watchable(&rules, &question, &intake) {
            return Err(self.denied(asker, &question, action, denial).await);
        }
        // A dead connection is found here rather than by the transaction.
        drop(living(&self.pools.held).await?);
        let mut transaction = tx::begin(&self.pools.held).await?;
        token_key::enter_told(&mut transaction, told).await?;
        lock_stripes(&mut transaction, &stripes(intake.keys().iter())).await?;
        let new = NewWatch {
            asker,
            matter_type: question.matter_type,
            purpose: question.purpose,
            case_reference: &question.case_reference,
            days: days.0.into(),
            keys: intake.keys(),
        };
        watch::forget(&mut transaction, asker.office_id).await?;
        asker.scope().narrow(&mut transaction).await?;
        let put = watch::put(&mut transaction, &new).await?;
        scope::widen(&mut transaction).await?;
        let Put::Stands(watch) = put else {
            transaction.rollback().await?;
            let denial = Denial::TooManyWatches;
            return Err(self.denied(asker, &question, action, denial).await);
        };
        let there = There::find(&mut transaction, &rules, asker, &question, intake.keys()).await?;
        watch::known(&mut transaction, watch.watch_id, &there.events()).await?;
        let outcome = match there.count() {
            0 => Outcome::NoHit,
            _ => Outcome::Hit,
        };
        let mut detail = asked(&question);
        there.recorded(&mut detail);
        detail["watch"] = json!(watch.watch_id);
        let seen = Asked::of(asker, &question, |_| outcome == Outcome::Hit);
        let entry = entry(asker, &question, action, outcome, detail);
        let receipt = self.record(seen, entry).await?;
        // Behind the entry: the log may speak of a question that failed, but none stands that it is silent about.
        transaction.commit().await?;
        counter!(LOOKUPS, "outcome" => outcome.code()).increment(1);
        histogram!(LOOKUP_SECONDS).record(begun.elapsed().as_secs_f64());
        Ok(Watching {
            watch,
            already_open: there.count(),
            receipt,
        })
    }

    /// The standing questions of the asker's office, the newest first.
    pub async fn watches(&self, asker: Asker) -> Result<Vec<Watch>, LookupError> {
        drop(living(&self.pools.hub).await?);
        let mut reading = asker.scope().read(&self.pools.hub).await?;
        let found = watch::standing(&mut reading, asker.office_id).await?;
        drop(reading);
        let ids: Vec<Uuid> = found.iter().map(|watch| watch.watch_id).collect();
        let detail = json!({ "watches": ids });
        self.record_watch(asker, Action::ListWatches, Outcome::Done, detail)
            .await?;
        Ok(found)
    }

    /// Takes a standing question of the asker's office back.
    pub async fn end_watch(&self, asker: Asker, watch_id: Uuid) -> Result<(), LookupError> {
        drop(living(&self.pools.hub).await?);
        let mut reading = asker.scope().read(&self.pools.hub).await?;
        let known = watch::is_known(&mut reading, asker.office_id, watch_id).await?;
        drop(reading);
        let outcome = match known {
            true => Outcome::Done,
            false => Outcome::Denied,
        };
        let detail = json!({ "watch": watch_id });
        self.record_watch(asker, Action::EndWatch, outcome, detail)
            .await?;
        if !known {
            return Err(Denial::NoSuchWatch.into());
        }
        let mut writing = asker.scope().write(&self.pools.hub).await?;
        watch::end(&mut writing, asker.office_id, watch_id).await?;
        Ok(writing.commit().await?)
    }

    async fn record_watch(
        &self,
        asker: Asker,
        action: Action,
        outcome: Outcome,
        detail: Value,
    ) -> Result<(), LookupError> {
        let entry = Entry {
            office_id: Some(asker.office_id),
            ..Entry::of(Actor::Account(asker.account_id), action, outcome, detail)
        };
        self.audit.append(entry).await?;
        Ok(())
    }
}

/// A matter is watched that may be told of, and by something that it is known by.
fn watchable(rules: &RuleSet, question: &Question, intake: &Intake<'_>) -> Result<(), Denial> {
    let field = |path: &str, expected| Denial::Field {
        path: path.to_owned(),
        expected,
    };
    let reference = Some(question.case_reference.as_str());
    match rules.disclosure(question.matter_type) {
        Some(disclosure) if disclosure.sealed_until.is_some() => Err(Denial::Sealed),
        Some(disclosure) if disclosure.admits(question.purpose, reference) => Ok(()),
        _ => Err(field("purpose", "one for which the matter is told of")),
    }?;
    match intake.keys() {
        [] => Err(field(
            "parties",
            "with the subjects what the rules know the matter by, numbers verified",
        )),
        _ => Ok(()),
    }
}

impl There {
    async fn find(
        connection: &mut PgConnection,
        rules: &RuleSet,
        asker: Asker,
        question: &Question,
        keys: &[MatterKey],
    ) -> Result<Self, sqlx::Error> {
        let asking = Asking {
            office_id: asker.office_id,
            matter_type: question.matter_type,
            purpose: question.purpose,
            case_reference: &question.case_reference,
        };
        let untold = disclosure::untold_intents(rules, question);
        asker.scope().narrow_to_look_up(connection, &[]).await?;
        let cases = there_already(connection, rules, &asking, keys).await?;
        let own = Intent {
            office_id: asker.office_id,
            matter_type: question.matter_type,
            keys,
        };
        let intents = intended(connection, rules, own, &untold).await?;
        scope::widen(connection).await?;
        Ok(Self { cases, intents })
    }

    fn count(&self) -> usize {
        self.cases.len() + self.intents.len()
    }

    /// An intent has no case.
    fn events(&self) -> Vec<(OfficeId, &str)> {
        let cases = self
            .cases
            .iter()
            .map(|(office, case)| (*office, case.as_str()));
        let intents = self.intents.iter().map(|intent| (intent.office_id, ""));
        cases.chain(intents).collect()
    }

    fn recorded(&self, detail: &mut Value) {
        let told = self.cases.iter();
        detail["told"] = told
            .map(|(office, case)| json!([office.as_str(), case]))
            .collect();
        if !self.intents.is_empty() {
            let offices = self.intents.iter().map(|intent| intent.office_id.as_str());
            detail["intents_told"] = offices.collect();
        }
    }
}
