//! `inspection`, `inspection_item` and `inspection_step`.

use linkage::office::OfficeId;
use sqlx::{PgConnection, query, query_scalar};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::finding::Finding;
use crate::store::decode::parse;
use crate::supervision::inspection::{Act, InspectionState, Plan};

/// An inspection as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    pub inspection_id: Uuid,
    pub office_id: OfficeId,
    pub office_name: String,
    pub subject: String,
    pub planned_on: Date,
    pub state: InspectionState,
    pub notified_at: Option<OffsetDateTime>,
    pub due_on: Option<Date>,
}

/// One step of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    pub step: String,
    pub state: InspectionState,
    pub reason: String,
    pub due_on: Option<Date>,
    pub taken_by: Uuid,
    pub taken_at: OffsetDateTime,
}

/// An inspection with what was found on the spot and by the rules, and every step, the newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    pub inspection: Inspection,
    pub items: Vec<String>,
    /// Findings of the rules that it took in.
    pub findings: Vec<Finding>,
    pub steps: Vec<Taken>,
}

/// Where a page goes on: overdue or not, day of the plan, id.
pub type Behind = (bool, Date, Uuid);

/// Which inspections are wanted.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub office: Option<OfficeId>,
    pub state: Option<InspectionState>,
    pub today: Date,
    pub behind: Option<Behind>,
}

impl Inspection {
    /// Whether its rectification was to be there before today.
    pub fn is_overdue(&self, today: Date) -> bool {
        self.state == InspectionState::Notified && self.due_on.is_some_and(|due_on| due_on < today)
    }
}

/// False when there is no such office.
pub async fn insert(
    connection: &mut PgConnection,
    inspection_id: Uuid,
    plan: &Plan,
) -> Result<bool, sqlx::Error> {
    let inserted = query!(
        r#"INSERT INTO inspection (inspection_id, office_id, subject, planned_on)
           SELECT $1, office_id, $3, $4 FROM office WHERE office_id = $2"#,
        inspection_id,
        plan.office_id.as_str(),
        plan.subject.as_str(),
        plan.planned_on,
    )
    .execute(connection)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// What is overdue, then the newest plans.
pub async fn page(
    connection: &mut PgConnection,
    wanted: &Wanted,
    most: i64,
) -> Result<Vec<Inspection>, sqlx::Error> {
    let (overdue, day, id) = match wanted.behind {
        Some((overdue, day, id)) => (Some(overdue), Some(day), Some(id)),
        None => (None, None, None),
    };
    let rows = query!(
        r#"SELECT inspection_id, office_id, name, subject, planned_on, state, notified_at, due_on
             FROM inspection JOIN office USING (office_id)
            WHERE ($1::text IS NULL OR office_id = $1) AND ($2::text IS NULL OR state = $2)
              AND ($4::boolean IS NULL
                   OR (state = 'notified' AND due_on < $3, planned_on, inspection_id) < ($4, $5::date, $6::uuid))
            ORDER BY (state = 'notified' AND due_on < $3) DESC, planned_on DESC, inspection_id DESC LIMIT $7"#,
        wanted.office.as_ref().map(OfficeId::as_str),
        wanted.state.map(InspectionState::code),
        wanted.today,
        overdue,
        day,
        id,
        most,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Inspection {
                inspection_id: row.inspection_id,
                office_id: parse(&row.office_id)?,
                office_name: row.name,
                subject: row.subject,
                planned_on: row.planned_on,
                state: parse(&row.state)?,
                notified_at: row.notified_at,
                due_on: row.due_on,
            })
        })
        .collect()
}

/// One inspection.
pub async fn load(
    connection: &mut PgConnection,
    inspection_id: Uuid,
) -> Result<Option<Inspection>, sqlx::Error> {
    let row = query!(
        r#"SELECT office_id, name, subject, planned_on, state, notified_at, due_on
             FROM inspection JOIN office USING (office_id) WHERE inspection_id = $1"#,
        inspection_id,
    )
    .fetch_optional(connection)
    .await?;
    row.map(|row| {
        Ok(Inspection {
            inspection_id,
            office_id: parse(&row.office_id)?,
            office_name: row.name,
            subject: row.subject,
            planned_on: row.planned_on,
            state: parse(&row.state)?,
            notified_at: row.notified_at,
            due_on: row.due_on,
        })
    })
    .transpose()
}

/// Locks an inspection until the transaction ends.
pub async fn lock(connection: &mut PgConnection, inspection_id: Uuid) -> Result<(), sqlx::Error> {
    query!(
        "SELECT inspection_id FROM inspection WHERE inspection_id = $1 FOR UPDATE",
        inspection_id
    )
    .fetch_optional(connection)
    .await?;
    Ok(())
}

/// What was found on the spot, in its order.
pub async fn items(
    connection: &mut PgConnection,
    inspection_id: Uuid,
) -> Result<Vec<String>, sqlx::Error> {
    query_scalar!(
        "SELECT text FROM inspection_item WHERE inspection_id = $1 ORDER BY item_no",
        inspection_id
    )
    .fetch_all(connection)
    .await
}

/// Everything that was done, the newest first.
pub async fn steps(
    connection: &mut PgConnection,
    inspection_id: Uuid,
) -> Result<Vec<Taken>, sqlx::Error> {
    let rows = query!(
        r#"SELECT step, state, reason, due_on, taken_by, taken_at FROM inspection_step
            WHERE inspection_id = $1 ORDER BY step_no DESC"#,
        inspection_id,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Taken {
                step: row.step,
                state: parse(&row.state)?,
                reason: row.reason,
                due_on: row.due_on,
                taken_by: row.taken_by,
                taken_at: row.taken_at,
            })
        })
        .collect()
}

/// Takes a step of an inspection that is locked.
pub async fn take(
    connection: &mut PgConnection,
    inspection_id: Uuid,
    act: &Act,
    to: InspectionState,
    reason: &str,
    taken_by: Uuid,
) -> Result<(), sqlx::Error> {
    query!(
        r#"UPDATE inspection SET
               state = $2,
               notified_at = CASE WHEN $2 = 'notified' THEN coalesce(notified_at, now()) ELSE notified_at END,
               -- What is closed without a rectification is waited for no more, and counts as none that was made.
               due_on = CASE WHEN $2 = 'closed' AND state = 'notified' THEN NULL ELSE coalesce($3, due_on) END,
               rectified_at = CASE WHEN $2 = 'rectified' THEN now() ELSE rectified_at END,
               rectified_late = rectified_late
                   OR ($2 = 'rectified' AND (now() AT TIME ZONE 'Asia/Shanghai')::date > due_on),
               closed_at = CASE WHEN $2 = 'closed' THEN now() END
            WHERE inspection_id = $1"#,
        inspection_id,
        to.code(),
        act.due_on(),
    )
    .execute(&mut *connection)
    .await?;
    if let Act::Record(items) = act {
        let items: Vec<&str> = items.iter().map(|item| item.as_str()).collect();
        query!(
            r#"INSERT INTO inspection_item (inspection_id, item_no, text)
               SELECT $1, i.no::integer, i.text FROM unnest($2::text[]) WITH ORDINALITY AS i (text, no)"#,
            inspection_id,
            &items as &[&str],
        )
        .execute(&mut *connection)
        .await?;
    }
    query!(
        r#"INSERT INTO inspection_step (inspection_id, step_no, step, state, reason, due_on, taken_by, taken_at)
           SELECT $1, coalesce(max(step_no), 0) + 1, $2, $3, $4, $5, $6, now()
             FROM inspection_step WHERE inspection_id = $1"#,
        inspection_id,
        act.code(),
        to.code(),
        reason,
        act.due_on(),
        taken_by,
    )
    .execute(connection)
    .await?;
    Ok(())
}
