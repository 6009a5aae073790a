//! `notice`: what waits to be told to an office.

use linkage::office::OfficeId;
use sqlx::{PgConnection, PgPool, query};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::codes::codes;

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    /// A duplicate finding.
    DuplicateFound,
    /// The bureau asks for a report.
    ReportWanted,
    /// The bureau asks for rectification.
    RectificationAsked,
    /// A standing question is answered.
    MatterOpened,
    /// Another office asks for the verification of a case.
    DetailsAsked,
    /// Such a request was answered.
    DetailsAnswered,
}

codes!(NoticeKind {
    DuplicateFound = "duplicate_found",
    ReportWanted = "report_wanted",
    RectificationAsked = "rectification_asked",
    MatterOpened = "matter_opened",
    DetailsAsked = "details_asked",
    DetailsAnswered = "details_answered",
});

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
    /// None: one that only a later version knows.
    pub kind: Option<NoticeKind>,
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
    insert_of(connection, NoticeKind::DuplicateFound, notices).await
}

/// The same of another kind. A notice about no case has an empty key.
pub async fn insert_of(
    connection: &mut PgConnection,
    kind: NoticeKind,
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
        kind.code(),
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
    let rows = query!(
        r#"SELECT notice_id, kind, source_case_id, text_zh, created_at, audit_entry FROM notice
            WHERE office_id = $1 AND delivered_at IS NULL ORDER BY created_at, notice_id LIMIT $2"#,
        office_id.as_str(),
        most,
    )
    .fetch_all(connection)
    .await?;
    let notices = rows.into_iter().map(|row| Notice {
        notice_id: row.notice_id,
        kind: row.kind.parse().ok(),
        source_case_id: row.source_case_id,
        text_zh: row.text_zh,
        created_at: row.created_at,
        audit_entry: row.audit_entry,
    });
    Ok(notices.collect())
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
