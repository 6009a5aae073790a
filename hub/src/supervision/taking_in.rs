//! Findings of the rules that an inspection takes in: chosen before its notice, notified with it, and to be verified or
//! dismissed before it is closed. Each keeps its own life ([`super::life`]).

use serde_json::json;
use sqlx::PgConnection;
use time::Date;
use uuid::Uuid;

use super::desk::{Desk, DeskError};
use super::inspection::{IllegalAct, InspectionState};
use super::life::{FindingState, Hand, Step};
use super::rule::Rules;
use crate::audit::{Action, Outcome};
use crate::review::Grounds;
use crate::store::supervision::finding::{self, Finding, NewStep};
use crate::store::supervision::inspection::{Inspection, Read};
use crate::store::supervision::inspection_finding as store;
use crate::store::tx::{self, retried};

/// Findings that a refusal names; an inspection takes in up to 200.
const NAMED: usize = 5;

/// What stands in the way of closing an inspection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("findings of the inspection are neither verified nor dismissed: {}", self.list())]
pub struct StillOpen(pub Vec<Unfinished>);

/// A finding that people are not done with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    pub finding_id: Uuid,
    pub rule_id: String,
    /// What the rule is called.
    pub title: String,
    /// What the finding is about, and its key.
    pub about_zh: String,
    pub state: FindingState,
}

impl StillOpen {
    fn list(&self) -> String {
        let named = self.0.iter();
        let named: Vec<String> = named
            .map(|one| format!("{} {} ({})", one.rule_id, one.finding_id, one.state.code()))
            .collect();
        named.join(", ")
    }

    /// For people: some of them, and how many there are.
    pub fn list_zh(&self) -> String {
        let named = self.0.iter().take(NAMED);
        let named: Vec<String> = named
            .map(|one| {
                format!(
                    "{}（{}，{}）",
                    one.title,
                    one.about_zh,
                    one.state.label_zh()
                )
            })
            .collect();
        let named = named.join("、");
        match self.0.len() {
            all if all > NAMED => format!("{named}等 {all} 项"),
            _ => named,
        }
    }
}

/// Whether an inspection still chooses what it takes in.
const fn chooses(state: InspectionState) -> bool {
    matches!(state, InspectionState::Planned | InspectionState::Recorded)
}

impl Desk<'_> {
    /// Says which findings of the office an inspection takes in, before its notice.
    ///
    /// # Errors
    /// [`DeskError::NotToTakeIn`] when one is no finding of the office that people are not done with.
    pub async fn take_in(
        &self,
        inspection_id: Uuid,
        finding_ids: &[Uuid],
    ) -> Result<Read, DeskError> {
        retried("supervision.take_in", || {
            self.take_in_once(inspection_id, finding_ids)
        })
        .await?;
        self.inspection(inspection_id).await
    }

    async fn take_in_once(
        &self,
        inspection_id: Uuid,
        finding_ids: &[Uuid],
    ) -> Result<(), DeskError> {
        let action = Action::TakeInspectionStep;
        let detail =
            json!({ "inspection": inspection_id, "step": TAKE_IN, "findings": finding_ids });
        if self.hand() != Hand::Bureau {
            self.record(action, Outcome::Denied, detail).await?;
            return Err(DeskError::NotAllowed);
        }
        let mut transaction = tx::begin(self.pool).await?;
        let found = self.locked(&mut transaction, inspection_id, action).await?;
        if !chooses(found.state) {
            return Err(IllegalAct {
                from: found.state,
                step: TAKE_IN,
            }
            .into());
        }
        let office = found.office_id;
        let taken = store::replace(&mut transaction, inspection_id, office, finding_ids).await?;
        if taken != finding_ids.len() as u64 {
            return Err(DeskError::NotToTakeIn);
        }
        self.record(action, Outcome::Done, detail).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Notifies the office of what the inspection took in and nobody notified it of before; what no rule finds any more is
    /// left out again. Returns how many findings the inspection has.
    pub(super) async fn notify_taken_in(
        &self,
        connection: &mut PgConnection,
        found: &Inspection,
        due_on: Date,
        grounds: &Grounds,
    ) -> Result<usize, DeskError> {
        let ids = store::lock(&mut *connection, found.inspection_id).await?;
        let findings = finding::load(&mut *connection, &ids).await?;
        let (gone, left): (Vec<Finding>, Vec<Finding>) =
            findings.into_iter().partition(Finding::is_gone);
        let gone: Vec<Uuid> = gone.iter().map(|one| one.finding_id).collect();
        store::leave_out(&mut *connection, found.inspection_id, &gone).await?;
        for open in left.iter().filter(|one| one.state == FindingState::Open) {
            let step = NewStep {
                finding_id: open.finding_id,
                step: Step::Notify,
                to: open.state.transition(Step::Notify)?,
                reason: grounds.as_str(),
                facts: open.facts,
                taken_by: self.by.account_id,
                due_on: Some(due_on),
            };
            finding::take(&mut *connection, &step).await?;
        }
        Ok(left.len())
    }
}

/// Step of an inspection as the audit log has it.
const TAKE_IN: &str = "take_in";

/// Refuses to end an inspection while people are not done with what it took in. `rules` say what the rules are called.
pub(super) async fn all_ended(
    connection: &mut PgConnection,
    inspection_id: Uuid,
    rules: &Rules,
) -> Result<(), DeskError> {
    let ids = store::lock(&mut *connection, inspection_id).await?;
    let findings = finding::load(connection, &ids).await?;
    let open = findings.into_iter();
    let open: Vec<Unfinished> = open.filter_map(|one| Unfinished::of(one, rules)).collect();
    match open.is_empty() {
        true => Ok(()),
        false => Err(StillOpen(open).into()),
    }
}

impl Unfinished {
    fn of(finding: Finding, rules: &Rules) -> Option<Self> {
        let decided = matches!(
            finding.state,
            FindingState::Verified | FindingState::Dismissed
        );
        let ended = decided || finding.is_gone();
        let rule = rules.rule(&finding.rule_id);
        (!ended).then(|| Self {
            finding_id: finding.finding_id,
            title: rule.map_or(&finding.rule_id, |rule| &rule.title).clone(),
            about_zh: format!("{} {}", finding.about.key_zh(), finding.about_key),
            rule_id: finding.rule_id,
            state: finding.state,
        })
    }
}
