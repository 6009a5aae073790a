//! `details_request`: entrusted verification between offices.

use linkage::office::OfficeId;
use sqlx::{PgConnection, PgPool, query, query_scalar};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use crate::details::{Answer, Entrusted, Outcome, Side, State};
use crate::lookup::Asker;
use crate::store::decode::parse;

/// A case that a look-up told of, and for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub holding_office: OfficeId,
    pub source_case_id: String,
    pub purpose: String,
    pub case_reference: String,
}

/// A request to be stored.
#[derive(Clone, Copy, Debug)]
pub struct NewRequest<'a> {
    pub request_id: Uuid,
    pub asker: Asker,
    pub audit_entry: i64,
    pub told: &'a Told,
    pub question: &'a str,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It stands, since now or before; the last day for the answer.
    Due(Date),
    IdTaken,
    TooManyOpen,
}

/// The case at a place of a look-up's answer, when the look-up is the asker's own of the last 24 hours.
pub async fn told(
    connection: &mut PgConnection,
    asker: Asker,
    audit_entry: i64,
    hit: i32,
) -> Result<Option<Told>, sqlx::Error> {
    let row = query!(
        r#"SELECT detail -> 'told' -> $4::integer ->> 0 AS office, detail -> 'told' -> $4::integer ->> 1 AS source_case_id,
                  purpose, case_reference
             FROM audit_entry
            WHERE entry_no = $1 AND actor = $2 AND office_id = $3
              AND action IN ('lookup.check_application', 'lookup.batch_check', 'lookup.find_person')
              AND outcome = 'hit' AND recorded_at > now() - interval '24 hours'"#,
        audit_entry,
        asker.account_id.to_string(),
        asker.office_id.as_str(),
        hit,
    )
    .fetch_optional(connection)
    .await?;
    let found = row.and_then(|row| {
        Some((
            row.office?,
            row.source_case_id?,
            row.purpose?,
            row.case_reference?,
        ))
    });
    found
        .map(|(office, source_case_id, purpose, case_reference)| {
            Ok(Told {
                holding_office: parse(&office)?,
                source_case_id,
                purpose,
                case_reference,
            })
        })
        .transpose()
}

/// Stores a request and the notice to the holding office, once.
pub async fn insert(
    pool: &PgPool,
    new: &NewRequest<'_>,
    most_open: i64,
) -> Result<Asked, sqlx::Error> {
    if let Some(asked) = standing(pool, new).await? {
        return Ok(asked);
    }
    let open = query_scalar!(
        r#"SELECT count(*) AS "open!" FROM details_request WHERE asking_office = $1 AND outcome IS NULL"#,
        new.asker.office_id.as_str(),
    )
    .fetch_one(pool)
    .await?;
    if open >= most_open {
        return Ok(Asked::TooManyOpen);
    }
    let due_on = query_scalar!(
        r#"WITH asked AS (
               INSERT INTO details_request (request_id, asking_office, asked_by, case_reference, purpose, audit_entry,
                                            holding_office, source_case_id, question, asked_at, due_on)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, now(),
                       ((now() AT TIME ZONE 'Asia/Shanghai')::date + interval '1 month')::date)
               ON CONFLICT (request_id) DO NOTHING RETURNING *),
           told AS (
               INSERT INTO notice (notice_id, office_id, kind, source_case_id, text_zh, created_at)
               SELECT $10, a.holding_office, 'details_asked', a.source_case_id,
                      o.name || '请求核实本处一件公证的有关情况，请于' || to_char(a.due_on, 'YYYY-MM-DD') || '前答复。',
                      now()
                 FROM asked a JOIN office o ON o.office_id = a.asking_office)
           SELECT due_on FROM asked"#,
        new.request_id,
        new.asker.office_id.as_str(),
        new.asker.account_id,
        new.told.case_reference,
        new.told.purpose,
        new.audit_entry,
        new.told.holding_office.as_str(),
        new.told.source_case_id,
        new.question,
        Uuid::now_v7(),
    )
    .fetch_optional(pool)
    .await?;
    match due_on {
        Some(due_on) => Ok(Asked::Due(due_on)),
        // The same request came twice at once.
        None => Ok(standing(pool, new).await?.unwrap_or(Asked::IdTaken)),
    }
}

/// What is known of a request with this id.
async fn standing(pool: &PgPool, new: &NewRequest<'_>) -> Result<Option<Asked>, sqlx::Error> {
    let row = query!(
        r#"SELECT due_on, asking_office = $2 AND audit_entry = $3 AND holding_office = $4
                  AND source_case_id = $5 AND question = $6 AS "same!"
             FROM details_request WHERE request_id = $1"#,
        new.request_id,
        new.asker.office_id.as_str(),
        new.audit_entry,
        new.told.holding_office.as_str(),
        new.told.source_case_id,
        new.question,
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| match row.same {
        true => Asked::Due(row.due_on),
        false => Asked::IdTaken,
    }))
}

/// Requests of an office behind one, the newest first.
pub async fn list(
    connection: &mut PgConnection,
    office_id: OfficeId,
    side: Side,
    behind: Option<Uuid>,
    most: i64,
) -> Result<Vec<Entrusted>, sqlx::Error> {
    let rows = query!(
        r#"SELECT d.request_id, d.asking_office, a.name AS asking_name, d.case_reference, d.holding_office,
                  h.name AS holding_name, d.source_case_id, c.case_no AS "case_no?", c.matter_type, d.question,
                  d.asked_at, d.due_on, d.outcome, d.answer, d.answered_at,
                  (now() AT TIME ZONE 'Asia/Shanghai')::date AS "today!"
             FROM details_request d
             JOIN office a ON a.office_id = d.asking_office
             JOIN office h ON h.office_id = d.holding_office
             JOIN case_record c ON c.office_id = d.holding_office AND c.source_case_id = d.source_case_id
            WHERE CASE WHEN $2 THEN d.asking_office ELSE d.holding_office END = $1
              AND ($3::uuid IS NULL OR (d.asked_at, d.request_id)
                   < (SELECT b.asked_at, b.request_id FROM details_request b WHERE b.request_id = $3))
            ORDER BY d.asked_at DESC, d.request_id DESC LIMIT $4"#,
        office_id.as_str(),
        side == Side::AskedByUs,
        behind,
        most,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            let outcome = row.outcome.as_deref().map(outcome).transpose()?;
            Ok(Entrusted {
                request_id: row.request_id,
                asking_office: parse(&row.asking_office)?,
                asking_office_name: row.asking_name,
                case_reference: row.case_reference,
                holding_office: Some(parse(&row.holding_office)?),
                holding_office_name: row.holding_name,
                source_case_id: (side == Side::AskedOfUs).then_some(row.source_case_id),
                case_no: row.case_no,
                matter_type: Some(parse(&row.matter_type)?),
                question: row.question,
                state: State::on(row.today, row.due_on, outcome),
                asked_at: row.asked_at,
                due_on: row.due_on,
                answer: row.answer,
                answered_at: row.answered_at,
            })
        })
        .collect()
}

/// Where a request stands that the office was asked.
pub async fn state(
    connection: &mut PgConnection,
    office_id: OfficeId,
    request_id: Uuid,
) -> Result<Option<State>, sqlx::Error> {
    let row = query!(
        r#"SELECT due_on, outcome, (now() AT TIME ZONE 'Asia/Shanghai')::date AS "today!"
             FROM details_request WHERE request_id = $1 AND holding_office = $2"#,
        request_id,
        office_id.as_str(),
    )
    .fetch_optional(connection)
    .await?;
    row.map(|row| {
        let outcome = row.outcome.as_deref().map(outcome).transpose()?;
        Ok(State::on(row.today, row.due_on, outcome))
    })
    .transpose()
}

/// Stores an answer and the notice to the asking office, which names nobody: the asking office may not know whom it
/// asked. Nothing when there is an answer already.
pub async fn answer(
    pool: &PgPool,
    asker: Asker,
    answer: &Answer,
) -> Result<Option<OffsetDateTime>, sqlx::Error> {
    query_scalar!(
        r#"WITH answered AS (
               UPDATE details_request SET outcome = $3, answer = $4, answered_by = $5, answered_at = now()
                WHERE request_id = $1 AND holding_office = $2 AND outcome IS NULL
               RETURNING asking_office, case_reference, answered_at),
           told AS (
               INSERT INTO notice (notice_id, office_id, kind, text_zh, created_at)
               SELECT $6, a.asking_office, 'details_answered',
                      '本处的核实请求（' || a.case_reference || '）已有答复。', now()
                 FROM answered a)
           SELECT answered_at AS "answered_at!" FROM answered"#,
        answer.request_id,
        asker.office_id.as_str(),
        answer.outcome.code(),
        answer.text,
        asker.account_id,
        Uuid::now_v7(),
    )
    .fetch_optional(pool)
    .await
}

fn outcome(code: &str) -> Result<Outcome, sqlx::Error> {
    [Outcome::Verified, Outcome::CannotVerify]
        .into_iter()
        .find(|outcome| outcome.code() == code)
        .ok_or_else(|| sqlx::Error::Decode("an outcome of no known code".into()))
}
