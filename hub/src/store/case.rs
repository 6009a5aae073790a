//! `case_record` and `case_history`: set-based, one statement for a batch.

use sqlx::{PgConnection, query};
use time::{Date, OffsetDateTime};

use super::columns;
use super::decode::{decode_error, parse};
use crate::case::{CaseKey, ContentHash, Stored};
use crate::ingest::plan::{Batch, Held, HeldCase, NumberKey, Write};
use crate::statistics::contribution::Figures;

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
                figures: Figures {
                    state: parse(&row.state)?,
                    matter_type: parse(&row.matter_type)?,
                    foreign_relation: parse(&row.foreign_relation)?,
                    notary_licence_no: row.notary_licence_no,
                    applied_on: row.applied_on,
                    accepted_on: row.accepted_on,
                    issued_on: row.issued_on,
                    closed_on: row.closed_on,
                    fee_charged_fen: row.fee_charged_fen,
                    fee_reduced_fen: row.fee_reduced_fen,
                    legal_aid: row.legal_aid,
                    home_visit: row.home_visit,
                    excused_working_days: row.excused_working_days,
                },
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
             JOIN case_record c ON c.office_id = k.office_id AND c.case_no = k.case_no"#,
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

/// The columns of `case_record`, each as one array.
#[derive(Default)]
struct Columns<'a> {
    office_id: Vec<&'a str>,
    source_case_id: Vec<&'a str>,
    revision: Vec<i64>,
    state: Vec<&'static str>,
    case_no: Vec<Option<&'a str>>,
    matter_type: Vec<&'static str>,
    foreign_relation: Vec<&'static str>,
    place_of_use: Vec<Option<&'a str>>,
    notary_licence_no: Vec<Option<&'a str>>,
    notary_name: Vec<Option<&'a str>>,
    applied_on: Vec<Option<Date>>,
    accepted_on: Vec<Option<Date>>,
    issued_on: Vec<Option<Date>>,
    closed_on: Vec<Option<Date>>,
    reason_code: Vec<Option<&'a str>>,
    fee_charged_fen: Vec<i64>,
    fee_reduced_fen: Vec<i64>,
    fee_reduction_reason: Vec<Option<&'a str>>,
    amount_fen: Vec<i64>,
    legal_aid: Vec<bool>,
    home_visit: Vec<bool>,
    major: Vec<bool>,
    discussed: Vec<bool>,
    approved_on: Vec<Option<Date>>,
    approver_licence_no: Vec<Option<&'a str>>,
    certificates: Vec<Option<i32>>,
    excused_working_days: Vec<i16>,
    content_hash: Vec<&'a [u8]>,
    modified_at: Vec<Option<OffsetDateTime>>,
}

impl<'a> Columns<'a> {
    fn of(writes: &'a [Write<'_>]) -> Self {
        let mut columns = Self::default();
        for write in writes {
            columns.push(write);
        }
        columns
    }

    fn push(&mut self, write: &'a Write<'_>) {
        let case = write.case;
        let figures = &case.figures;
        self.office_id.push(write.office_id.as_str());
        self.source_case_id.push(&case.source_case_id);
        self.revision.push(write.revision);
        self.state.push(figures.state.code());
        self.case_no
            .push(case.case_no.as_ref().map(|number| number.as_str()));
        self.matter_type.push(figures.matter_type.code());
        self.foreign_relation.push(figures.foreign_relation.code());
        self.place_of_use.push(case.place_of_use.as_deref());
        self.notary_licence_no
            .push(figures.notary_licence_no.as_deref());
        self.notary_name.push(case.notary_name.as_deref());
        self.applied_on.push(figures.applied_on);
        self.accepted_on.push(figures.accepted_on);
        self.issued_on.push(figures.issued_on);
        self.closed_on.push(figures.closed_on);
        self.reason_code.push(case.reason_code.as_deref());
        self.fee_charged_fen.push(figures.fee_charged_fen);
        self.fee_reduced_fen.push(figures.fee_reduced_fen);
        self.fee_reduction_reason
            .push(case.fee_reduction_reason.as_deref());
        self.amount_fen.push(case.amount_fen);
        self.legal_aid.push(figures.legal_aid);
        self.home_visit.push(figures.home_visit);
        self.major.push(case.major);
        self.discussed.push(case.discussed);
        self.approved_on.push(case.approved_on);
        self.approver_licence_no
            .push(case.approver_licence_no.as_deref());
        self.certificates.push(case.certificates);
        self.excused_working_days.push(figures.excused_working_days);
        self.content_hash.push(&case.content_hash);
        self.modified_at.push(case.modified_at);
    }
}

/// Writes cases, new or newer. `first_recorded_at` stays what it was.
pub async fn upsert(
    connection: &mut PgConnection,
    writes: &[Write<'_>],
) -> Result<(), sqlx::Error> {
    let c = Columns::of(writes);
    query!(
        r#"INSERT INTO case_record (
               office_id, source_case_id, revision, state, case_no, matter_type, foreign_relation, place_of_use,
               notary_licence_no, notary_name, applied_on, accepted_on, issued_on, closed_on, reason_code,
               fee_charged_fen, fee_reduced_fen, fee_reduction_reason, amount_fen, legal_aid, home_visit, major,
               discussed, excused_working_days, content_hash, modified_at, approved_on, approver_licence_no,
               certificates, recorded_at, first_recorded_at)
           SELECT *, now(), now() FROM unnest(
               $1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
               $9::text[], $10::text[], $11::date[], $12::date[], $13::date[], $14::date[], $15::text[],
               $16::bigint[], $17::bigint[], $18::text[], $19::bigint[], $20::boolean[], $21::boolean[], $22::boolean[],
               $23::boolean[], $24::smallint[], $25::bytea[], $26::timestamptz[], $27::date[], $28::text[],
               $29::integer[])
           ON CONFLICT (office_id, source_case_id) DO UPDATE SET
               revision = excluded.revision, state = excluded.state, case_no = excluded.case_no,
               matter_type = excluded.matter_type, foreign_relation = excluded.foreign_relation,
               place_of_use = excluded.place_of_use, notary_licence_no = excluded.notary_licence_no,
               notary_name = excluded.notary_name, applied_on = excluded.applied_on,
               accepted_on = excluded.accepted_on, issued_on = excluded.issued_on, closed_on = excluded.closed_on,
               reason_code = excluded.reason_code, fee_charged_fen = excluded.fee_charged_fen,
               fee_reduced_fen = excluded.fee_reduced_fen, fee_reduction_reason = excluded.fee_reduction_reason,
               amount_fen = excluded.amount_fen, legal_aid = excluded.legal_aid, home_visit = excluded.home_visit,
               major = excluded.major, discussed = excluded.discussed,
               excused_working_days = excluded.excused_working_days, content_hash = excluded.content_hash,
               modified_at = excluded.modified_at, approved_on = excluded.approved_on,
               approver_licence_no = excluded.approver_licence_no, certificates = excluded.certificates,
               recorded_at = excluded.recorded_at"#,
        &c.office_id as &[&str],
        &c.source_case_id as &[&str],
        &c.revision,
        &c.state as &[&str],
        &c.case_no as &[Option<&str>],
        &c.matter_type as &[&str],
        &c.foreign_relation as &[&str],
        &c.place_of_use as &[Option<&str>],
        &c.notary_licence_no as &[Option<&str>],
        &c.notary_name as &[Option<&str>],
        &c.applied_on as &[Option<Date>],
        &c.accepted_on as &[Option<Date>],
        &c.issued_on as &[Option<Date>],
        &c.closed_on as &[Option<Date>],
        &c.reason_code as &[Option<&str>],
        &c.fee_charged_fen,
        &c.fee_reduced_fen,
        &c.fee_reduction_reason as &[Option<&str>],
        &c.amount_fen,
        &c.legal_aid,
        &c.home_visit,
        &c.major,
        &c.discussed,
        &c.excused_working_days,
        &c.content_hash as &[&[u8]],
        &c.modified_at as &[Option<OffsetDateTime>],
        &c.approved_on as &[Option<Date>],
        &c.approver_licence_no as &[Option<&str>],
        &c.certificates as &[Option<i32>],
    )
    .execute(connection)
    .await?;
    Ok(())
}
