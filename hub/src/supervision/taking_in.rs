//! Findings of the rules that an inspection takes in: chosen before its notice, notified with it, and to be verified or
//! dismissed before it is closed. Each keeps its own life ([`super::life`]).

use serde_json::json;
use sqlx::PgConnection;
use time::Date;
use uuid::Uuid;

use super::desk::{Desk, DeskError};
use super::inspection::{IllegalAct, InspectionState};
use super::life::{FindingState, Hand, Step};
use crate::audit::{Action, Outcome};
use crate::review::Grounds;
use crate::store::supervision::finding::{self, Finding, NewStep};
use crate::store::supervision::inspection::{Inspection, Read};
use crate::store::supervision::inspection_finding as store;
use crate::store::tx::{self, retried};

/// What stands in the way of closing an inspection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("findings of the inspection are neither verified nor dismissed: {}", self.list())]
pub struct StillOpen(pub Vec<Unfinished>);

/// A finding that people are not done with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    pub finding_id: Uuid,
    pub rule_id: String,
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

    /// For people.
    pub fn list_zh(&self) -> String {
        let named = self.0.iter();
        let named: Vec<String> = named
            .map(|one| format!("{}（{}）", one.rule_id, one.state.label_zh()))
            .collect();
        named.join("、")
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

    /// Notifies the office of what the inspection took in and nobody notified it of before. Returns how many findings the
    /// inspection has.
    pub(super) async fn notify_taken_in(
        &self,
        connection: &mut PgConnection,
        found: &Inspection,
        due_on: Date,
        grounds: &Grounds,
    ) -> Result<usize, DeskError> {
        let ids = store::lock(&mut *connection, found.inspection_id).await?;
        let findings = finding::load(&mut *connection, &ids).await?;
        for open in findings
            .iter()
            .filter(|one| one.state == FindingState::Open)
        {
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
        Ok(findings.len())
    }
}

/// Step of an inspection as the audit log has it.
const TAKE_IN: &str = "take_in";

/// Refuses to end an inspection while people are not done with what it took in.
pub(super) async fn all_ended(
    connection: &mut PgConnection,
    inspection_id: Uuid,
) -> Result<(), DeskError> {
    let ids = store::lock(&mut *connection, inspection_id).await?;
    let findings = finding::load(connection, &ids).await?;
    let open: Vec<Unfinished> = findings.into_iter().filter_map(Unfinished::of).collect();
    match open.is_empty() {
        true => Ok(()),
        false => Err(StillOpen(open).into()),
    }
}

impl Unfinished {
    fn of(finding: Finding) -> Option<Self> {
        let ended = matches!(
            finding.state,
            FindingState::Verified | FindingState::Dismissed
        );
        (!ended).then_some(Self {
            finding_id: finding.finding_id,
            rule_id: finding.rule_id,
            state: finding.state,
        })
    }
}
