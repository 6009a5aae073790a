//! `rollup_month`: the figures, moved by deltas.

use sqlx::{PgConnection, query};
use time::Date;

use super::decode::parse;
use crate::statistics::contribution::{Cell, Counts, Deltas, Figures};

/// Adds the deltas, in the order of their keys.
pub async fn apply(connection: &mut PgConnection, deltas: &Deltas) -> Result<(), sqlx::Error> {
    if deltas.is_empty() {
        return Ok(());
    }
    let offices: Vec<&str> = deltas.keys().map(|cell| cell.office_id.as_str()).collect();
    let months: Vec<Date> = deltas.keys().map(|cell| cell.month).collect();
    let matters: Vec<&str> = deltas.keys().map(|cell| cell.matter_type.code()).collect();
    let relations: Vec<&str> = deltas
        .keys()
        .map(|cell| cell.foreign_relation.code())
        .collect();
    let measure = |of: fn(&Counts) -> i64| deltas.values().map(of).collect::<Vec<i64>>();
    query!(
        r#"INSERT INTO rollup_month AS r (
               office_id, month, matter_type, foreign_relation, applied, accepted, refused, issued, rejected, terminated,
               corrected, revoked, within_limit, fee_charged_fen, fee_reduced_fen, legal_aid)
           SELECT * FROM unnest(
               $1::text[], $2::date[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[],
               $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[],
               $16::bigint[])
           ON CONFLICT (office_id, month, matter_type, foreign_relation) DO UPDATE SET
               applied = r.applied + excluded.applied, accepted = r.accepted + excluded.accepted,
               refused = r.refused + excluded.refused, issued = r.issued + excluded.issued,
               rejected = r.rejected + excluded.rejected, terminated = r.terminated + excluded.terminated,
               corrected = r.corrected + excluded.corrected, revoked = r.revoked + excluded.revoked,
               within_limit = r.within_limit + excluded.within_limit,
               fee_charged_fen = r.fee_charged_fen + excluded.fee_charged_fen,
               fee_reduced_fen = r.fee_reduced_fen + excluded.fee_reduced_fen,
               legal_aid = r.legal_aid + excluded.legal_aid"#,
        &offices as &[&str],
        &months,
        &matters as &[&str],
        &relations as &[&str],
        &measure(|m| m.applied),
        &measure(|m| m.accepted),
        &measure(|m| m.refused),
        &measure(|m| m.issued),
        &measure(|m| m.rejected),
        &measure(|m| m.terminated),
        &measure(|m| m.corrected),
        &measure(|m| m.revoked),
        &measure(|m| m.within_limit),
        &measure(|m| m.fee_charged_fen),
        &measure(|m| m.fee_reduced_fen),
        &measure(|m| m.legal_aid),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Every cell that counts something.
pub async fn all(connection: &mut PgConnection) -> Result<Deltas, sqlx::Error> {
    let rows = query!(
        r#"SELECT office_id, month, matter_type, foreign_relation, applied, accepted, refused, issued, rejected,
                  terminated, corrected, revoked, within_limit, fee_charged_fen, fee_reduced_fen, legal_aid
             FROM rollup_month"#
    )
    .fetch_all(connection)
    .await?;
    let mut cells = Deltas::new();
    for row in rows {
        let cell = Cell {
            office_id: parse(&row.office_id)?,
            month: row.month,
            matter_type: parse(&row.matter_type)?,
            foreign_relation: parse(&row.foreign_relation)?,
        };
        let measures = Counts {
            applied: row.applied,
            accepted: row.accepted,
            refused: row.refused,
            issued: row.issued,
            rejected: row.rejected,
            terminated: row.terminated,
            corrected: row.corrected,
            revoked: row.revoked,
            within_limit: row.within_limit,
            fee_charged_fen: row.fee_charged_fen,
            fee_reduced_fen: row.fee_reduced_fen,
            legal_aid: row.legal_aid,
        };
        if measures != Counts::default() {
            cells.insert(cell, measures);
        }
    }
    Ok(cells)
}

/// Streams the figures of every case through `each`, in one pass over the table.
pub async fn for_each_case(
    connection: &mut PgConnection,
    mut each: impl FnMut(linkage::office::OfficeId, &Figures),
) -> Result<(), sqlx::Error> {
    use futures_util::TryStreamExt;
    let mut rows = query!(
        r#"SELECT office_id, state, matter_type, foreign_relation, applied_on, accepted_on, issued_on, closed_on,
                  fee_charged_fen, fee_reduced_fen, legal_aid, excused_working_days
             FROM case_record"#
    )
    .fetch(connection);
    while let Some(row) = rows.try_next().await? {
        let figures = Figures {
            state: parse(&row.state)?,
            matter_type: parse(&row.matter_type)?,
            foreign_relation: parse(&row.foreign_relation)?,
            applied_on: row.applied_on,
            accepted_on: row.accepted_on,
            issued_on: row.issued_on,
            closed_on: row.closed_on,
            fee_charged_fen: row.fee_charged_fen,
            fee_reduced_fen: row.fee_reduced_fen,
            legal_aid: row.legal_aid,
            excused_working_days: row.excused_working_days,
        };
        each(parse(&row.office_id)?, &figures);
    }
    Ok(())
}
