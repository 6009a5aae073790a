//! `export` and `export_chunk`: files made as jobs, for the one account that asked for them.

use std::time::Duration;

use linkage::office::OfficeId;
use sqlx::{PgConnection, PgPool, query, query_as, query_scalar};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::export::FileForm;
use crate::export::desk::{Export, Refusal};
use crate::export::subject::SubjectKind;
use crate::identity::Person;
use crate::jobs::JobState;
use crate::store::decode::{decode_error, parse};

/// A file that is to be made.
#[derive(Clone, Debug)]
pub struct NewExport<'a> {
    /// Its job.
    pub export_id: Uuid,
    pub by: &'a Person,
    pub subject: SubjectKind,
    pub form: FileForm,
    pub name: &'a str,
    pub kept: Duration,
}

/// Writes down that a file is to be made.
pub async fn insert(pool: &PgPool, new: &NewExport<'_>) -> Result<(), sqlx::Error> {
    let office_id = new.by.office_id();
    query!(
        "INSERT INTO export (export_id, account_id, role, office_id, subject, form, name, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, now() + make_interval(secs => $8))",
        new.export_id,
        new.by.account_id,
        new.by.role.kind().code(),
        office_id.as_ref().map(OfficeId::as_str),
        new.subject.code(),
        new.form.code(),
        new.name,
        new.kept.as_secs_f64(),
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Appends a part of the file.
pub async fn append(
    pool: &PgPool,
    export_id: Uuid,
    ordinal: i32,
    bytes: &[u8],
) -> Result<(), sqlx::Error> {
    query!(
        "INSERT INTO export_chunk (export_id, ordinal, bytes) VALUES ($1, $2, $3)",
        export_id,
        ordinal,
        bytes,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Says that the file is whole.
pub async fn complete(pool: &PgPool, export_id: Uuid, bytes: usize) -> Result<(), sqlx::Error> {
    query!(
        "UPDATE export SET bytes = $2 WHERE export_id = $1",
        export_id,
        i64::try_from(bytes).map_err(decode_error)?,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Says why there is none.
pub async fn refuse(pool: &PgPool, export_id: Uuid, refusal: Refusal) -> Result<(), sqlx::Error> {
    query!(
        "UPDATE export SET refusal = $2 WHERE export_id = $1",
        export_id,
        refusal.code(),
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Asks whoever makes it to stop.
pub async fn cancel(pool: &PgPool, export_id: Uuid) -> Result<(), sqlx::Error> {
    query!(
        "UPDATE export SET cancelled_at = coalesce(cancelled_at, now()) WHERE export_id = $1",
        export_id
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Whether somebody asked for that.
pub async fn is_cancelled(pool: &PgPool, export_id: Uuid) -> Result<bool, sqlx::Error> {
    let cancelled = query_scalar!(
        r#"SELECT cancelled_at IS NOT NULL AS "cancelled!" FROM export WHERE export_id = $1"#,
        export_id
    )
    .fetch_optional(pool)
    .await?;
    Ok(cancelled.unwrap_or(true))
}

/// Removes a file.
pub async fn delete(pool: &PgPool, export_id: Uuid) -> Result<(), sqlx::Error> {
    query!("DELETE FROM export WHERE export_id = $1", export_id)
        .execute(pool)
        .await?;
    Ok(())
}

/// Removes files that have expired, and parts of files that will never be whole. Returns how many files went.
pub async fn sweep(pool: &PgPool) -> Result<u64, sqlx::Error> {
    let expired = query!("DELETE FROM export WHERE expires_at <= now()")
        .execute(pool)
        .await?;
    query!(
        "DELETE FROM export_chunk c USING export e
          WHERE e.export_id = c.export_id AND e.bytes IS NULL AND NOT job_is_held(e.export_id)"
    )
    .execute(pool)
    .await?;
    Ok(expired.rows_affected())
}

struct Row {
    export_id: Uuid,
    subject: String,
    form: String,
    name: String,
    bytes: Option<i64>,
    refusal: Option<String>,
    cancelled: bool,
    expires_at: OffsetDateTime,
    step: String,
    done: i64,
    total: i64,
    started_at: OffsetDateTime,
    outcome: Option<String>,
    held: bool,
}

impl TryFrom<Row> for Export {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        Ok(Self {
            export_id: row.export_id,
            subject: parse(&row.subject)?,
            form: parse(&row.form)?,
            name: row.name,
            bytes: row
                .bytes
                .map(u64::try_from)
                .transpose()
                .map_err(decode_error)?,
            refusal: row.refusal.as_deref().map(parse).transpose()?,
            state: match JobState::of(row.outcome.as_deref().map(parse).transpose()?, row.held) {
                JobState::UnderWay if row.cancelled => JobState::Cancelled,
                state => state,
            },
            step: parse(&row.step)?,
            done: u64::try_from(row.done).map_err(decode_error)?,
            total: u64::try_from(row.total).map_err(decode_error)?,
            started_at: row.started_at,
            expires_at: row.expires_at,
        })
    }
}

/// The reader's files that are kept, the newest first; or the one of an id.
pub async fn list(
    connection: &mut PgConnection,
    export_id: Option<Uuid>,
) -> Result<Vec<Export>, sqlx::Error> {
    let rows = query_as!(
        Row,
        r#"SELECT e.export_id, e.subject, e.form, e.name, e.bytes, e.refusal, e.cancelled_at IS NOT NULL AS "cancelled!",
                  e.expires_at, j.step, j.done, j.total, j.started_at, j.outcome, job_is_held(j.job_id) AS "held!"
             FROM export e JOIN job j ON j.job_id = e.export_id
            WHERE e.expires_at > now() AND ($1::uuid IS NULL OR e.export_id = $1)
            ORDER BY j.started_at DESC, e.export_id DESC"#,
        export_id,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(Export::try_from).collect()
}

/// A part of a file, for the reader whose it is.
pub async fn chunk(
    connection: &mut PgConnection,
    export_id: Uuid,
    ordinal: i32,
) -> Result<Option<Vec<u8>>, sqlx::Error> {
    query_scalar!(
        "SELECT bytes FROM export_chunk WHERE export_id = $1 AND ordinal = $2",
        export_id,
        ordinal,
    )
    .fetch_optional(connection)
    .await
}
