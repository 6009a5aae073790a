//! `rollup_month`: the figures, moved by deltas.

use sqlx::{PgConnection, PgExecutor, query};
use time::Date;

use super::decode::parse;
use crate::statistics::contribution::{Cell, Deltas, Figures, Measures};
use crate::statistics::query::{Dimension, Query, Row};

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
    let measure = |of: fn(&Measures) -> i64| deltas.values().map(of).collect::<Vec<i64>>();
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
        let measures = Measures {
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
        if measures != Measures::default() {
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

/// The figures of a period, added up by the dimensions asked for.
pub async fn grouped(
    executor: impl PgExecutor<'_>,
    wanted: &Query,
) -> Result<Vec<Row>, sqlx::Error> {
    let rows = query!(
        r#"SELECT CASE WHEN $1::boolean THEN office_id END AS office_id,
                  CASE WHEN $2::boolean THEN matter_type END AS matter_type,
                  CASE WHEN $3::boolean THEN month END AS month,
                  CASE WHEN $4::boolean THEN foreign_relation END AS foreign_relation,
                  sum(applied)::bigint AS "applied!", sum(accepted)::bigint AS "accepted!",
                  sum(refused)::bigint AS "refused!", sum(issued)::bigint AS "issued!",
                  sum(rejected)::bigint AS "rejected!", sum(terminated)::bigint AS "terminated!",
                  sum(corrected)::bigint AS "corrected!", sum(revoked)::bigint AS "revoked!",
                  sum(within_limit)::bigint AS "within_limit!", sum(fee_charged_fen)::bigint AS "fee_charged_fen!",
                  sum(fee_reduced_fen)::bigint AS "fee_reduced_fen!", sum(legal_aid)::bigint AS "legal_aid!"
             FROM rollup_month
            WHERE ($5::date IS NULL OR month >= $5) AND ($6::date IS NULL OR month <= $6)
              AND ($7::text IS NULL OR office_id = $7) AND ($8::text IS NULL OR matter_type = $8)
            GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"#,
        wanted.is_by(Dimension::Office),
        wanted.is_by(Dimension::MatterType),
        wanted.is_by(Dimension::Month),
        wanted.is_by(Dimension::ForeignRelation),
        wanted.from,
        wanted.to,
        wanted.office.as_ref().map(|office| office.as_str()),
        wanted.matter_type.map(|matter| matter.code()),
    )
    .fetch_all(executor)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Row {
                office_id: row.office_id.as_deref().map(parse).transpose()?,
                matter_type: row.matter_type.as_deref().map(parse).transpose()?,
                month: row.month,
                foreign_relation: row.foreign_relation.as_deref().map(parse).transpose()?,
                measures: Measures {
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
                },
            })
        })
        .collect()
}
