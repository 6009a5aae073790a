//! Inspections (杭司〔2012〕122号 四(三): 检查督导、通报、整改、跟踪问效).
//!
//! | from | step | to | who |
//! |---|---|---|---|
//! | – | plan 计划 | planned | bureau |
//! | planned | record 记录检查情况 | recorded | bureau |
//! | recorded | issue 发出通报 | notified | bureau |
//! | notified | rectify 报整改 | rectified | office |
//! | rectified | return 退回 | notified | bureau |
//! | planned, recorded, notified, rectified | close 办结 | closed | bureau |
//!
//! Before its notice the bureau chooses findings of the rules that it takes in ([`super::taking_in`]). Following up (跟踪问效) is what closes or returns it: both say on what grounds. An office sees an inspection from its
//! notice on. Each page, reading, step and denial has one audit entry, durable before the answer.

use linkage::office::OfficeId;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgConnection;
use time::{Date, OffsetDateTime};
use utoipa::ToSchema;
use uuid::Uuid;

use super::desk::{Desk, DeskError};
use super::life::Hand;
use super::rule::Rules;
use super::taking_in::all_ended;
use crate::audit::{Action, Existence, Outcome};
use crate::codes::codes;
use crate::local_time::local_day;
use crate::review::Grounds;
use crate::store::feed::notice::{self, NewNotice, NoticeKind};
use crate::store::scope;
use crate::store::supervision::inspection::{self as store, Inspection, Read, Wanted};
use crate::store::supervision::{finding, inspection_finding};
use crate::store::tx::{self, retried};

/// Where an inspection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InspectionState {
    /// 已计划
    Planned,
    /// 已检查，待通报
    Recorded,
    /// 已通报，待整改
    Notified,
    /// 已报整改，待跟踪
    Rectified,
    /// 已办结
    Closed,
}

codes!(InspectionState {
    Planned = "planned" "已计划",
    Recorded = "recorded" "待通报",
    Notified = "notified" "待整改",
    Rectified = "rectified" "待跟踪",
    Closed = "closed" "已办结",
});

/// What a person does about it, with what belongs to it.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// What was found on the spot; at least one thing.
    Record(Vec<Grounds>),
    /// By when the office is to have mended it.
    Issue(Date),
    Rectify,
    /// The same day anew.
    Return(Date),
    Close,
}

/// Every act by its code, with what people call it.
pub const ACTS: [(&str, &str); 5] = [
    ("record", "记录检查情况"),
    ("issue", "发出通报"),
    ("rectify", "报送整改"),
    ("return", "退回"),
    ("close", "办结"),
];

/// A step that the table does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an inspection that is {from:?} knows no step {step}")]
pub struct IllegalAct {
    pub from: InspectionState,
    pub step: &'static str,
}

impl Act {
    /// The form in which it is stored.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Record(_) => "record",
            Self::Issue(_) => "issue",
            Self::Rectify => "rectify",
            Self::Return(_) => "return",
            Self::Close => "close",
        }
    }

    const fn hand(&self) -> Hand {
        match self {
            Self::Rectify => Hand::Office,
            _ => Hand::Bureau,
        }
    }

    /// The day that it sets.
    pub const fn due_on(&self) -> Option<Date> {
        match self {
            Self::Issue(due_on) | Self::Return(due_on) => Some(*due_on),
            _ => None,
        }
    }
}

impl InspectionState {
    /// Whether those of that hand find anything in it: an office is told of an inspection from its notice on.
    pub const fn is_told_to(self, hand: Hand) -> bool {
        !matches!((self, hand), (Self::Planned | Self::Recorded, Hand::Office))
    }

    /// Takes a step.
    pub const fn transition(self, act: &Act) -> Result<Self, IllegalAct> {
        use InspectionState::*;
        match (self, act) {
            (Planned, Act::Record(_)) => Ok(Recorded),
            (Recorded, Act::Issue(_)) | (Rectified, Act::Return(_)) => Ok(Notified),
            (Notified, Act::Rectify) => Ok(Rectified),
            // From its notice on where nobody is there to report a rectification.
            (Planned | Recorded | Notified | Rectified, Act::Close) => Ok(Closed),
            (from, act) => Err(IllegalAct {
                from,
                step: act.code(),
            }),
        }
    }
}

/// An inspection to be made.
#[derive(Clone, Debug)]
pub struct Plan {
    pub office_id: OfficeId,
    /// What is looked at.
    pub subject: Grounds,
    pub planned_on: Date,
}

impl Desk<'_> {
    /// Plans an inspection of an office.
    pub async fn plan_inspection(&self, plan: &Plan) -> Result<Inspection, DeskError> {
        let inspection_id = Uuid::now_v7();
        let detail = json!({ "inspection": inspection_id, "office": plan.office_id });
        if self.hand() != Hand::Bureau {
            self.record(Action::PlanInspection, Outcome::Denied, detail)
                .await?;
            return Err(DeskError::NotAllowed);
        }
        let mut transaction = tx::begin(self.pool).await?;
        if !store::insert(&mut transaction, inspection_id, plan).await? {
            return Err(DeskError::NotFound);
        }
        self.record(Action::PlanInspection, Outcome::Done, detail)
            .await?;
        let planned = store::load(&mut transaction, inspection_id).await?;
        transaction.commit().await?;
        planned.ok_or(DeskError::NotFound)
    }

    /// A page of inspections, what is overdue first: up to `most`.
    pub async fn inspections(
        &self,
        wanted: Wanted,
        most: i64,
    ) -> Result<Vec<Inspection>, DeskError> {
        let wanted = Wanted {
            office: self.office_id().or(wanted.office),
            ..wanted
        };
        let mut reading = self.by.scope().read(self.pool).await?;
        let inspections = store::page(&mut reading, &wanted, most).await?;
        let detail = json!({ "office": wanted.office });
        self.record(Action::ListInspections, Outcome::Done, detail)
            .await?;
        Ok(inspections)
    }

    /// One inspection with what was found and everything that was done about it.
    pub async fn inspection(&self, inspection_id: Uuid) -> Result<Read, DeskError> {
        let mut reading = self.by.scope().read(self.pool).await?;
        let action = Action::ReadInspection;
        let inspection = self.inspected(&mut reading, inspection_id, action).await?;
        let read = Read {
            items: store::items(&mut reading, inspection_id).await?,
            findings: {
                let ids = inspection_finding::of(&mut reading, inspection_id).await?;
                finding::load(&mut reading, &ids).await?
            },
            steps: store::steps(&mut reading, inspection_id).await?,
            inspection,
        };
        let detail = json!({ "inspection": inspection_id });
        self.record(action, Outcome::Done, detail).await?;
        Ok(read)
    }

    /// Takes a step. With a notice or a return the office's agent is told. `rules` say what those are called whose findings
    /// stand in the way.
    pub async fn act(
        &self,
        inspection_id: Uuid,
        act: &Act,
        grounds: &Grounds,
        rules: &Rules,
    ) -> Result<Inspection, DeskError> {
        retried("supervision.inspect", || {
            self.act_once(inspection_id, act, grounds, rules)
        })
        .await
    }

    async fn act_once(
        &self,
        inspection_id: Uuid,
        act: &Act,
        grounds: &Grounds,
        rules: &Rules,
    ) -> Result<Inspection, DeskError> {
        let action = Action::TakeInspectionStep;
        let mut transaction = tx::begin(self.pool).await?;
        let found = self.locked(&mut transaction, inspection_id, action).await?;
        let detail = json!({ "inspection": inspection_id, "step": act.code() });
        if act.hand() != self.hand() {
            self.record(action, Outcome::Denied, detail).await?;
            return Err(DeskError::NotAllowed);
        }
        let to = found.state.transition(act)?;
        let today = local_day(OffsetDateTime::now_utc());
        if act.due_on().is_some_and(|due_on| due_on < today) {
            return Err(DeskError::DueMissing);
        }
        let mut taken_in = 0;
        match act {
            Act::Issue(due_on) => {
                taken_in = self
                    .notify_taken_in(&mut transaction, &found, *due_on, grounds)
                    .await?;
            }
            Act::Close => all_ended(&mut transaction, inspection_id, rules).await?,
            Act::Record(_) | Act::Rectify | Act::Return(_) => {}
        }
        let by = self.by.account_id;
        store::take(
            &mut transaction,
            inspection_id,
            act,
            to,
            grounds.as_str(),
            by,
        )
        .await?;
        if let Some(due_on) = act.due_on() {
            let notices = [NewNotice {
                office_id: found.office_id,
                source_case_id: "",
                text_zh: format!(
                    "市司法局检查通报：{}{}。请于 {due_on} 前整改并在平台报送结果。",
                    found.subject,
                    match taken_in {
                        0 => String::new(),
                        count => format!("（含监督问题 {count} 项）"),
                    }
                ),
            }];
            notice::insert_of(&mut transaction, NoticeKind::RectificationAsked, &notices).await?;
        }
        self.record(action, Outcome::Done, detail).await?;
        let after = store::load(&mut transaction, inspection_id).await?;
        transaction.commit().await?;
        after.ok_or(DeskError::NotFound)
    }

    /// The inspection if this desk may see it; else the attempt is recorded.
    async fn inspected(
        &self,
        connection: &mut PgConnection,
        inspection_id: Uuid,
        action: Action,
    ) -> Result<Inspection, DeskError> {
        let told = |inspection: &Inspection| {
            self.office_id()
                .is_none_or(|own| own == inspection.office_id && inspection.notified_at.is_some())
        };
        let found = store::load(connection, inspection_id).await?;
        if let Some(found) = found.filter(told) {
            return Ok(found);
        }
        scope::widen(connection).await?;
        let there = Existence::of(store::load(connection, inspection_id).await?);
        let detail = json!({ "inspection": inspection_id });
        Err(self.missing(action, detail, there).await)
    }

    /// The same, held until the transaction ends.
    pub(super) async fn locked(
        &self,
        connection: &mut PgConnection,
        inspection_id: Uuid,
        action: Action,
    ) -> Result<Inspection, DeskError> {
        store::lock(connection, inspection_id).await?;
        self.by.scope().narrow(connection).await?;
        let found = self.inspected(connection, inspection_id, action).await?;
        scope::widen(connection).await?;
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    #[test]
    fn the_table_is_as_documented() {
        let day = date!(2024 - 06 - 03);
        let acts = [
            Act::Record(Vec::new()),
            Act::Issue(day),
            Act::Rectify,
            Act::Return(day),
            Act::Close,
        ];
        assert_eq!(acts.each_ref().map(Act::code), ACTS.map(|(code, _)| code));
        let mut table = Vec::new();
        for from in InspectionState::ALL {
            for act in &acts {
                if let Ok(to) = from.transition(act) {
                    table.push(format!("{} {} {}", from.code(), act.code(), to.code()));
                }
            }
        }
        assert_eq!(
            table,
            [
                "planned record recorded",
                "planned close closed",
                "recorded issue notified",
                "recorded close closed",
                "notified rectify rectified",
                "notified close closed",
                "rectified return notified",
                "rectified close closed",
            ]
        );
    }
}
