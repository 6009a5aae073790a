//! `case_record` and `case_history`: set-based, one statement for a batch.
//!
//! | module | holds |
//! |---|---|
//! | [`child`] | parties, subjects and matter keys of a case |
//! | [`digest`] | digests, for comparing with what an office has sent |
//! | [`next_tokens`] | tokens under the key that is to follow |
//! | [`quality`] | what is doubtful in cases that are stored |
//! | [`reject`] | what is in quarantine |

pub mod child;
pub mod digest;
pub mod next_tokens;
pub mod quality;
pub mod reject;

use linkage::case_no::CaseNo;
use sqlx::{PgConnection, query};
use time::OffsetDateTime;

use super::copy::{Column, Copied, Row, column};
use super::decode::decode_error;
use super::{columns, tx};
use crate::case::{Case, CaseKey, ContentHash, Stored};
use crate::ingest::plan::{Batch, Held, HeldCase, NumberKey, Write};

/// The figures of a row of `case_record`, whatever else a statement reads of it.
macro_rules! figures_of {
    ($row:ident) => {
        $crate::statistics::contribution::Figures {
            state: $crate::store::decode::parse(&$row.state)?,
            matter_type: $crate::store::decode::parse(&$row.matter_type)?,
            foreign_relation: $crate::store::decode::parse(&$row.foreign_relation)?,
            notary_licence_no: $row.notary_licence_no,
            applied_on: $row.applied_on,
            accepted_on: $row.accepted_on,
            issued_on: $row.issued_on,
            closed_on: $row.closed_on,
            fee_charged_fen: $row.fee_charged_fen,
            fee_reduced_fen: $row.fee_reduced_fen,
            legal_aid: $row.legal_aid,
            home_visit: $row.home_visit,
            excused_working_days: $row.excused_working_days,
        }
    };
}
pub(in crate::store) use figures_of;

/// Reads what the hub holds of a batch's cases, and which case has each of the numbers that they claim.
pub async fn probe<'a>(
    connection: &mut PgConnection,
    batch: &Batch<'a>,
) -> Result<Held<'a>, sqlx::Error> {
    let cases = held(connection, batch).await?;
    let holders = holders(connection, batch.numbers(&cases)).await?;
    Ok(Held { cases, holders })
}

/// Only of cases that are not held as they were sent is everything read: a stream that is sent again has hardly any.
async fn held(
    connection: &mut PgConnection,
    batch: &Batch<'_>,
) -> Result<Vec<(usize, HeldCase)>, sqlx::Error> {
    let (as_sent, others) = compared(connection, batch).await?;
    let keys: Vec<_> = others.iter().map(|at| batch.keys[*at]).collect();
    let stored = stored(connection, &keys).await?.into_iter();
    let others = stored.map(|(at, stored)| (others[at], HeldCase::Other(stored)));
    let as_sent = as_sent.into_iter().map(|at| (at, HeldCase::AsSent));
    Ok(as_sent.chain(others).collect())
}

/// Which cases are held as they were sent, and which otherwise: indexes into the batch's keys.
async fn compared(
    connection: &mut PgConnection,
    batch: &Batch<'_>,
) -> Result<(Vec<usize>, Vec<usize>), sqlx::Error> {
    if batch.keys.is_empty() {
        return Ok(Default::default());
    }
    let (offices, cases) = columns(&batch.keys);
    let (revisions, hashes): (Vec<_>, Vec<_>) = batch
        .sent
        .iter()
        .map(|sent| {
            sent.as_ref()
                .map(|(revision, hash)| (*revision, hash.as_slice()))
        })
        .map(Option::unzip)
        .unzip();
    let row = query!(
        r#"SELECT coalesce(array_agg(h.at) FILTER (WHERE h.as_sent), '{}') AS "as_sent!",
                  coalesce(array_agg(h.at) FILTER (WHERE NOT h.as_sent), '{}') AS "others!"
             FROM (SELECT k.at, (c.revision, c.content_hash) IS NOT DISTINCT FROM (k.revision, k.content_hash) AS as_sent
                     FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bytea[]) WITH ORDINALITY
                          AS k (office_id, source_case_id, revision, content_hash, at)
                     JOIN case_record c ON c.office_id = k.office_id AND c.source_case_id = k.source_case_id) h"#,
        &offices as &[&str],
        &cases as &[&str],
        &revisions as &[Option<i64>],
        &hashes as &[Option<&[u8]>],
    )
    .fetch_one(connection)
    .await?;
    Ok((indexes(row.as_sent)?, indexes(row.others)?))
}

async fn stored(
    connection: &mut PgConnection,
    keys: &[CaseKey<'_>],
) -> Result<Vec<(usize, Stored)>, sqlx::Error> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let (offices, cases) = columns(keys);
    let rows = query!(
        r#"SELECT k.at AS "at!", c.revision, c.content_hash, c.case_no, c.state, c.matter_type, c.foreign_relation,
                  c.notary_licence_no, c.applied_on, c.accepted_on, c.issued_on, c.closed_on, c.fee_charged_fen,
                  c.fee_reduced_fen, c.legal_aid, c.home_visit, c.excused_working_days, c.first_recorded_at
             FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS k (office_id, source_case_id, at)
             JOIN case_record c ON c.office_id = k.office_id AND c.source_case_id = k.source_case_id"#,
        &offices as &[&str],
        &cases as &[&str],
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            let stored = Stored {
                revision: row.revision,
                content_hash: ContentHash::try_from(row.content_hash.as_slice())
                    .map_err(decode_error)?,
                case_no: row.case_no,
                figures: figures_of!(row),
                first_recorded_at: row.first_recorded_at,
            };
            Ok((index(row.at)?, stored))
        })
        .collect()
}

async fn holders<'a>(
    connection: &mut PgConnection,
    keys: Vec<NumberKey<'a>>,
) -> Result<Vec<(NumberKey<'a>, String)>, sqlx::Error> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let (offices, numbers) = columns(&keys);
    let rows = query!(
        r#"SELECT k.at AS "at!", c.source_case_id
             FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS k (office_id, case_no, at)
             JOIN case_record c ON c.office_id = k.office_id AND c.case_no = k.case_no
                              AND c.state <> 'withdrawn'"#,
        &offices as &[&str],
        &numbers as &[&str],
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| Ok((keys[index(row.at)?], row.source_case_id)))
        .collect()
}

/// A place in an array, which SQL counts from 1.
fn index(at: i64) -> Result<usize, sqlx::Error> {
    usize::try_from(at - 1).map_err(decode_error)
}

fn indexes(places: Vec<i64>) -> Result<Vec<usize>, sqlx::Error> {
    places.into_iter().map(index).collect()
}

/// Moves the revision of cases whose content did not change.
pub async fn renumber(
    connection: &mut PgConnection,
    renumbered: &[(CaseKey<'_>, i64)],
) -> Result<(), sqlx::Error> {
    if renumbered.is_empty() {
        return Ok(());
    }
    let (keys, revisions): (Vec<CaseKey<'_>>, Vec<i64>) = renumbered.iter().copied().unzip();
    let (offices, cases) = columns(&keys);
    query!(
        r#"UPDATE case_record c SET revision = k.revision
             FROM unnest($1::text[], $2::text[], $3::bigint[]) AS k (office_id, source_case_id, revision)
            WHERE c.office_id = k.office_id AND c.source_case_id = k.source_case_id"#,
        &offices as &[&str],
        &cases as &[&str],
        &revisions,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Copies the revisions that are about to be replaced into history, with their parties and subjects. One that stands
/// there already was put back by hand, and what it was replaced by then is about to come again.
pub async fn keep_history(
    connection: &mut PgConnection,
    replaced: &[CaseKey<'_>],
) -> Result<(), sqlx::Error> {
    if replaced.is_empty() {
        return Ok(());
    }
    let (offices, cases) = columns(replaced);
    query!(
        r#"INSERT INTO case_history
                  (office_id, source_case_id, revision, modified_at, recorded_at, superseded_at, content)
           SELECT c.office_id, c.source_case_id, c.revision, c.modified_at, c.recorded_at, now(),
                  to_jsonb(c) || jsonb_build_object(
                      'parties', (SELECT coalesce(jsonb_agg(to_jsonb(p) ORDER BY p.ordinal), '[]') FROM party p
                                   WHERE p.office_id = c.office_id AND p.source_case_id = c.source_case_id),
                      'subjects', (SELECT coalesce(jsonb_agg(to_jsonb(s) ORDER BY s.ordinal), '[]') FROM subject s
                                    WHERE s.office_id = c.office_id AND s.source_case_id = c.source_case_id))
             FROM unnest($1::text[], $2::text[]) AS k (office_id, source_case_id)
             JOIN case_record c ON c.office_id = k.office_id AND c.source_case_id = k.source_case_id
           ON CONFLICT (office_id, source_case_id, revision) DO NOTHING"#,
        &offices as &[&str],
        &cases as &[&str],
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// A revision as a row.
struct CaseRow<'a> {
    write: &'a Write<'a>,
    now: OffsetDateTime,
}

impl Row for CaseRow<'_> {
    const TABLE: &'static str = "case_record";

    fn columns() -> Vec<Column<Self>> {
        let mut columns = vec![
            column("office_id", |r, c: &Self| r.put(c.write.office_id.as_str())),
            column("source_case_id", |r, c| {
                r.put(c.case().source_case_id.as_str())
            }),
            column("revision", |r, c| r.put(c.write.revision)),
            column("case_no", |r, c| {
                r.put(c.case().case_no.as_ref().map(CaseNo::as_str))
            }),
            column("place_of_use", |r, c| {
                r.put(c.case().place_of_use.as_deref())
            }),
            column("notary_name", |r, c| r.put(c.case().notary_name.as_deref())),
            column("reason_code", |r, c| r.put(c.case().reason_code.as_deref())),
            column("fee_reduction_reason", |r, c| {
                r.put(c.case().fee_reduction_reason.as_deref())
            }),
            column("amount_fen", |r, c| r.put(c.case().amount_fen)),
            column("major", |r, c| r.put(c.case().major)),
            column("discussed", |r, c| r.put(c.case().discussed)),
            column("approved_on", |r, c| r.put(c.case().approved_on)),
            column("approver_licence_no", |r, c| {
                r.put(c.case().approver_licence_no.as_deref())
            }),
            column("certificates", |r, c| r.put(c.case().certificates)),
            column("content_hash", |r, c| r.put(&c.case().content_hash)),
            column("modified_at", |r, c| r.put(c.case().modified_at)),
            column("recorded_at", |r, c| r.put(c.now)),
            column("first_recorded_at", |r, c| {
                r.put(c.write.first_recorded_at.unwrap_or(c.now))
            }),
        ];
        columns.extend(Self::figures());
        columns
    }
}

impl<'a> CaseRow<'a> {
    fn case(&self) -> &'a Case {
        self.write.case
    }

    /// What is counted.
    fn figures() -> [Column<Self>; 13] {
        [
            column("state", |r, c| r.put(c.case().figures.state.code())),
            column("matter_type", |r, c| {
                r.put(c.case().figures.matter_type.code())
            }),
            column("foreign_relation", |r, c| {
                r.put(c.case().figures.foreign_relation.code())
            }),
            column("notary_licence_no", |r, c| {
                r.put(c.case().figures.notary_licence_no.as_deref())
            }),
            column("applied_on", |r, c| r.put(c.case().figures.applied_on)),
            column("accepted_on", |r, c| r.put(c.case().figures.accepted_on)),
            column("issued_on", |r, c| r.put(c.case().figures.issued_on)),
            column("closed_on", |r, c| r.put(c.case().figures.closed_on)),
            column("fee_charged_fen", |r, c| {
                r.put(c.case().figures.fee_charged_fen)
            }),
            column("fee_reduced_fen", |r, c| {
                r.put(c.case().figures.fee_reduced_fen)
            }),
            column("legal_aid", |r, c| r.put(c.case().figures.legal_aid)),
            column("home_visit", |r, c| r.put(c.case().figures.home_visit)),
            column("excused_working_days", |r, c| {
                r.put(c.case().figures.excused_working_days)
            }),
        ]
    }
}

/// Writes revisions of cases that are not at the hub, or not any more. `first_recorded_at` stays what it was.
pub async fn insert(
    connection: &mut PgConnection,
    writes: &[Write<'_>],
) -> Result<(), sqlx::Error> {
    let now = tx::now(connection).await?;
    Copied::of(writes.iter().map(|write| CaseRow { write, now }))
        .send(connection)
        .await
}
