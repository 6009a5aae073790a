//! `alarm` and `honey_token`.

use std::collections::HashSet;

use linkage::office::OfficeId;
use linkage::token::Token;
use sqlx::{PgConnection, PgPool, query, query_as, query_scalar};
use time::OffsetDateTime;
use uuid::Uuid;

use super::decode::{decode_error, parse};
use crate::alarm::Kind;
use crate::lookup::Asker;

/// An alarm to be raised.
#[derive(Clone, Debug)]
pub struct NewAlarm {
    pub alarm_id: Uuid,
    pub kind: Kind,
    pub office_id: OfficeId,
    pub account_id: Option<Uuid>,
    pub audit_entry: i64,
}

/// An alarm with its whole life.
#[derive(Clone, Debug)]
pub struct Alarm {
    pub alarm_id: Uuid,
    pub kind: Kind,
    pub office_id: OfficeId,
    pub account_id: Option<Uuid>,
    pub audit_entry: i64,
    pub raised_at: OffsetDateTime,
    pub lifted_by: Option<Uuid>,
    pub lifted_at: Option<OffsetDateTime>,
    pub lifted_reason: Option<String>,
}

struct Row {
    alarm_id: Uuid,
    kind: String,
    office_id: String,
    account_id: Option<Uuid>,
    audit_entry: i64,
    raised_at: OffsetDateTime,
    lifted_by: Option<Uuid>,
    lifted_at: Option<OffsetDateTime>,
    lifted_reason: Option<String>,
}

impl TryFrom<Row> for Alarm {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        Ok(Self {
            alarm_id: row.alarm_id,
            kind: parse(&row.kind)?,
            office_id: parse(&row.office_id)?,
            account_id: row.account_id,
            audit_entry: row.audit_entry,
            raised_at: row.raised_at,
            lifted_by: row.lifted_by,
            lifted_at: row.lifted_at,
            lifted_reason: row.lifted_reason,
        })
    }
}

/// A planted identity.
#[derive(Clone, Debug)]
pub struct Planted {
    pub token: Vec<u8>,
    pub note: String,
    pub planted_at: OffsetDateTime,
}

impl NewAlarm {
    pub fn new(kind: Kind, asker: Asker, audit_entry: i64) -> Self {
        Self {
            alarm_id: Uuid::now_v7(),
            kind,
            office_id: asker.office_id,
            account_id: (kind != Kind::OfficeSubjects).then_some(asker.account_id),
            audit_entry,
        }
    }
}

/// Stores an alarm unless an open one says the same; returns whether it did.
pub async fn insert(pool: &PgPool, new: &NewAlarm) -> Result<bool, sqlx::Error> {
    let done = query!(
        "INSERT INTO alarm (alarm_id, kind, office_id, account_id, audit_entry) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT DO NOTHING",
        new.alarm_id,
        new.kind.code(),
        new.office_id.as_str(),
        new.account_id,
        new.audit_entry,
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Whoever has an open alarm.
pub async fn suspects(pool: &PgPool) -> Result<HashSet<Uuid>, sqlx::Error> {
    let accounts = query_scalar!(
        r#"SELECT account_id AS "account_id!" FROM alarm WHERE lifted_at IS NULL AND account_id IS NOT NULL"#
    )
    .fetch_all(pool)
    .await?;
    Ok(accounts.into_iter().collect())
}

/// Alarms behind one, the newest first.
pub async fn list(
    connection: &mut PgConnection,
    behind: Option<Uuid>,
    most: i64,
) -> Result<Vec<Alarm>, sqlx::Error> {
    let rows = query_as!(
        Row,
        "SELECT alarm_id, kind, office_id, account_id, audit_entry, raised_at, lifted_by, lifted_at, lifted_reason
           FROM alarm WHERE $1::uuid IS NULL OR alarm_id < $1 ORDER BY alarm_id DESC LIMIT $2",
        behind,
        most,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(Alarm::try_from).collect()
}

pub async fn load(
    connection: &mut PgConnection,
    alarm_id: Uuid,
) -> Result<Option<Alarm>, sqlx::Error> {
    let row = query_as!(
        Row,
        "SELECT alarm_id, kind, office_id, account_id, audit_entry, raised_at, lifted_by, lifted_at, lifted_reason
           FROM alarm WHERE alarm_id = $1",
        alarm_id,
    )
    .fetch_optional(connection)
    .await?;
    row.map(Alarm::try_from).transpose()
}

/// Lifts an alarm that is open.
pub async fn lift(
    connection: &mut PgConnection,
    alarm_id: Uuid,
    by: Uuid,
    reason: &str,
) -> Result<(), sqlx::Error> {
    query!(
        "UPDATE alarm SET lifted_by = $2, lifted_at = now(), lifted_reason = $3
          WHERE alarm_id = $1 AND lifted_at IS NULL",
        alarm_id,
        by,
        reason,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Tokens of all planted identities.
pub async fn honey(pool: &PgPool) -> Result<HashSet<Token>, sqlx::Error> {
    let tokens = query_scalar!("SELECT token FROM honey_token")
        .fetch_all(pool)
        .await?;
    let tokens = tokens.iter();
    tokens
        .map(|token| Token::try_from(token.as_slice()).map_err(decode_error))
        .collect()
}

/// All planted identities, the newest first.
pub async fn planted(pool: &PgPool) -> Result<Vec<Planted>, sqlx::Error> {
    query_as!(
        Planted,
        "SELECT token, note, planted_at FROM honey_token ORDER BY planted_at DESC, token"
    )
    .fetch_all(pool)
    .await
}

/// Whether cases are known of somebody with this token: then it is nobody to plant.
pub async fn is_somebodys(pool: &PgPool, token: Token) -> Result<bool, sqlx::Error> {
    query_scalar!(
        r#"SELECT EXISTS (SELECT FROM party WHERE id_token = $1)
               OR EXISTS (SELECT FROM subject WHERE token = $1) AS "known!""#,
        token.as_bytes(),
    )
    .fetch_one(pool)
    .await
}

pub async fn plant(pool: &PgPool, token: Token, note: &str) -> Result<(), sqlx::Error> {
    query!(
        "INSERT INTO honey_token (token, note) VALUES ($1, $2)
         ON CONFLICT (token) DO UPDATE SET note = excluded.note",
        token.as_bytes(),
        note,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Returns false when none was planted.
pub async fn remove(pool: &PgPool, token: Token) -> Result<bool, sqlx::Error> {
    let done = query!("DELETE FROM honey_token WHERE token = $1", token.as_bytes())
        .execute(pool)
        .await?;
    Ok(done.rows_affected() == 1)
}
