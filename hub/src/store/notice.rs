//! `notice`: what waits to be told to an office.

use linkage::office::OfficeId;
use sqlx::{PgConnection, PgPool, query, query_as};
use time::OffsetDateTime;
use uuid::Uuid;

/// Kind of a notice about a duplicate finding.
pub const DUPLICATE_FOUND: &str = "duplicate_found";
/// Kind of a notice by which the bureau asks for a report.
pub const REPORT_WANTED: &str = "report_wanted";
/// Kind of a notice by which the bureau asks for rectification.
pub const RECTIFICATION_ASKED: &str = "rectification_asked";
/// Kind of a notice that answers a standing question.
pub const MATTER_OPENED: &str = "matter_opened";
/// Kind of a notice by which another office asks for the verification of a case.
pub const DETAILS_ASKED: &str = "details_asked";
/// Kind of a notice that such a request was answered.
pub const DETAILS_ANSWERED: &str = "details_answered";

/// A notice to be told to an office.
#[derive(Clone, Debug)]
pub struct NewNotice<'a> {
    pub office_id: OfficeId,
    /// The office's own case.
    pub source_case_id: &'a str,
    pub text_zh: String,
}

/// A notice on its way.
#[derive(Clone, Debug)]
pub struct Notice {
    pub notice_id: Uuid,
    pub kind: String,
    pub source_case_id: Option<String>,
    pub text_zh: String,
    pub created_at: OffsetDateTime,
    /// Of the entry that records it; only what answers a standing question has one, once it is recorded.
    pub audit_entry: Option<i64>,
}

/// Puts notices about duplicate findings where the offices' streams pick them up.
pub async fn insert(
    connection: &mut PgConnection,
    notices: &[NewNotice<'_>],
) -> Result<(), sqlx::Error> {
    insert_of(connection, DUPLICATE_FOUND, notices).await
}

/// The same of another kind. A notice about no case has an empty key.
pub async fn insert_of(
    connection: &mut PgConnection,
    kind: &str,
    notices: &[NewNotice<'_>],
) -> Result<(), sqlx::Error> {
    if notices.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = notices.iter().map(|_| Uuid::now_v7()).collect();
    let offices: Vec<&str> = notices.iter().map(|n| n.office_id.as_str()).collect();
    let cases: Vec<&str> = notices.iter().map(|n| n.source_case_id).collect();
    let texts: Vec<&str> = notices.iter().map(|n| n.text_zh.as_str()).collect();
    query!(
        r#"INSERT INTO notice (notice_id, office_id, source_case_id, text_zh, kind, created_at)
           SELECT n.notice_id, n.office_id, nullif(n.source_case_id, ''), n.text_zh, $5, now()
             FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[])
                  AS n (notice_id, office_id, source_case_id, text_zh)"#,
        &ids,
        &offices as &[&str],
        &cases as &[&str],
        &texts as &[&str],
        kind,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Undelivered notices of an office, oldest first.
pub async fn waiting(
    connection: &mut PgConnection,
    office_id: OfficeId,
    most: i64,
) -> Result<Vec<Notice>, sqlx::Error> {
    query_as!(
        Notice,
        r#"SELECT notice_id, kind, source_case_id, text_zh, created_at, audit_entry FROM notice
            WHERE office_id = $1 AND delivered_at IS NULL ORDER BY created_at, notice_id LIMIT $2"#,
        office_id.as_str(),
        most,
    )
    .fetch_all(connection)
    .await
}

/// Remembers by which entries of the audit log these are recorded.
pub async fn recorded(
    pool: &PgPool,
    notice_ids: &[Uuid],
    entries: &[i64],
) -> Result<(), sqlx::Error> {
    query!(
        r#"UPDATE notice n SET audit_entry = r.entry
             FROM unnest($1::uuid[], $2::bigint[]) AS r (notice_id, entry) WHERE n.notice_id = r.notice_id"#,
        notice_ids,
        entries,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Remembers that these reached their office.
pub async fn delivered(pool: &PgPool, notice_ids: &[Uuid]) -> Result<(), sqlx::Error> {
    query!(
        "UPDATE notice SET delivered_at = now() WHERE notice_id = ANY($1)",
        notice_ids
    )
    .execute(pool)
    .await?;
    Ok(())
}
