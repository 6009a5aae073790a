//! `supervision_finding` and `supervision_step`.

use linkage::office::OfficeId;
use serde_json::Value;
use sqlx::{PgConnection, query, query_scalar};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use crate::store::decode::{decode_error, parse};
use crate::supervision::evidence::DERIVED;
use crate::supervision::life::{FindingState, Step};
use crate::supervision::replay::Standing;
use crate::supervision::rule::{RuleId, Severity};
use crate::supervision::{About, FactsDigest, Hit};

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

/// Brings the findings about `judged` to what the rules hit now. Returns how many are new or open again. Facts are compared
/// as evidence, not by their digest: which of them follow from rules differs from version to version.
pub async fn settle(
    connection: &mut PgConnection,
    office_id: OfficeId,
    about: &[About],
    judged: Option<&[String]>,
    hits: &[Hit],
    rules_version: &str,
) -> Result<u64, sqlx::Error> {
    let about: Vec<&str> = about.iter().map(|about| about.code()).collect();
    let ids: Vec<Uuid> = hits.iter().map(|_| Uuid::now_v7()).collect();
    let abouts: Vec<&str> = hits.iter().map(|hit| hit.about.code()).collect();
    let keys: Vec<&str> = hits.iter().map(|hit| hit.about_key.as_str()).collect();
    let rules: Vec<&str> = hits.iter().map(|hit| hit.rule_id.as_str()).collect();
    let severities: Vec<&str> = hits.iter().map(|hit| hit.severity.code()).collect();
    let evidence: Vec<Value> = hits.iter().map(|hit| hit.evidence.clone()).collect();
    let facts: Vec<Vec<u8>> = hits.iter().map(|hit| hit.facts().0.to_vec()).collect();
    let days: Vec<Option<Date>> = hits.iter().map(|hit| hit.happened_on).collect();
    let concluded: Vec<bool> = hits.iter().map(|hit| hit.concluded).collect();
    let (rests_on_office, rests_on_case): (Vec<Option<&str>>, Vec<Option<&str>>) = hits
        .iter()
        .map(|hit| {
            hit.rests_on
                .as_ref()
                .map(|(office, case)| (office.as_str(), case.as_str()))
                .unzip()
        })
        .unzip();
    // What a rule does not hit any more is cleared; its state is people's.
    query!(
        r#"UPDATE supervision_finding f SET cleared_at = now()
            WHERE f.office_id = $1 AND f.about = ANY($2) AND ($3::text[] IS NULL OR f.about_key = ANY($3))
              AND f.cleared_at IS NULL
              AND NOT EXISTS (SELECT FROM unnest($4::text[], $5::text[], $6::text[]) AS h (about, about_key, rule_id)
                               WHERE h.about = f.about AND h.about_key = f.about_key AND h.rule_id = f.rule_id)"#,
        office_id.as_str(),
        &about as &[&str],
        judged,
        &abouts as &[&str],
        &keys as &[&str],
        &rules as &[&str],
    )
    .execute(&mut *connection)
    .await?;
    // Of what has other facts now nobody decides any more, until they stand.
    query!(
        r#"SELECT f.finding_id
             FROM unnest($2::text[], $3::text[], $4::text[], $5::jsonb[]) AS h (about, about_key, rule_id, evidence)
             JOIN supervision_finding f ON f.office_id = $1 AND f.about = h.about AND f.about_key = h.about_key
                                       AND f.rule_id = h.rule_id
            WHERE f.evidence - $6::text[] <> h.evidence - $6::text[]
            ORDER BY f.finding_id FOR UPDATE OF f"#,
        office_id.as_str(),
        &abouts as &[&str],
        &keys as &[&str],
        &rules as &[&str],
        &evidence,
        DERIVED as &[&str],
    )
    .fetch_all(&mut *connection)
    .await?;
    // Other facts open what was decided, and a step says so.
    let reopened = query!(
        r#"WITH hit AS (SELECT * FROM unnest($2::text[], $3::text[], $4::text[], $5::bytea[], $6::jsonb[])
                                  AS h (about, about_key, rule_id, facts, evidence)),
                reopened AS (UPDATE supervision_finding f SET state = 'open', ended_at = NULL, rectified_late = false
                               FROM hit h
                              WHERE f.office_id = $1 AND f.about = h.about AND f.about_key = h.about_key
                                AND f.rule_id = h.rule_id AND f.evidence - $7::text[] <> h.evidence - $7::text[]
                                AND f.state IN ('verified', 'dismissed')
                             RETURNING f.finding_id, h.facts)
           INSERT INTO supervision_step (finding_id, step_no, step, state, reason, facts, taken_by, taken_at)
           SELECT r.finding_id,
                  coalesce((SELECT max(s.step_no) FROM supervision_step s WHERE s.finding_id = r.finding_id), 0) + 1,
                  'facts_changed', 'open', '', r.facts, NULL, now()
             FROM reopened r"#,
        office_id.as_str(),
        &abouts as &[&str],
        &keys as &[&str],
        &rules as &[&str],
        &facts,
        &evidence,
        DERIVED as &[&str],
    )
    .execute(&mut *connection)
    .await?
    .rows_affected();
    let new = query_scalar!(
        r#"WITH written AS (
               INSERT INTO supervision_finding (finding_id, office_id, rule_id, about, about_key, severity, evidence, facts,
                                                rules_version, happened_on, concluded, rests_on_office, rests_on_case,
                                                found_at)
               SELECT h.finding_id, $1, h.rule_id, h.about, h.about_key, h.severity, h.evidence, h.facts, $2, h.day,
                      h.concluded, h.rests_on_office, h.rests_on_case, now()
                 FROM unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::jsonb[], $9::bytea[],
                             $10::date[], $11::boolean[], $12::text[], $13::text[])
                   AS h (finding_id, rule_id, about, about_key, severity, evidence, facts, day, concluded,
                         rests_on_office, rests_on_case)
               ON CONFLICT (office_id, about, about_key, rule_id) DO UPDATE SET
                   severity = excluded.severity, evidence = excluded.evidence, facts = excluded.facts,
                   rules_version = excluded.rules_version, happened_on = excluded.happened_on,
                   concluded = excluded.concluded, rests_on_office = excluded.rests_on_office,
                   rests_on_case = excluded.rests_on_case, cleared_at = NULL
                WHERE supervision_finding.cleared_at IS NOT NULL
                   OR (supervision_finding.severity, supervision_finding.evidence, supervision_finding.happened_on,
                       supervision_finding.concluded, supervision_finding.rests_on_office,
                       supervision_finding.rests_on_case)
                      IS DISTINCT FROM
                      (excluded.severity, excluded.evidence, excluded.happened_on, excluded.concluded,
                       excluded.rests_on_office, excluded.rests_on_case)
               RETURNING xmax = 0 AS fresh)
           SELECT count(*) FILTER (WHERE fresh) AS "new!" FROM written"#,
        office_id.as_str(),
        rules_version,
        &ids,
        &rules as &[&str],
        &abouts as &[&str],
        &keys as &[&str],
        &severities as &[&str],
        &evidence,
        &facts,
        &days as &[Option<Date>],
        &concluded,
        &rests_on_office as &[Option<&str>],
        &rests_on_case as &[Option<&str>],
    )
    .fetch_one(connection)
    .await?;
    Ok(new.unsigned_abs() + reopened)
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
