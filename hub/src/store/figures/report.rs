//! `report_issue`: reports as they were published.

use sqlx::{AssertSqlSafe, PgConnection, PgPool, PgTransaction, query};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use crate::reports::period::ReportPeriod;
use crate::reports::{Issue, Published};
use crate::store::decode::decode_error;
use crate::store::tx;

/// An issue to be kept.
#[derive(Clone, Copy, Debug)]
pub struct NewIssue<'a> {
    pub period: ReportPeriod,
    pub number: i32,
    pub frozen_at: OffsetDateTime,
    pub frozen_by: Uuid,
    pub reason: Option<&'a str>,
    pub content: &'a str,
    pub digest: [u8; 32],
}

/// A transaction that publishes alone and sees one moment, that of when its turn has come.
pub async fn begin_publishing(pool: &PgPool) -> Result<PgTransaction<'static>, sqlx::Error> {
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ; LOCK TABLE report_issue IN SHARE ROW EXCLUSIVE MODE";
    tx::begin_with(pool, AssertSqlSafe(begin.to_owned())).await
}

struct Row {
    grain: String,
    begins_on: Date,
    issue: i32,
    frozen_at: OffsetDateTime,
    frozen_by: Uuid,
    frozen_by_name: Option<String>,
    reason: Option<String>,
    digest: Vec<u8>,
}

impl TryFrom<Row> for Issue {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        Ok(Self {
            period: ReportPeriod::stored(&row.grain, row.begins_on).map_err(decode_error)?,
            number: row.issue,
            frozen_at: row.frozen_at,
            frozen_by: row.frozen_by,
            frozen_by_name: row.frozen_by_name,
            reason: row.reason,
            digest: row.digest.as_slice().try_into().map_err(decode_error)?,
        })
    }
}

/// Issues of one period or of all, the newest period first and of each the newest issue; of periods that begin on one
/// day the longest first.
pub async fn issues(
    connection: &mut PgConnection,
    period: Option<ReportPeriod>,
) -> Result<Vec<Issue>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT grain, begins_on, issue, frozen_at, frozen_by, frozen_by_name, reason, digest
             FROM report_issue
            WHERE ($1::text IS NULL OR grain = $1) AND ($2::date IS NULL OR begins_on = $2)
            ORDER BY begins_on DESC, array_position(ARRAY['year', 'half_year', 'quarter', 'month'], grain), issue DESC"#,
        period.map(|period| period.grain().code()),
        period.map(ReportPeriod::first),
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(Issue::try_from).collect()
}

/// The newest issue of every period of the year that `period` lies in and of the year before.
pub async fn published(
    connection: &mut PgConnection,
    period: ReportPeriod,
) -> Result<Vec<Published>, sqlx::Error> {
    let year = period.year();
    let rows = query!(
        r#"SELECT DISTINCT ON (grain, begins_on) grain, begins_on, content
             FROM report_issue WHERE begins_on BETWEEN $1 AND $2
            ORDER BY grain, begins_on, issue DESC"#,
        year.year_before().first(),
        year.span().last,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Published {
                period: ReportPeriod::stored(&row.grain, row.begins_on).map_err(decode_error)?,
                document: serde_json::from_str(&row.content).map_err(decode_error)?,
            })
        })
        .collect()
}

/// An issue with its content.
pub async fn content(
    connection: &mut PgConnection,
    period: ReportPeriod,
    number: i32,
) -> Result<Option<(Issue, String)>, sqlx::Error> {
    let row = query!(
        r#"SELECT grain, begins_on, issue, frozen_at, frozen_by, frozen_by_name, reason, digest, content
             FROM report_issue WHERE grain = $1 AND begins_on = $2 AND issue = $3"#,
        period.grain().code(),
        period.first(),
        number,
    )
    .fetch_optional(connection)
    .await?;
    row.map(|row| {
        let issue = Row {
            grain: row.grain,
            begins_on: row.begins_on,
            issue: row.issue,
            frozen_at: row.frozen_at,
            frozen_by: row.frozen_by,
            frozen_by_name: row.frozen_by_name,
            reason: row.reason,
            digest: row.digest,
        };
        Ok((issue.try_into()?, row.content))
    })
    .transpose()
}

/// Keeps an issue, with the name that the account has now.
pub async fn insert(
    connection: &mut PgConnection,
    new: &NewIssue<'_>,
) -> Result<Issue, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        r#"INSERT INTO report_issue (grain, begins_on, issue, frozen_at, frozen_by, frozen_by_name, reason, content, digest)
           VALUES ($1, $2, $3, $4, $5, (SELECT display_name FROM account WHERE account_id = $5), $6, $7, $8)
           RETURNING grain, begins_on, issue, frozen_at, frozen_by, frozen_by_name, reason, digest"#,
        new.period.grain().code(),
        new.period.first(),
        new.number,
        new.frozen_at,
        new.frozen_by,
        new.reason,
        new.content,
        new.digest.as_slice(),
    )
    .fetch_one(connection)
    .await?;
    row.try_into()
}
