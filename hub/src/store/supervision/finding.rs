//! `supervision_finding` and `supervision_step` as people read them and take steps. [`super::hits`] writes what the rules hit.

use linkage::office::OfficeId;
use serde_json::Value;
use sqlx::{PgConnection, query, query_scalar};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use crate::store::decode::{decode_error, parse};
use crate::supervision::life::{FindingState, Step};
use crate::supervision::replay::Standing;
use crate::supervision::rule::{RuleId, Severity};
use crate::supervision::{About, FactsDigest};

/// A finding as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    pub finding_id: Uuid,
    pub office_id: OfficeId,
    pub rule_id: String,
    pub about: About,
    pub about_key: String,
    pub severity: Severity,
    pub evidence: Value,
    pub facts: FactsDigest,
    pub rules_version: String,
    pub happened_on: Option<Date>,
    pub state: FindingState,
    pub found_at: OffsetDateTime,
    pub cleared_at: Option<OffsetDateTime>,
    pub notified_at: Option<OffsetDateTime>,
    pub due_on: Option<Date>,
    pub rectified_at: Option<OffsetDateTime>,
}

impl Finding {
    /// Whether it was to be rectified before `today` and was not.
    pub fn is_overdue(&self, today: Date) -> bool {
        self.state == FindingState::Notified && self.due_on.is_some_and(|due| due < today)
    }

    /// Whether it waits for people and no rule finds it any more.
    pub fn is_gone(&self) -> bool {
        self.state == FindingState::Open && self.cleared_at.is_some()
    }
}

/// One step of its life.
#[derive(Clone, Debug, PartialEq)]
pub struct Taken {
    pub step: String,
    pub state: FindingState,
    pub reason: String,
    pub taken_by: Option<Uuid>,
    pub taken_at: OffsetDateTime,
}

/// Which findings are wanted.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub office: Option<OfficeId>,
    /// An office is shown what it was notified of.
    pub notified_alone: bool,
    pub rule: Option<RuleId>,
    pub severity: Option<Severity>,
    pub state: Option<FindingState>,
    /// Notified, and the day of rectification has passed.
    pub overdue_on: Option<Date>,
    pub behind: Option<(OffsetDateTime, Uuid)>,
}

/// Cases with a finding that rests on one of these: whatever became of it, they come before the rules again.
pub async fn resting_on(
    connection: &mut PgConnection,
    office_id: OfficeId,
    keys: &[String],
) -> Result<Vec<(OfficeId, String)>, sqlx::Error> {
    let rows = query!(
        r#"SELECT DISTINCT office_id, about_key FROM supervision_finding
            WHERE rests_on_office = $1 AND rests_on_case = ANY($2) AND cleared_at IS NULL"#,
        office_id.as_str(),
        keys,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| Ok((parse(&row.office_id)?, row.about_key)))
        .collect()
}

/// What stands about things of an office, cleared findings included; `None`: about all of them.
pub async fn standing(
    connection: &mut PgConnection,
    office_id: OfficeId,
    about: &[About],
    keys: Option<&[String]>,
) -> Result<Vec<Standing>, sqlx::Error> {
    let about: Vec<&str> = about.iter().map(|about| about.code()).collect();
    let rows = query!(
        r#"SELECT about, about_key, rule_id, severity, facts, state, cleared_at IS NOT NULL AS "cleared!"
             FROM supervision_finding
            WHERE office_id = $1 AND about = ANY($2) AND ($3::text[] IS NULL OR about_key = ANY($3))
            ORDER BY about, about_key, rule_id"#,
        office_id.as_str(),
        &about as &[&str],
        keys,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Standing {
                about: parse(&row.about)?,
                about_key: row.about_key,
                rule_id: row.rule_id,
                severity: parse(&row.severity)?,
                facts: FactsDigest(row.facts.as_slice().try_into().map_err(decode_error)?),
                state: parse(&row.state)?,
                cleared: row.cleared,
            })
        })
        .collect()
}

/// A page of findings, the newest first.
pub async fn page(
    connection: &mut PgConnection,
    wanted: &Wanted,
    most: i64,
) -> Result<Vec<Finding>, sqlx::Error> {
    let (at, id) = wanted.behind.unzip();
    let ids = query_scalar!(
        r#"SELECT finding_id FROM supervision_finding
            WHERE ($1::text IS NULL OR office_id = $1) AND (NOT $2 OR notified_at IS NOT NULL)
              AND ($3::text IS NULL OR rule_id = $3) AND ($4::text IS NULL OR severity = $4)
              AND (CASE WHEN $5::text IS NOT NULL THEN state = $5 AND (state <> 'open' OR cleared_at IS NULL)
                        ELSE state <> 'open' OR cleared_at IS NULL END)
              AND ($6::date IS NULL OR (state = 'notified' AND due_on < $6))
              AND ($7::timestamptz IS NULL OR (found_at, finding_id) < ($7, $8::uuid))
            ORDER BY found_at DESC, finding_id DESC LIMIT $9"#,
        wanted.office.as_ref().map(OfficeId::as_str),
        wanted.notified_alone,
        wanted.rule.as_ref().map(RuleId::as_str),
        wanted.severity.map(Severity::code),
        wanted.state.map(FindingState::code),
        wanted.overdue_on,
        at,
        id,
        most,
    )
    .fetch_all(&mut *connection)
    .await?;
    load(connection, &ids).await
}

/// Findings by id, the newest first.
pub async fn load(
    connection: &mut PgConnection,
    ids: &[Uuid],
) -> Result<Vec<Finding>, sqlx::Error> {
    let rows = query!(
        r#"SELECT finding_id, office_id, rule_id, about, about_key, severity, evidence, facts, rules_version, happened_on,
                  state, found_at, cleared_at, notified_at, due_on, rectified_at
             FROM supervision_finding WHERE finding_id = ANY($1) ORDER BY found_at DESC, finding_id DESC"#,
        ids,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Finding {
                finding_id: row.finding_id,
                office_id: parse(&row.office_id)?,
                rule_id: row.rule_id,
                about: parse(&row.about)?,
                about_key: row.about_key,
                severity: parse(&row.severity)?,
                evidence: row.evidence,
                facts: FactsDigest(row.facts.as_slice().try_into().map_err(decode_error)?),
                rules_version: row.rules_version,
                happened_on: row.happened_on,
                state: parse(&row.state)?,
                found_at: row.found_at,
                cleared_at: row.cleared_at,
                notified_at: row.notified_at,
                due_on: row.due_on,
                rectified_at: row.rectified_at,
            })
        })
        .collect()
}

/// Locks a finding until the transaction ends: of two deciders one waits.
pub async fn lock(connection: &mut PgConnection, finding_id: Uuid) -> Result<(), sqlx::Error> {
    query!(
        "SELECT finding_id FROM supervision_finding WHERE finding_id = $1 FOR UPDATE",
        finding_id
    )
    .fetch_optional(connection)
    .await?;
    Ok(())
}

/// Everything that was done about a finding, the newest first.
pub async fn steps(
    connection: &mut PgConnection,
    finding_id: Uuid,
) -> Result<Vec<Taken>, sqlx::Error> {
    let rows = query!(
        r#"SELECT step, state, reason, taken_by, taken_at FROM supervision_step
            WHERE finding_id = $1 ORDER BY step_no DESC"#,
        finding_id,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Taken {
                step: row.step,
                state: parse(&row.state)?,
                reason: row.reason,
                taken_by: row.taken_by,
                taken_at: row.taken_at,
            })
        })
        .collect()
}

/// A step to be written.
#[derive(Clone, Copy, Debug)]
pub struct NewStep<'a> {
    pub finding_id: Uuid,
    pub step: Step,
    pub to: FindingState,
    pub reason: &'a str,
    pub facts: FactsDigest,
    pub taken_by: Uuid,
    pub due_on: Option<Date>,
}

/// Takes a step of a finding that is locked.
pub async fn take(connection: &mut PgConnection, step: &NewStep<'_>) -> Result<(), sqlx::Error> {
    query!(
        r#"UPDATE supervision_finding SET
               state = $2,
               notified_at = CASE WHEN $2 = 'notified' THEN coalesce(notified_at, now()) ELSE notified_at END,
               due_on = CASE WHEN $2 = 'notified' THEN $3 ELSE due_on END,
               rectified_at = CASE WHEN $2 = 'rectified' THEN now() ELSE rectified_at END,
               -- Once late, always late: another day after a return makes nothing good. A finding opened anew begins anew.
               rectified_late = CASE $2 WHEN 'open' THEN false
                                        WHEN 'rectified' THEN rectified_late
                                             OR (now() AT TIME ZONE 'Asia/Shanghai')::date > due_on
                                        ELSE rectified_late END,
               ended_at = CASE WHEN $2 IN ('verified', 'dismissed') THEN now() END
            WHERE finding_id = $1"#,
        step.finding_id,
        step.to.code(),
        step.due_on,
    )
    .execute(&mut *connection)
    .await?;
    query!(
        r#"INSERT INTO supervision_step (finding_id, step_no, step, state, reason, facts, taken_by, taken_at)
           SELECT $1, coalesce(max(step_no), 0) + 1, $2, $3, $4, $5, $6, now()
             FROM supervision_step WHERE finding_id = $1"#,
        step.finding_id,
        step.step.code(),
        step.to.code(),
        step.reason,
        &step.facts.0,
        step.taken_by,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// How the findings of an office under a rule stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    pub office_id: String,
    pub rule_id: String,
    pub open: i64,
    pub notified: i64,
    pub overdue: i64,
    pub rectified: i64,
    pub verified: i64,
    pub dismissed: i64,
    /// Of the rectified, those that came by their day.
    pub rectified_in_time: i64,
}

/// Counts by office and rule, of what happened between two days.
pub async fn counts(
    connection: &mut PgConnection,
    office_id: Option<OfficeId>,
    from: Option<Date>,
    to: Option<Date>,
    today: Date,
) -> Result<Vec<Count>, sqlx::Error> {
    sqlx::query_as!(
        Count,
        r#"SELECT office_id, rule_id,
                  count(*) FILTER (WHERE state = 'open' AND cleared_at IS NULL) AS "open!",
                  count(*) FILTER (WHERE state = 'notified') AS "notified!",
                  count(*) FILTER (WHERE state = 'notified' AND due_on < $4) AS "overdue!",
                  count(*) FILTER (WHERE state = 'rectified') AS "rectified!",
                  count(*) FILTER (WHERE state = 'verified') AS "verified!",
                  count(*) FILTER (WHERE state = 'dismissed') AS "dismissed!",
                  count(*) FILTER (WHERE rectified_at IS NOT NULL AND due_on IS NOT NULL AND NOT rectified_late
                                     AND state IN ('rectified', 'verified'))
                      AS "rectified_in_time!"
             FROM supervision_finding
            WHERE ($1::text IS NULL OR office_id = $1)
              AND ($2::date IS NULL OR coalesce(happened_on, (found_at AT TIME ZONE 'Asia/Shanghai')::date) >= $2)
              AND ($3::date IS NULL OR coalesce(happened_on, (found_at AT TIME ZONE 'Asia/Shanghai')::date) <= $3)
            GROUP BY office_id, rule_id ORDER BY office_id, rule_id"#,
        office_id.as_ref().map(OfficeId::as_str),
        from,
        to,
        today,
    )
    .fetch_all(connection)
    .await
}
