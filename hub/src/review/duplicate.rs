//! Possible duplicates: a finding of the rules is confirmed or dismissed by a person.
//!
//! A decision stands on facts: the revisions of both cases and the version of the rules. It outlives every
//! re-evaluation that leaves them as they were. When they change, the finding is open again and shows what was decided
//! before; deciding anew does not undo that, and withdrawing the newest brings back what stood before it.

use std::sync::Arc;

use linkage::matter::{RuleSet, Severity, Shown};
use linkage::office::OfficeId;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Decided, Desk, Grounds, Review, ReviewError};
use crate::audit::{Action, Existence, Outcome};
use crate::codes::codes;
use crate::lookup::disclosure;
use crate::store::duplicate::Basis;
use crate::store::review::beside;
use crate::store::review::duplicate::{
    self as store, Behind, Decision, Finding, NewDecision, Wanted,
};
use crate::store::scope;
use crate::store::tx::{self, retried};

/// What a decision stands on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    pub left_revision: i64,
    pub right_revision: i64,
    pub rules_version: String,
}

/// What a person makes of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// 认定
    Confirmed,
    /// 排除
    Dismissed,
}

codes!(Verdict { Confirmed = "confirmed", Dismissed = "dismissed" });

/// Where a finding stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingState {
    /// Nobody decided on these facts.
    #[default]
    Open,
    Confirmed,
    Dismissed,
}

codes!(FindingState {
    Open = "open" "待处理",
    Confirmed = "confirmed" "已认定",
    Dismissed = "dismissed" "已排除",
});

impl Finding {
    /// The decision that stands on today's facts.
    pub fn standing(&self) -> Option<&Decision> {
        let decision = self.decision.as_ref();
        decision.filter(|decision| decision.facts == self.facts)
    }

    pub fn state(&self) -> FindingState {
        match self.standing().map(|decision| decision.verdict) {
            None => FindingState::Open,
            Some(Verdict::Confirmed) => FindingState::Confirmed,
            Some(Verdict::Dismissed) => FindingState::Dismissed,
        }
    }

    /// What a desk may see of it. A notary's has a part in it, and the rules let the other office's case be shown
    /// beside the own; its parties only where they let names be told.
    fn told_to(mut self, desk: Desk, rules: &RuleSet) -> Option<Self> {
        let Desk::Office(own) = desk else {
            return Some(self);
        };
        let [left, right] = &mut self.cases;
        let (mine, other) = match own {
            own if own == left.office_id => (left, right),
            own if own == right.office_id => (right, left),
            _ => return None,
        };
        if !disclosure::is_comparable(rules, mine.matter_type, other.matter_type) {
            return None;
        }
        if disclosure::shown(rules, other.matter_type) != Shown::Names {
            other.parties.clear();
        }
        Some(self)
    }
}

/// A finding with what it rests on.
#[derive(Clone, Debug)]
pub struct FindingRead {
    pub finding: Finding,
    /// Of one by persons: mentions of the two cases that are held for one person, to be read as a pair.
    pub pairs: Vec<[Uuid; 2]>,
    /// Everything that was decided, the newest first.
    pub decisions: Vec<Decision>,
}

/// A decision to be made.
#[derive(Clone, Debug)]
pub struct Decide {
    pub finding_id: Uuid,
    pub verdict: Verdict,
    pub grounds: Grounds,
    /// What the decider has read.
    pub facts: Facts,
}

/// Which findings are asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked {
    /// Of which one of this office's cases is part; a notary's desk has those of the own one.
    pub office: Option<OfficeId>,
    pub severity: Option<Severity>,
    pub state: FindingState,
}

/// Findings as a desk may see them.
#[derive(Clone, Debug)]
pub struct Queue {
    asked: Asked,
    desk: Desk,
    rules: Arc<RuleSet>,
}

impl Queue {
    pub const fn state(&self) -> FindingState {
        self.asked.state
    }

    /// Whether what `office_id` holds may be named by its key.
    pub fn owns(&self, office_id: OfficeId) -> bool {
        self.desk.owns(office_id)
    }

    /// What people are told of a rule's findings; nothing of a rule that is not in force any more.
    pub fn notice_zh(&self, rule_id: &str) -> &str {
        let rule = self.rules.rules().iter().find(|rule| rule.id() == rule_id);
        rule.map_or("", |rule| rule.notice_zh())
    }

    /// What is recorded of it.
    pub fn detail(&self) -> Value {
        json!({
            "of": "duplicates",
            "office": self.asked.office,
            "severity": self.asked.severity.map(Severity::code),
            "state": self.asked.state.code(),
        })
    }

    /// Up to `most` of them, the newest first, and behind which one the next page begins, if there may be one.
    pub async fn page(
        &self,
        connection: &mut PgConnection,
        behind: Option<Behind>,
        most: i64,
    ) -> Result<(Vec<Finding>, Option<Behind>), sqlx::Error> {
        let Asked {
            office,
            severity,
            state,
        } = self.asked;
        let wanted = Wanted {
            office,
            told_to: self.desk.office_id(),
            severity,
            state,
            behind,
        };
        let incomparable = disclosure::incomparable(&self.rules);
        let ids = store::page(&mut *connection, &wanted, &incomparable, most).await?;
        let findings = store::load(connection, &ids).await?;
        let is_full = ids.len() as i64 == most;
        let last = findings.last().filter(|_| is_full);
        let last = last.map(|last| (last.found_at, last.finding_id));
        let told = findings.into_iter();
        let told = told.filter_map(|finding| finding.told_to(self.desk, &self.rules));
        Ok((told.collect(), last))
    }
}

impl Review<'_> {
    /// What is asked for, cut down to what this desk may see.
    pub fn queue(&self, asked: Asked) -> Queue {
        Queue {
            asked: Asked {
                office: self.desk.office_id().or(asked.office),
                ..asked
            },
            desk: self.desk,
            rules: Arc::clone(&self.rules),
        }
    }

    /// A page of findings, the newest first: up to `most`.
    pub async fn findings(
        &self,
        asked: Asked,
        behind: Option<Behind>,
        most: i64,
    ) -> Result<Vec<Finding>, ReviewError> {
        let queue = self.queue(asked);
        let mut connection = self.reading().await?;
        let (findings, _) = queue.page(&mut connection, behind, most).await?;
        self.record(Action::ListReviews, Outcome::Done, queue.detail())
            .await?;
        Ok(findings)
    }

    /// One finding with what it rests on and everything that was ever decided about it.
    pub async fn finding(&self, finding_id: Uuid) -> Result<FindingRead, ReviewError> {
        let mut connection = self.reading().await?;
        let finding = self
            .visible(&mut connection, finding_id, Action::ReadReview)
            .await?;
        let decisions = store::history(&mut connection, finding_id).await?;
        let [left, right] = &finding.cases;
        let reviewable = finding.cases.iter().all(|case| {
            self.desk.owns(case.office_id)
                || disclosure::is_reviewable(&self.rules, case.matter_type)
        });
        let pairs = match finding.basis {
            Basis::Person if reviewable => {
                let left = (left.office_id, left.source_case_id.as_str());
                let right = (right.office_id, right.source_case_id.as_str());
                beside::pairs(&mut connection, left, right).await?
            }
            Basis::Number | Basis::Person => Vec::new(),
        };
        let detail = json!({ "finding": finding_id });
        self.record(Action::ReadReview, Outcome::Done, detail)
            .await?;
        Ok(FindingRead {
            finding,
            pairs,
            decisions,
        })
    }

    /// Decides. The same decision of the same person again changes nothing and answers the same.
    pub async fn decide(&self, decide: &Decide) -> Result<Decided<Decision>, ReviewError> {
        retried("review.decide_duplicate", || self.decide_once(decide)).await
    }

    async fn decide_once(&self, decide: &Decide) -> Result<Decided<Decision>, ReviewError> {
        let mut transaction = tx::begin(self.pool).await?;
        store::lock(&mut transaction, decide.finding_id).await?;
        self.by.scope().narrow(&mut transaction).await?;
        let finding = self
            .visible(&mut transaction, decide.finding_id, Action::DecideReview)
            .await?;
        scope::widen(&mut transaction).await?;
        if finding.facts != decide.facts {
            return Err(ReviewError::FactsChanged);
        }
        if let Some(standing) = finding.standing() {
            let repeated =
                standing.decided_by == self.account_id() && standing.verdict == decide.verdict;
            return match repeated {
                true => Ok(Decided::Before(standing.clone())),
                false => Err(ReviewError::AlreadyDecided),
            };
        }
        let decision_id = Uuid::now_v7();
        let new = NewDecision {
            decision_id,
            finding_id: decide.finding_id,
            verdict: decide.verdict,
            reason: decide.grounds.as_str(),
            facts: &decide.facts,
            decided_by: self.account_id(),
        };
        store::insert(&mut transaction, &new).await?;
        let written = one(store::decisions(&mut transaction, &[decision_id]).await?)?;
        let detail = json!({
            "finding": decide.finding_id, "decision": decision_id, "verdict": decide.verdict.code(),
        });
        self.record(Action::DecideReview, Outcome::Done, detail)
            .await?;
        transaction.commit().await?;
        Ok(Decided::Now(written))
    }

    /// Withdraws a decision: one's own, or anybody's at the bureau. Doing it again changes nothing.
    pub async fn withdraw_decision(
        &self,
        decision_id: Uuid,
        grounds: &Grounds,
    ) -> Result<Decision, ReviewError> {
        retried("review.withdraw_duplicate", || {
            self.withdraw_once(decision_id, grounds)
        })
        .await
    }

    async fn withdraw_once(
        &self,
        decision_id: Uuid,
        grounds: &Grounds,
    ) -> Result<Decision, ReviewError> {
        let mut transaction = tx::begin(self.pool).await?;
        let detail = json!({ "decision": decision_id });
        let Some(known) = store::decisions(&mut transaction, &[decision_id])
            .await?
            .pop()
        else {
            self.record(Action::WithdrawReview, Outcome::NoHit, detail)
                .await?;
            return Err(ReviewError::NotFound);
        };
        store::lock(&mut transaction, known.finding_id).await?;
        self.by.scope().narrow(&mut transaction).await?;
        let finding = self
            .visible(&mut transaction, known.finding_id, Action::WithdrawReview)
            .await?;
        scope::widen(&mut transaction).await?;
        let decision = one(store::decisions(&mut transaction, &[decision_id]).await?)?;
        if self.desk != Desk::Bureau && decision.decided_by != self.account_id() {
            let error = ReviewError::NotAllowed;
            return Err(self.denied(Action::WithdrawReview, detail, error).await);
        }
        if let Some(withdrawn) = &decision.withdrawn {
            return match withdrawn.by == self.account_id() {
                true => Ok(decision),
                false => Err(ReviewError::Over),
            };
        }
        // Only the newest can be taken back: what came after it was decided knowing it.
        if finding.decision.map(|newest| newest.decision_id) != Some(decision_id) {
            return Err(ReviewError::Over);
        }
        let reason = grounds.as_str();
        store::withdraw(&mut transaction, decision_id, self.account_id(), reason).await?;
        let written = one(store::decisions(&mut transaction, &[decision_id]).await?)?;
        self.record(Action::WithdrawReview, Outcome::Done, detail)
            .await?;
        transaction.commit().await?;
        Ok(written)
    }

    /// The finding if this desk may see it; else the attempt is recorded.
    async fn visible(
        &self,
        connection: &mut PgConnection,
        finding_id: Uuid,
        action: Action,
    ) -> Result<Finding, ReviewError> {
        let detail = json!({ "finding": finding_id });
        let Some(finding) = store::load(connection, &[finding_id]).await?.pop() else {
            // The database does not show it either; the log tells another office's from one that is not there.
            scope::widen(connection).await?;
            let there = Existence::of(store::load(connection, &[finding_id]).await?.pop());
            return Err(self.missing(action, detail, there).await);
        };
        match finding.told_to(self.desk, &self.rules) {
            Some(finding) => Ok(finding),
            None => Err(self.denied(action, detail, ReviewError::NotFound).await),
        }
    }
}

fn one(mut decisions: Vec<Decision>) -> Result<Decision, ReviewError> {
    decisions
        .pop()
        .ok_or(ReviewError::Database(sqlx::Error::RowNotFound))
}
