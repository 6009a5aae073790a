//! One look-up: budget, search, disclosure, audit, answer. Nothing is answered that is not recorded.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Instant;

use linkage::matter::{MatterType, RuleSet};
use linkage::office::OfficeId;
use metrics::{counter, histogram};
use sqlx::PgPool;
use time::OffsetDateTime;

use super::budget::Budgets;
use super::disclosure;
use super::feeds::Feeds;
use super::hit::{Hit, hit};
use super::intent::Intents;
use super::persons::{Persons, undetermined};
use super::question::{Asker, Denial, Question};
use super::record::{asked, entry, told};
use super::search::{self, Search};
use super::severity::{Intake, graded};
use crate::alarm::{Alarms, Asked};
use crate::audit::{Action, Actor, Audit, AuditError, Entry, Outcome, Receipt};
use crate::config;
use crate::linking::LinkingError;
use crate::linking::model::Models;
use crate::rules::Rules;
use crate::store::lookup::intent::Standing;
use crate::store::lookup::{Freshness, Wanted};
use crate::store::pool::Lookups;
use crate::store::token_key::NotEntered;
use crate::telemetry::metrics::{LOOKUP_SECONDS, LOOKUPS};
use crate::traffic::Traffic;

/// Looks up on behalf of notaries.
#[derive(Debug)]
pub struct Lookup {
    pub(super) pools: Lookups,
    pub(super) audit: Audit,
    pub(super) rules: Rules,
    pub(super) models: Models,
    budgets: Budgets,
    alarms: Alarms,
    pub(super) feeds: Feeds,
    pub(super) traffic: Traffic,
}

/// What a notary hears.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The most recently accepted first.
    pub hits: Vec<Hit>,
    pub truncated: bool,
    pub feeds: Arc<[Freshness]>,
    pub receipt: Receipt,
    /// Other offices' intents to accept the matter, the latest first.
    pub intents: Vec<Standing>,
    /// Until when the own intent stands, if it was registered with the question.
    pub intent_expires_at: Option<OffsetDateTime>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    #[error(transparent)]
    Denied(#[from] Denial),
    #[error(transparent)]
    Key(NotEntered),
    #[error("search the cases: {0}")]
    Database(#[from] sqlx::Error),
    #[error("compare persons: {0}")]
    Linking(LinkingError),
    #[error(transparent)]
    Audit(#[from] AuditError),
}

impl From<NotEntered> for LookupError {
    fn from(error: NotEntered) -> Self {
        match error {
            NotEntered::Database(error) => Self::Database(error),
            error => Self::Key(error),
        }
    }
}

impl From<LinkingError> for LookupError {
    fn from(error: LinkingError) -> Self {
        match error {
            LinkingError::Database(error) => Self::Database(error),
            error => Self::Linking(error),
        }
    }
}

impl Lookup {
    pub fn new(
        pools: Lookups,
        audit: Audit,
        rules: Rules,
        models: Models,
        alarms: Alarms,
        traffic: Traffic,
        config: &config::Lookup,
    ) -> Self {
        Self {
            feeds: Feeds::new(pools.hub.clone()),
            pools,
            audit,
            rules,
            models,
            budgets: Budgets::new(config),
            alarms,
            traffic,
        }
    }

    /// Where it looks.
    pub(crate) fn pool(&self) -> PgPool {
        self.pools.hub.clone()
    }

    /// Answers a question, or records that it is denied.
    pub async fn check(&self, asker: Asker, question: Question) -> Result<Answer, LookupError> {
        let begun = Instant::now();
        let _under_way = self.traffic.enter();
        let action = Action::CheckApplication;
        self.admit(asker, &question, action, NonZeroU32::MIN)
            .await?;
        let now = OffsetDateTime::now_utc();
        let rules = self.rules.current();
        let wanted = disclosure::wanted(&rules, &question);
        let intake = Intake::new(&rules, &question, asker, now);
        let untold = disclosure::untold_intents(&rules, &question);
        let mut intents = self
            .intents(&rules, asker, &question, &intake, &untold)
            .await?;
        let search = self
            .search(&rules, asker, &question, wanted, &mut intents)
            .await?;
        let asked_for = Asked::of(asker, &question, |about| {
            search.has_found(&question, about) || !intents.others.is_empty()
        });
        let Search {
            found,
            persons,
            truncated,
        } = search;
        let feeds = self.feeds.now().await?;
        let grades = graded(&intake, &found, truncated);
        let outcome = match found.is_empty() && intents.others.is_empty() {
            true => Outcome::NoHit,
            false => Outcome::Hit,
        };
        let mut detail = asked(&question);
        detail["told"] = told(&found);
        detail["truncated"] = truncated.into();
        if !intents.others.is_empty() {
            let offices = intents
                .others
                .iter()
                .map(|intent| intent.office_id.as_str());
            detail["intents_told"] = offices.collect();
        }
        let entry = entry(asker, &question, action, outcome, detail);
        let receipt = self.record(asked_for, entry).await?;
        // Behind the entry: the log may speak of an intent that failed, but no intent stands that it is silent about.
        intents.commit().await?;
        counter!(LOOKUPS, "outcome" => outcome.code()).increment(1);
        histogram!(LOOKUP_SECONDS).record(begun.elapsed().as_secs_f64());
        Ok(Answer {
            hits: found
                .into_iter()
                .zip(persons)
                .zip(grades)
                .map(|(found, grade)| hit(&rules, asker, found, grade))
                .collect(),
            truncated,
            feeds,
            receipt,
            intent_expires_at: intents.expires_at,
            intents: intents.others,
        })
    }

    /// Records that somebody was denied before there was a question. `office_id` is the certificate's.
    pub async fn deny(
        &self,
        office_id: OfficeId,
        actor: Actor,
        action: Action,
        denial: Denial,
    ) -> LookupError {
        let entry = denial.entry(office_id, actor, action);
        self.record_denial(entry, denial).await
    }

    /// Lets so many look-ups begin, or records why not: the one gate of all that is looked up.
    pub(super) async fn admit(
        &self,
        asker: Asker,
        question: &Question,
        action: Action,
        count: NonZeroU32,
    ) -> Result<(), LookupError> {
        let denial = match self.budgets.spend(asker, count) {
            Err(denial) => denial,
            Ok(()) if self.alarms.is_suspended(asker).await? => Denial::Suspended,
            Ok(()) => return Ok(()),
        };
        Err(self.denied(asker, question, action, denial).await)
    }

    /// Records a look-up that is about to be answered, and has the alarms see it.
    pub(super) async fn record(&self, asked: Asked, entry: Entry) -> Result<Receipt, LookupError> {
        let receipt = self.audit.append(entry).await?;
        self.alarms.see(asked, receipt.entry_no).await?;
        Ok(receipt)
    }

    /// The same of several, all or none.
    pub(super) async fn record_all(
        &self,
        look_ups: Vec<(Asked, Entry)>,
    ) -> Result<Vec<Receipt>, LookupError> {
        let (asked, entries): (Vec<_>, Vec<_>) = look_ups.into_iter().unzip();
        let receipts = self.audit.append_all(entries).await?;
        for (asked, receipt) in asked.into_iter().zip(&receipts) {
            self.alarms.see(asked, receipt.entry_no).await?;
        }
        Ok(receipts)
    }

    pub(super) async fn denied(
        &self,
        asker: Asker,
        question: &Question,
        action: Action,
        denial: Denial,
    ) -> LookupError {
        let mut detail = asked(question);
        detail["denied"] = denial.code().into();
        let entry = entry(asker, question, action, Outcome::Denied, detail);
        self.record_denial(entry, denial).await
    }

    async fn record_denial(&self, entry: Entry, denial: Denial) -> LookupError {
        if let Err(error) = self.audit.append(entry).await {
            return error.into();
        }
        counter!(LOOKUPS, "outcome" => Outcome::Denied.code()).increment(1);
        denial.into()
    }

    /// As with [`Self::search`], a dead connection is found here; nothing has been committed on it.
    async fn intents<'a>(
        &self,
        rules: &'a RuleSet,
        asker: Asker,
        question: &Question,
        intake: &'a Intake<'_>,
        untold: &'a [MatterType],
    ) -> Result<Intents<'a>, LookupError> {
        let begin = || {
            Intents::begin(
                &self.pools.held,
                rules,
                asker,
                question,
                intake.keys(),
                untold,
            )
        };
        match begin().await {
            Err(LookupError::Database(sqlx::Error::Io(_))) => begin().await,
            result => result,
        }
    }

    /// The exact path costs one statement; candidates are asked for only where a party has no verified number. The pool
    /// does not ask before each use whether its connection still lives; a dead one is found here.
    async fn search(
        &self,
        rules: &RuleSet,
        asker: Asker,
        question: &Question,
        wanted: Wanted,
        intents: &mut Intents<'_>,
    ) -> Result<Search, LookupError> {
        if question
            .parties
            .iter()
            .all(|party| undetermined(party).is_none())
        {
            let search = search::exact(&self.pools.searches, asker, &wanted, intents);
            return match search.await {
                Err(sqlx::Error::Io(_)) => {
                    Ok(search::exact(&self.pools.searches, asker, &wanted, intents).await?)
                }
                result => Ok(result?),
            };
        }
        let mut connection = search::living(&self.pools.hub).await?;
        let (parties, models) = (&question.parties, &self.models);
        let persons =
            Persons::candidates(&mut connection, models, parties, 0..parties.len()).await?;
        drop(connection);
        let persons = persons.as_ref();
        Ok(search::with_persons(&self.pools, rules, asker, wanted, persons, intents).await?)
    }
}
