//! What the rules hit, as findings: what is new, what has other facts, and what is hit no more.

use linkage::office::OfficeId;
use serde_json::Value;
use sqlx::{PgConnection, query, query_scalar};
use time::Date;
use uuid::Uuid;

use crate::supervision::evidence::DERIVED;
use crate::supervision::{About, Hit};

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
    let hits = Hits::of(office_id, hits);
    hits.clear_others(&mut *connection, &about, judged).await?;
    hits.lock_altered(&mut *connection).await?;
    let reopened = hits.reopen(&mut *connection).await?;
    let new = hits.write(connection, rules_version).await?;
    Ok(new + reopened)
}

/// Hits of an office, column by column.
struct Hits<'a> {
    office_id: OfficeId,
    ids: Vec<Uuid>,
    abouts: Vec<&'a str>,
    keys: Vec<&'a str>,
    rules: Vec<&'a str>,
    severities: Vec<&'a str>,
    evidence: Vec<Value>,
    facts: Vec<Vec<u8>>,
    days: Vec<Option<Date>>,
    concluded: Vec<bool>,
    rests_on_office: Vec<Option<&'a str>>,
    rests_on_case: Vec<Option<&'a str>>,
}

impl<'a> Hits<'a> {
    fn of(office_id: OfficeId, hits: &'a [Hit]) -> Self {
        let rests_on = hits.iter().map(|hit| {
            let rests_on = hit.rests_on.as_ref();
            rests_on
                .map(|(office, case)| (office.as_str(), case.as_str()))
                .unzip()
        });
        let (rests_on_office, rests_on_case) = rests_on.unzip();
        Self {
            office_id,
            ids: hits.iter().map(|_| Uuid::now_v7()).collect(),
            abouts: hits.iter().map(|hit| hit.about.code()).collect(),
            keys: hits.iter().map(|hit| hit.about_key.as_str()).collect(),
            rules: hits.iter().map(|hit| hit.rule_id.as_str()).collect(),
            severities: hits.iter().map(|hit| hit.severity.code()).collect(),
            evidence: hits.iter().map(|hit| hit.evidence.clone()).collect(),
            facts: hits.iter().map(|hit| hit.facts().0.to_vec()).collect(),
            days: hits.iter().map(|hit| hit.happened_on).collect(),
            concluded: hits.iter().map(|hit| hit.concluded).collect(),
            rests_on_office,
            rests_on_case,
        }
    }

    /// What a rule does not hit any more is cleared; its state is people's.
    async fn clear_others(
        &self,
        connection: &mut PgConnection,
        about: &[&str],
        judged: Option<&[String]>,
    ) -> Result<(), sqlx::Error> {
        query!(
            r#"UPDATE supervision_finding f SET cleared_at = now()
                WHERE f.office_id = $1 AND f.about = ANY($2) AND ($3::text[] IS NULL OR f.about_key = ANY($3))
                  AND f.cleared_at IS NULL
                  AND NOT EXISTS (SELECT FROM unnest($4::text[], $5::text[], $6::text[]) AS h (about, about_key, rule_id)
                                   WHERE h.about = f.about AND h.about_key = f.about_key AND h.rule_id = f.rule_id)"#,
            self.office_id.as_str(),
            about as &[&str],
            judged,
            &self.abouts as &[&str],
            &self.keys as &[&str],
            &self.rules as &[&str],
        )
        .execute(connection)
        .await?;
        Ok(())
    }

    /// Of what has other facts now nobody decides any more, until they stand.
    async fn lock_altered(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        query!(
            r#"SELECT f.finding_id
                 FROM unnest($2::text[], $3::text[], $4::text[], $5::jsonb[]) AS h (about, about_key, rule_id, evidence)
                 JOIN supervision_finding f ON f.office_id = $1 AND f.about = h.about AND f.about_key = h.about_key
                                           AND f.rule_id = h.rule_id
                WHERE f.evidence - $6::text[] <> h.evidence - $6::text[]
                ORDER BY f.finding_id FOR UPDATE OF f"#,
            self.office_id.as_str(),
            &self.abouts as &[&str],
            &self.keys as &[&str],
            &self.rules as &[&str],
            &self.evidence,
            DERIVED as &[&str],
        )
        .fetch_all(connection)
        .await?;
        Ok(())
    }

    /// Other facts open what was decided, and a step says so. Returns how many are open again.
    async fn reopen(&self, connection: &mut PgConnection) -> Result<u64, sqlx::Error> {
        let done = query!(
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
            self.office_id.as_str(),
            &self.abouts as &[&str],
            &self.keys as &[&str],
            &self.rules as &[&str],
            &self.facts,
            &self.evidence,
            DERIVED as &[&str],
        )
        .execute(connection)
        .await?;
        Ok(done.rows_affected())
    }

    /// Returns how many are new.
    async fn write(
        &self,
        connection: &mut PgConnection,
        rules_version: &str,
    ) -> Result<u64, sqlx::Error> {
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
            self.office_id.as_str(),
            rules_version,
            &self.ids,
            &self.rules as &[&str],
            &self.abouts as &[&str],
            &self.keys as &[&str],
            &self.severities as &[&str],
            &self.evidence,
            &self.facts,
            &self.days as &[Option<Date>],
            &self.concluded,
            &self.rests_on_office as &[Option<&str>],
            &self.rests_on_case as &[Option<&str>],
        )
        .fetch_one(connection)
        .await?;
        Ok(new.unsigned_abs())
    }
}
