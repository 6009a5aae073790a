//! One look-up: budget, search, disclosure, audit, answer. Nothing is answered that is not recorded.

use std::sync::Arc;
use std::time::Instant;

use data_encoding::HEXLOWER;
use linkage::matter::{MatterType, RuleSet, Severity};
use linkage::office::OfficeId;
use linkage::vocabulary::CaseState;
use metrics::{counter, histogram};
use serde_json::{Value, json};
use sqlx::PgPool;
use time::{Date, OffsetDateTime};

use super::budget::Budgets;
use super::disclosure;
use super::feeds::Feeds;
use super::intent::Intents;
use super::question::{Asker, Denial, Question};
use super::severity::{Grade, Intake};
use crate::audit::{Action, Actor, Audit, AuditError, Entry, Outcome, Receipt};
use crate::config;
use crate::store::intent::Standing;
use crate::store::lookup::{self, Found, Freshness, Wanted};
use crate::telemetry::metrics::{LOOKUP_SECONDS, LOOKUPS};

/// Cases told in one answer.
pub const MOST_HITS: usize = 100;

/// Looks up on behalf of notaries.
#[derive(Debug)]
pub struct Lookup {
    pool: PgPool,
    audit: Audit,
    rules: RuleSet,
    budgets: Budgets,
    feeds: Feeds,
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

/// A case as far as it may be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    pub office_id: OfficeId,
    pub office_name: String,
    pub case_no: Option<String>,
    pub matter_type: MatterType,
    pub state: CaseState,
    pub accepted_on: Option<Date>,
    pub by_identifier: bool,
    pub by_subject: bool,
    pub masked_names: Vec<String>,
    pub severity: Option<Severity>,
    pub first_accepting: bool,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    #[error(transparent)]
    Denied(#[from] Denial),
    #[error("search the cases: {0}")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Audit(#[from] AuditError),
}

impl Lookup {
    /// `pool` is the one of look-ups.
    pub fn new(pool: PgPool, audit: Audit, rules: RuleSet, config: &config::Lookup) -> Self {
        Self {
            feeds: Feeds::new(pool.clone()),
            pool,
            audit,
            rules,
            budgets: Budgets::new(config),
        }
    }

    /// Answers a question, or records that it is denied.
    pub async fn check(&self, asker: Asker, question: Question) -> Result<Answer, LookupError> {
        let begun = Instant::now();
        if let Err(denial) = self.budgets.spend(asker) {
            return Err(self.denied(asker, question, denial).await);
        }
        let now = OffsetDateTime::now_utc();
        let wanted = disclosure::wanted(&question);
        let intake = Intake::new(&self.rules, &question, asker, now);
        let mut intents = self.intents(asker, &question, &intake).await?;
        let (mut found, cut) = self.find(&wanted).await?;
        let truncated = cut || found.len() > MOST_HITS;
        found.truncate(MOST_HITS);
        let feeds = self.feeds.now().await?;
        let mut grades = intake.grade_all(&found);
        if truncated {
            // The newest are told; the first acceptance may be among those left out.
            for grade in &mut grades {
                grade.first_accepting = false;
            }
        }

        let outcome = match found.is_empty() && intents.others.is_empty() {
            true => Outcome::NoHit,
            false => Outcome::Hit,
        };
        let mut detail = asked(&question);
        detail["told"] = found.iter().map(name_of).collect();
        detail["truncated"] = truncated.into();
        if !intents.others.is_empty() {
            let offices = intents
                .others
                .iter()
                .map(|intent| intent.office_id.as_str());
            detail["intents_told"] = offices.collect();
        }
        let receipt = self
            .audit
            .append(entry(asker, question, outcome, detail))
            .await?;
        // Behind the entry: the log may speak of an intent that failed, but no intent stands that it is silent about.
        intents.commit().await?;
        counter!(LOOKUPS, "outcome" => outcome.code()).increment(1);
        histogram!(LOOKUP_SECONDS).record(begun.elapsed().as_secs_f64());
        Ok(Answer {
            hits: found.into_iter().zip(grades).map(hit).collect(),
            truncated,
            feeds,
            receipt,
            intent_expires_at: intents.expires_at,
            intents: intents.others,
        })
    }

    /// Records that somebody was denied before there was a question. `office_id` is the certificate's.
    pub async fn deny(&self, office_id: OfficeId, actor: Actor, denial: Denial) -> LookupError {
        let mut detail = json!({ "denied": denial.code() });
        if let Denial::Field { path, .. } = &denial {
            detail["field"] = path.as_str().into();
        }
        let entry = Entry {
            office_id: Some(office_id),
            ..Entry::of(actor, Action::CheckApplication, Outcome::Denied, detail)
        };
        self.record_denial(entry, denial).await
    }

    async fn denied(&self, asker: Asker, question: Question, denial: Denial) -> LookupError {
        let mut detail = asked(&question);
        detail["denied"] = denial.code().into();
        let entry = entry(asker, question, Outcome::Denied, detail);
        self.record_denial(entry, denial).await
    }

    async fn record_denial(&self, entry: Entry, denial: Denial) -> LookupError {
        if let Err(error) = self.audit.append(entry).await {
            return error.into();
        }
        counter!(LOOKUPS, "outcome" => Outcome::Denied.code()).increment(1);
        denial.into()
    }

    /// As with [`Self::find`], a dead connection is found here; nothing has been committed on it.
    async fn intents(
        &self,
        asker: Asker,
        question: &Question,
        intake: &Intake<'_>,
    ) -> Result<Intents, sqlx::Error> {
        match Intents::begin(&self.pool, asker, question, intake.keys()).await {
            Err(sqlx::Error::Io(_)) => {
                Intents::begin(&self.pool, asker, question, intake.keys()).await
            }
            result => result,
        }
    }

    /// The pool does not ask before each use whether its connection still lives; a dead one is found here.
    async fn find(&self, wanted: &Wanted) -> Result<(Vec<Found>, bool), sqlx::Error> {
        let most = MOST_HITS as i64 + 1;
        match lookup::find(&self.pool, wanted, most).await {
            Err(sqlx::Error::Io(_)) => lookup::find(&self.pool, wanted, most).await,
            result => result,
        }
    }
}

fn entry(asker: Asker, question: Question, outcome: Outcome, detail: Value) -> Entry {
    Entry {
        actor: Actor::Account(asker.account_id),
        office_id: Some(asker.office_id),
        action: Action::CheckApplication,
        outcome,
        purpose: Some(question.purpose.code()),
        case_reference: Some(question.case_reference),
        detail,
    }
}

/// What was asked, in tokens and codes.
fn asked(question: &Question) -> Value {
    let parties: Vec<Value> = question
        .parties
        .iter()
        .map(|party| {
            json!({
                "role": party.role.code(),
                "kind": party.kind.code(),
                "token": HEXLOWER.encode(party.token.as_bytes()),
                "verified": party.verified,
            })
        })
        .collect();
    let subjects: Vec<Value> = question
        .subjects
        .iter()
        .map(|(kind, token)| {
            json!({ "kind": kind.code(), "token": HEXLOWER.encode(token.as_bytes()) })
        })
        .collect();
    let mut asked = json!({
        "matter_type": question.matter_type.code(),
        "parties": parties,
        "subjects": subjects,
    });
    if let Some(place) = &question.place_of_use {
        asked["place_of_use"] = place.as_str().into();
    }
    if let Some(action) = question.intent {
        asked["intent"] = action.code().into();
    }
    asked
}

/// Office and the office's own key.
fn name_of(found: &Found) -> Value {
    json!([found.office_id.as_str(), found.source_case_id])
}

fn hit((found, grade): (Found, Grade)) -> Hit {
    Hit {
        office_id: found.office_id,
        office_name: found.office_name,
        case_no: found.case_no,
        matter_type: found.matter_type,
        state: found.state,
        accepted_on: found.accepted_on,
        by_identifier: found.by_identifier,
        by_subject: found.by_subject,
        masked_names: found.masked_names,
        severity: grade.severity,
        first_accepting: grade.first_accepting,
    }
}
