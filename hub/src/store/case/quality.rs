//! `quality_finding`: what an office should look at in cases that are stored all the same.

use sqlx::{PgConnection, query};

use crate::case::CaseKey;
use crate::case::quality::{Finding, ILLEGAL_STEP};
use crate::ingest::plan::Write;
use crate::store::columns;

/// Replaces the findings of the cases written; findings about the past stay.
pub async fn replace(
    connection: &mut PgConnection,
    writes: &[Write<'_>],
    findings: &[(CaseKey<'_>, Finding)],
) -> Result<(), sqlx::Error> {
    let replaced: Vec<CaseKey<'_>> = writes
        .iter()
        .filter(|write| write.replaces)
        .map(Write::key)
        .collect();
    clear(connection, &replaced).await?;
    insert(connection, findings).await
}

async fn clear(connection: &mut PgConnection, replaced: &[CaseKey<'_>]) -> Result<(), sqlx::Error> {
    if replaced.is_empty() {
        return Ok(());
    }
    let (offices, cases) = columns(replaced);
    query!(
        r#"DELETE FROM quality_finding q
            USING unnest($1::text[], $2::text[]) AS k (office_id, source_case_id)
            WHERE q.office_id = k.office_id AND q.source_case_id = k.source_case_id AND q.rule_id <> $3"#,
        &offices as &[&str],
        &cases as &[&str],
        ILLEGAL_STEP,
    )
    .execute(connection)
    .await?;
    Ok(())
}

async fn insert(
    connection: &mut PgConnection,
    findings: &[(CaseKey<'_>, Finding)],
) -> Result<(), sqlx::Error> {
    if findings.is_empty() {
        return Ok(());
    }
    let keys: Vec<CaseKey<'_>> = findings.iter().map(|(key, _)| *key).collect();
    let (offices, cases) = columns(&keys);
    let rules: Vec<&str> = findings.iter().map(|(_, f)| f.rule_id).collect();
    let fields: Vec<&str> = findings.iter().map(|(_, f)| f.field.as_str()).collect();
    let revisions: Vec<i64> = findings.iter().map(|(_, f)| f.revision).collect();
    let details: Vec<Option<&str>> = findings.iter().map(|(_, f)| f.detail.as_deref()).collect();
    // Two illegal steps of one case in one batch: the later one stands.
    query!(
        r#"INSERT INTO quality_finding (office_id, source_case_id, rule_id, field, revision, detail, found_at)
           SELECT DISTINCT ON (office_id, source_case_id, rule_id, field)
                  office_id, source_case_id, rule_id, field, revision, detail, now()
             FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[]) WITH ORDINALITY
                  AS f (office_id, source_case_id, rule_id, field, revision, detail, at)
            ORDER BY office_id, source_case_id, rule_id, field, at DESC
           ON CONFLICT (office_id, source_case_id, rule_id, field) DO UPDATE SET
               revision = excluded.revision, detail = excluded.detail, found_at = excluded.found_at"#,
        &offices as &[&str],
        &cases as &[&str],
        &rules as &[&str],
        &fields as &[&str],
        &revisions,
        &details as &[Option<&str>],
    )
    .execute(connection)
    .await?;
    Ok(())
}
