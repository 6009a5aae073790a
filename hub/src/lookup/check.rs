//! One look-up: budget, search, disclosure, audit, answer. Nothing is answered that is not recorded.

use std::sync::Arc;
use std::time::Instant;

use data_encoding::HEXLOWER;
use linkage::matter::{MatterType, RuleSet, Severity, Shown};
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
use crate::rules::Rules;
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
    rules: Rules,
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

/// A case as far as it may be told; what may not is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hit {
    pub office_id: Option<OfficeId>,
    pub office_name: String,
    pub case_no: Option<String>,
    pub matter_type: Option<MatterType>,
    pub state: Option<CaseState>,
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
    pub fn new(pool: PgPool, audit: Audit, rules: Rules, config: &config::Lookup) -> Self {
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
        let rules = self.rules.current();
        let wanted = disclosure::wanted(&rules, &question);
        let intake = Intake::new(&rules, &question, asker, now);
        let untold = disclosure::untold_intents(&rules, &question);
        let mut intents = self.intents(asker, &question, &intake, &untold).await?;
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
            hits: found
                .into_iter()
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
        untold: &[MatterType],
    ) -> Result<Intents, sqlx::Error> {
        let begin = || Intents::begin(&self.pool, asker, question, intake.keys(), untold);
        match begin().await {
            Err(sqlx::Error::Io(_)) => begin().await,
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

/// A case found, cut down to what the rules let other offices be told of its matter.
fn hit(rules: &RuleSet, asker: Asker, found: Found, grade: Grade) -> Hit {
    let least = Hit {
        by_identifier: found.by_identifier,
        by_subject: found.by_subject,
        severity: grade.severity,
        ..Hit::default()
    };
    let case = || Hit {
        office_id: Some(found.office_id),
        office_name: found.office_name.clone(),
        case_no: found.case_no.clone(),
        matter_type: Some(found.matter_type),
        state: Some(found.state),
        accepted_on: found.accepted_on,
        first_accepting: grade.first_accepting,
        ..least.clone()
    };
    let shown = match found.office_id == asker.office_id {
        true => Shown::Names,
        false => disclosure::shown(rules, found.matter_type),
    };
    match shown {
        Shown::Hit => least,
        Shown::Case => case(),
        Shown::Names => Hit {
            masked_names: found.masked_names.clone(),
            ..case()
        },
    }
}
