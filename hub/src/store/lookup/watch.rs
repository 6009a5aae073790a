//! `standing_question`: matters that offices want to hear of, by which keys they are known, and what was found.

use linkage::matter::{MatterKey, MatterType};
use linkage::office::OfficeId;
use linkage::vocabulary::Purpose;
use sqlx::{PgConnection, PgPool, query, query_scalar};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::lookup::Asker;
use crate::store::decode::{decode_error, parse};
use crate::store::feed::notice::NoticeKind;

/// Questions of one office that stand at once: a bound on what one case can cost.
pub const MOST_STANDING: i64 = 200;

/// A question to be put.
#[derive(Clone, Copy, Debug)]
pub struct NewWatch<'a> {
    pub asker: Asker,
    pub matter_type: MatterType,
    pub purpose: Purpose,
    pub case_reference: &'a str,
    pub days: i32,
    /// Sorted, and not empty.
    pub keys: &'a [MatterKey],
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Put {
    Stands(Watch),
    TooMany,
}

/// A question that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    pub watch_id: Uuid,
    pub matter_type: MatterType,
    pub case_reference: String,
    pub put_at: OffsetDateTime,
    pub expires_at: OffsetDateTime,
}

/// A case, or an intent, of which questions may have to hear.
#[derive(Clone, Copy, Debug)]
pub struct Opened<'a> {
    pub office_id: OfficeId,
    /// Empty for an intent.
    pub source_case_id: &'a str,
    pub keys: &'a [MatterKey],
}

/// A question that shares keys with something opened.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Index of what was opened in the list that was asked about.
    pub of: usize,
    pub watch_id: Uuid,
    pub office_id: OfficeId,
    pub matter_type: MatterType,
    pub purpose: Purpose,
    pub case_reference: String,
    /// The keys both have, sorted.
    pub shared: Vec<MatterKey>,
}

/// What an office is told of what another one opened: `before`, that office's name if it may be told, `after`.
#[derive(Clone, Debug)]
pub struct Telling<'a> {
    pub watch_id: Uuid,
    pub to: OfficeId,
    pub by: OfficeId,
    /// Empty for an intent.
    pub source_case_id: &'a str,
    pub before: String,
    pub office_is_named: bool,
    pub after: String,
}

/// What a notice answers, for the audit log.
#[derive(Clone, Debug)]
pub struct Answering {
    pub notice_id: Uuid,
    pub watch_id: Uuid,
    pub purpose: Purpose,
    pub case_reference: String,
    pub by: String,
    /// Empty for an intent.
    pub source_case_id: String,
}

/// Puts a question; the same once more stands on until its new end. The caller holds the stripes of its keys, and writes
/// as the asker.
pub async fn put(connection: &mut PgConnection, new: &NewWatch<'_>) -> Result<Put, sqlx::Error> {
    if let Some(watch) = prolong(connection, new).await? {
        return Ok(Put::Stands(watch));
    }
    let watch_id = Uuid::now_v7();
    // The time is that of the stripes, not of the transaction.
    let row = query!(
        r#"INSERT INTO standing_question (question_id, office_id, account_id, matter_type, purpose, case_reference,
                                          put_at, expires_at)
           SELECT $1, $2, $3, $4, $5, $6, at, at + make_interval(days => $7)
             FROM (SELECT clock_timestamp()) AS clock (at)
            WHERE (SELECT count(*) FROM standing_question
                    WHERE office_id = $2 AND ended_at IS NULL AND expires_at > at) < $8
           RETURNING put_at, expires_at"#,
        watch_id,
        new.asker.office_id.as_str(),
        new.asker.account_id,
        new.matter_type.code(),
        new.purpose.code(),
        new.case_reference,
        new.days,
        MOST_STANDING,
    )
    .fetch_optional(&mut *connection)
    .await?;
    let Some(row) = row else {
        return Ok(Put::TooMany);
    };
    // A statement of its own: whose the keys are is read from the question.
    query!(
        "INSERT INTO standing_key (key, question_id) SELECT key, $2 FROM unnest($1::bytea[]) AS key",
        &bytes(new.keys) as &[&[u8]],
        watch_id,
    )
    .execute(connection)
    .await?;
    Ok(Put::Stands(Watch {
        watch_id,
        matter_type: new.matter_type,
        case_reference: new.case_reference.to_owned(),
        put_at: row.put_at,
        expires_at: row.expires_at,
    }))
}

/// Gives the same question, if it stands, its new end.
async fn prolong(
    connection: &mut PgConnection,
    new: &NewWatch<'_>,
) -> Result<Option<Watch>, sqlx::Error> {
    let row = query!(
        r#"UPDATE standing_question q SET expires_at = clock_timestamp() + make_interval(days => $5)
            WHERE office_id = $1 AND matter_type = $2 AND purpose = $3 AND case_reference = $4
              AND ended_at IS NULL AND expires_at > clock_timestamp()
              AND ARRAY (SELECT key FROM standing_key k WHERE k.question_id = q.question_id ORDER BY key) = $6::bytea[]
           RETURNING question_id, put_at, expires_at"#,
        new.asker.office_id.as_str(),
        new.matter_type.code(),
        new.purpose.code(),
        new.case_reference,
        new.days,
        &bytes(new.keys) as &[&[u8]],
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| Watch {
        watch_id: row.question_id,
        matter_type: new.matter_type,
        case_reference: new.case_reference.to_owned(),
        put_at: row.put_at,
        expires_at: row.expires_at,
    }))
}

/// Removes the office's questions that have been over for thirty days, and what of them never reached it.
pub async fn forget(connection: &mut PgConnection, office_id: OfficeId) -> Result<(), sqlx::Error> {
    query!(
        r#"WITH over AS (
               DELETE FROM standing_question
                WHERE office_id = $1 AND least(ended_at, expires_at) < now() - interval '30 days'
               RETURNING question_id),
           gone AS (
               DELETE FROM standing_event e USING over WHERE e.question_id = over.question_id RETURNING e.notice_id)
           DELETE FROM notice n USING gone WHERE n.notice_id = gone.notice_id AND n.delivered_at IS NULL"#,
        office_id.as_str(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The office's questions that stand, the newest first.
pub async fn standing(
    connection: &mut PgConnection,
    office_id: OfficeId,
) -> Result<Vec<Watch>, sqlx::Error> {
    let rows = query!(
        r#"SELECT question_id, matter_type, case_reference, put_at, expires_at FROM standing_question
            WHERE office_id = $1 AND ended_at IS NULL AND expires_at > now()
            ORDER BY put_at DESC, question_id LIMIT $2"#,
        office_id.as_str(),
        MOST_STANDING,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Watch {
                watch_id: row.question_id,
                matter_type: parse(&row.matter_type)?,
                case_reference: row.case_reference,
                put_at: row.put_at,
                expires_at: row.expires_at,
            })
        })
        .collect()
}

/// Whether the office has put such a question.
pub async fn is_known(
    connection: &mut PgConnection,
    office_id: OfficeId,
    watch_id: Uuid,
) -> Result<bool, sqlx::Error> {
    query_scalar!(
        r#"SELECT EXISTS (SELECT FROM standing_question WHERE question_id = $1 AND office_id = $2) AS "known!""#,
        watch_id,
        office_id.as_str(),
    )
    .fetch_one(connection)
    .await
}

/// Ends a question of the office, which writes.
pub async fn end(
    connection: &mut PgConnection,
    office_id: OfficeId,
    watch_id: Uuid,
) -> Result<(), sqlx::Error> {
    query!(
        r#"WITH ended AS (
               UPDATE standing_question SET ended_at = coalesce(ended_at, now())
                WHERE question_id = $1 AND office_id = $2 RETURNING question_id)
           DELETE FROM standing_key k USING ended WHERE k.question_id = ended.question_id"#,
        watch_id,
        office_id.as_str(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Questions of other offices that share keys with what was opened, without those that have heard of it.
pub async fn asked_about(
    connection: &mut PgConnection,
    opened: &[Opened<'_>],
) -> Result<Vec<Asked>, sqlx::Error> {
    let (mut of, mut offices, mut cases): (Vec<i32>, Vec<&str>, Vec<&str>) = Default::default();
    let mut keys: Vec<&[u8]> = Vec::new();
    for (index, each) in (0..).zip(opened) {
        for key in each.keys {
            of.push(index);
            offices.push(each.office_id.as_str());
            cases.push(each.source_case_id);
            keys.push(key.as_bytes());
        }
    }
    if of.is_empty() {
        return Ok(Vec::new());
    }
    let rows = query!(
        r#"SELECT o.of AS "of!", q.question_id, q.office_id, q.matter_type, q.purpose, q.case_reference,
                  array_agg(k.key ORDER BY k.key) AS "shared!"
             FROM unnest($1::integer[], $2::text[], $3::text[], $4::bytea[]) AS o (of, office_id, source_case_id, key)
             JOIN standing_key k ON k.key = o.key
             JOIN standing_question q ON q.question_id = k.question_id
            WHERE q.office_id <> o.office_id AND q.ended_at IS NULL AND q.expires_at > clock_timestamp()
              AND NOT EXISTS (SELECT FROM standing_event e
                               WHERE e.question_id = q.question_id AND e.office_id = o.office_id
                                 AND e.source_case_id = o.source_case_id)
            GROUP BY o.of, q.question_id
            ORDER BY q.question_id, o.of"#,
        &of,
        &offices as &[&str],
        &cases as &[&str],
        &keys as &[&[u8]],
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            let shared = row.shared.iter();
            Ok(Asked {
                of: usize::try_from(row.of).map_err(decode_error)?,
                watch_id: row.question_id,
                office_id: parse(&row.office_id)?,
                matter_type: parse(&row.matter_type)?,
                purpose: parse(&row.purpose)?,
                case_reference: row.case_reference,
                shared: shared
                    .map(|key| MatterKey::try_from(key.as_slice()).map_err(decode_error))
                    .collect::<Result<_, _>>()?,
            })
        })
        .collect()
}

/// Remembers what stood there when the question was put: no notice tells of it.
pub async fn known(
    connection: &mut PgConnection,
    watch_id: Uuid,
    there: &[(OfficeId, &str)],
) -> Result<(), sqlx::Error> {
    let (offices, cases) = crate::store::columns(there);
    query!(
        r#"INSERT INTO standing_event (question_id, office_id, source_case_id, happened_at)
           SELECT $1, *, now() FROM unnest($2::text[], $3::text[])
               ON CONFLICT (question_id, office_id, source_case_id) DO UPDATE SET happened_at = excluded.happened_at
            WHERE standing_event.source_case_id = ''"#,
        watch_id,
        &offices as &[&str],
        &cases as &[&str],
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Forgets that questions about these keys have heard of an intent of the office that is over by now, and what of it never
/// reached anybody. The caller holds the stripes of the keys.
pub async fn forget_intents(
    connection: &mut PgConnection,
    office_id: OfficeId,
    keys: &[MatterKey],
) -> Result<(), sqlx::Error> {
    query!(
        r#"WITH over AS (
               DELETE FROM standing_event e USING standing_key k
                WHERE k.key = ANY ($2::bytea[]) AND e.question_id = k.question_id AND e.office_id = $1
                  AND e.source_case_id = '' AND e.happened_at <= now() - interval '24 hours'
               RETURNING e.notice_id)
           DELETE FROM notice n USING over WHERE n.notice_id = over.notice_id AND n.delivered_at IS NULL"#,
        office_id.as_str(),
        &bytes(keys) as &[&[u8]],
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Tells offices what their questions have found, each of it once.
pub async fn tell(
    connection: &mut PgConnection,
    tellings: &[Telling<'_>],
) -> Result<(), sqlx::Error> {
    if tellings.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = tellings.iter().map(|_| Uuid::now_v7()).collect();
    let watches: Vec<Uuid> = tellings.iter().map(|told| told.watch_id).collect();
    let to: Vec<&str> = tellings.iter().map(|told| told.to.as_str()).collect();
    let by: Vec<&str> = tellings.iter().map(|told| told.by.as_str()).collect();
    let cases: Vec<&str> = tellings.iter().map(|told| told.source_case_id).collect();
    let before: Vec<&str> = tellings.iter().map(|told| told.before.as_str()).collect();
    let named: Vec<bool> = tellings.iter().map(|told| told.office_is_named).collect();
    let after: Vec<&str> = tellings.iter().map(|told| told.after.as_str()).collect();
    query!(
        r#"WITH told AS (
               SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::boolean[],
                                    $8::text[])
                          AS t (notice_id, question_id, heard_by, office_id, source_case_id, before, named, after)),
           news AS (
               INSERT INTO standing_event (question_id, office_id, source_case_id, notice_id, happened_at)
               SELECT question_id, office_id, source_case_id, notice_id, now() FROM told
                   ON CONFLICT DO NOTHING RETURNING notice_id)
           INSERT INTO notice (notice_id, office_id, kind, text_zh, created_at)
           SELECT t.notice_id, t.heard_by, $9,
                  t.before || CASE WHEN t.named THEN o.name ELSE '另一公证处' END || t.after, now()
             FROM news JOIN told t ON t.notice_id = news.notice_id JOIN office o ON o.office_id = t.office_id"#,
        &ids,
        &watches,
        &to as &[&str],
        &by as &[&str],
        &cases as &[&str],
        &before as &[&str],
        &named,
        &after as &[&str],
        NoticeKind::MatterOpened.code(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What these notices answer.
pub async fn answering(pool: &PgPool, notice_ids: &[Uuid]) -> Result<Vec<Answering>, sqlx::Error> {
    let rows = query!(
        r#"SELECT e.notice_id AS "notice_id!", e.question_id, q.purpose, q.case_reference, e.office_id, e.source_case_id
             FROM standing_event e JOIN standing_question q ON q.question_id = e.question_id
            WHERE e.notice_id = ANY ($1)"#,
        notice_ids,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Answering {
                notice_id: row.notice_id,
                watch_id: row.question_id,
                purpose: parse(&row.purpose)?,
                case_reference: row.case_reference,
                by: row.office_id,
                source_case_id: row.source_case_id,
            })
        })
        .collect()
}

fn bytes(keys: &[MatterKey]) -> Vec<&[u8]> {
    keys.iter().map(|key| key.as_bytes().as_slice()).collect()
}
