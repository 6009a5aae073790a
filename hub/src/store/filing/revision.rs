//! Revisions of a filing: the one that stands in `filing`, and those before it in `filing_former`.

use linkage::office::OfficeId;
use sqlx::{PgConnection, PgPool, query};
use time::OffsetDateTime;
use uuid::Uuid;

use super::body;
use super::record::put_paper;
use crate::filing::CorrectError;
use crate::filing::body::Body;
use crate::filing::correct::{Correction, Due, Standing};
use crate::review::Decided;
use crate::store::decode::decode_error;
use crate::store::scope::{self, Scope};
use crate::store::supervision::work;

/// What a filing said from a time on.
#[derive(Clone, Debug, PartialEq)]
pub struct Revision {
    /// 1 for the first.
    pub number: i32,
    pub body: Body,
    pub text: String,
    pub recorded_at: OffsetDateTime,
    /// None: the office's agent.
    pub filed_by: Option<Uuid>,
    /// Why it was corrected; none of the first.
    pub reason: Option<String>,
}

/// Puts a correction in the place of the newest revision, which is kept; what follows from the filing follows it.
pub async fn put(
    pool: &PgPool,
    scope: Scope,
    correction: &Correction,
) -> Result<Decided<Revision>, CorrectError> {
    let mut transaction = scope.write(pool).await?;
    let standing = standing(&mut transaction, correction)
        .await?
        .ok_or(CorrectError::NotFound)?;
    let due = correction.over(&standing)?;
    let (office_id, filing_id) = (correction.office_id, correction.filing_id);
    if due == Due::Revision {
        keep(&mut transaction, correction).await?;
        replace(&mut transaction, correction, &standing).await?;
        scope::widen(&mut transaction).await?;
        if let Body::SpecialPaper { movements, .. } = &correction.body {
            put_paper(&mut transaction, office_id, filing_id, movements).await?;
        }
        work::add_office(&mut transaction, office_id).await?;
    }
    let standing = newest(&mut transaction, office_id, filing_id, 1)
        .await?
        .pop()
        .ok_or(CorrectError::NotFound)?;
    transaction.commit().await?;
    Ok(match due {
        Due::Revision => Decided::Now(standing),
        Due::Nothing => Decided::Before(standing),
    })
}

/// The filing as it stands, locked: of two who correct it one waits.
async fn standing(
    connection: &mut PgConnection,
    correction: &Correction,
) -> Result<Option<Standing>, sqlx::Error> {
    let row = query!(
        r#"SELECT kind, detail, text, source_case_id, revision, corrected_by, correction_reason
             FROM filing WHERE office_id = $1 AND filing_id = $2 FOR UPDATE"#,
        correction.office_id.as_str(),
        correction.filing_id,
    )
    .fetch_optional(connection)
    .await?;
    row.map(|row| {
        Ok(Standing {
            body: body(&row.kind, row.detail)?,
            text: row.text,
            source_case_id: row.source_case_id,
            revision: row.revision,
            correction: row.corrected_by.zip(row.correction_reason),
        })
    })
    .transpose()
}

async fn keep(connection: &mut PgConnection, correction: &Correction) -> Result<(), sqlx::Error> {
    query!(
        r#"INSERT INTO filing_former (office_id, filing_id, revision, detail, text, digest, recorded_at, filed_by, reason)
           SELECT office_id, filing_id, revision, detail, text, digest, coalesce(corrected_at, recorded_at),
                  CASE revision WHEN 1 THEN filed_by ELSE corrected_by END, correction_reason
             FROM filing WHERE office_id = $1 AND filing_id = $2"#,
        correction.office_id.as_str(),
        correction.filing_id,
    )
    .execute(connection)
    .await?;
    Ok(())
}

async fn replace(
    connection: &mut PgConnection,
    correction: &Correction,
    standing: &Standing,
) -> Result<(), sqlx::Error> {
    query!(
        r#"UPDATE filing SET detail = $3, text = $4, digest = $5, revision = revision + 1, corrected_at = now(),
                             corrected_by = $6, correction_reason = $7
            WHERE office_id = $1 AND filing_id = $2"#,
        correction.office_id.as_str(),
        correction.filing_id,
        serde_json::to_value(&correction.body).map_err(decode_error)?,
        correction.text,
        &correction.digest(standing),
        correction.corrected_by,
        correction.grounds.as_str(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Everything that a filing said, the newest first; nothing where there is no such filing.
pub async fn list(
    connection: &mut PgConnection,
    office_id: OfficeId,
    filing_id: Uuid,
) -> Result<Vec<Revision>, sqlx::Error> {
    newest(connection, office_id, filing_id, i64::MAX).await
}

/// At most so many revisions, the newest first.
async fn newest(
    connection: &mut PgConnection,
    office_id: OfficeId,
    filing_id: Uuid,
    most: i64,
) -> Result<Vec<Revision>, sqlx::Error> {
    let rows = query!(
        r#"SELECT f.kind, r.revision AS "revision!", r.detail AS "detail!", r.text AS "text!", r.recorded_at AS "recorded_at!",
                  r.filed_by AS "filed_by?", r.reason AS "reason?"
             FROM filing f
            CROSS JOIN LATERAL (
                  SELECT f.revision, f.detail, f.text, coalesce(f.corrected_at, f.recorded_at) AS recorded_at,
                         CASE f.revision WHEN 1 THEN f.filed_by ELSE f.corrected_by END AS filed_by,
                         f.correction_reason AS reason
                   UNION ALL
                  SELECT o.revision, o.detail, o.text, o.recorded_at, o.filed_by, o.reason
                    FROM filing_former o WHERE o.office_id = f.office_id AND o.filing_id = f.filing_id) r
            WHERE f.office_id = $1 AND f.filing_id = $2 ORDER BY r.revision DESC LIMIT $3"#,
        office_id.as_str(),
        filing_id,
        most,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Revision {
                number: row.revision,
                body: body(&row.kind, row.detail)?,
                text: row.text,
                recorded_at: row.recorded_at,
                filed_by: row.filed_by,
                reason: row.reason,
            })
        })
        .collect()
}
