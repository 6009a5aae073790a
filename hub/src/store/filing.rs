//! `filing`: what offices hand in that is not a case.

use sqlx::{PgPool, query_scalar};
use time::OffsetDateTime;

use crate::filing::Filing;

/// Stores a filing, once; returns when it was first recorded.
pub async fn record(pool: &PgPool, filing: &Filing) -> Result<OffsetDateTime, sqlx::Error> {
    let recorded = query_scalar!(
        r#"INSERT INTO filing (office_id, filing_id, kind, source_case_id, text, recorded_at)
           VALUES ($1, $2, $3, $4, $5, now())
           ON CONFLICT (office_id, filing_id) DO NOTHING RETURNING recorded_at"#,
        filing.office_id.as_str(),
        filing.filing_id,
        filing.kind.code(),
        filing.source_case_id.as_deref(),
        filing.text,
    )
    .fetch_optional(pool)
    .await?;
    match recorded {
        Some(recorded_at) => Ok(recorded_at),
        None => {
            query_scalar!(
                "SELECT recorded_at FROM filing WHERE office_id = $1 AND filing_id = $2",
                filing.office_id.as_str(),
                filing.filing_id,
            )
            .fetch_one(pool)
            .await
        }
    }
}
