//! `rollup`: the figures, moved by deltas. Its statements name every count, so that they are put together of the one
//! list there is of them.

use std::sync::LazyLock;

use linkage::office::OfficeId;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row, query, query_scalar};
use time::Date;

use super::decode::parse;
use crate::statistics::contribution::{Cell, Counts, Cut, Deltas, Figures};

/// Advisory lock that writers share while they move cells, and that a recount holds alone.
const COUNTING: i64 = 0x726f_6c6c_7570;
/// What stands in `rollup_basis` before anything was counted.
const NEW: &str = "new";
/// Cells that one statement takes; a recount has a million.
const AT_ONCE: usize = 20_000;

/// Adds the deltas, in the order of their keys. Waits for a recount, and fails when cells are counted by another basis
/// than the deltas: the difference of two ways of counting is no figure.
pub async fn apply(
    connection: &mut PgConnection,
    deltas: &Deltas,
    basis: &str,
) -> Result<(), sqlx::Error> {
    if deltas.is_empty() {
        return Ok(());
    }
    query!("SELECT pg_advisory_xact_lock_shared($1)", COUNTING)
        .execute(&mut *connection)
        .await?;
    match claim(connection, basis).await? {
        true => add(connection, deltas).await,
        false => Err(sqlx::Error::Protocol(
            "the statistics are counted by another version of the hub or of its calendar; restart this hub, it \
             counts again"
                .into(),
        )),
    }
}

/// Whether cells are counted by this basis. What was never counted is, from now on.
async fn claim(connection: &mut PgConnection, basis: &str) -> Result<bool, sqlx::Error> {
    let read = async |connection: &mut PgConnection| {
        query_scalar!("SELECT basis FROM rollup_basis")
            .fetch_one(connection)
            .await
    };
    let held = read(connection).await?;
    if held != NEW {
        return Ok(held == basis);
    }
    query!(
        "UPDATE rollup_basis SET basis = $1 WHERE basis = $2",
        basis,
        NEW
    )
    .execute(&mut *connection)
    .await?;
    Ok(read(connection).await? == basis)
}

/// Keeps every writer from moving cells until the transaction ends. Returns whether they are counted by this basis.
pub async fn hold(connection: &mut PgConnection, basis: &str) -> Result<bool, sqlx::Error> {
    query!("SELECT pg_advisory_xact_lock($1)", COUNTING)
        .execute(&mut *connection)
        .await?;
    claim(connection, basis).await
}

/// Puts these cells, counted by this basis, in the place of all others. In a transaction that holds them.
pub async fn replace(
    connection: &mut PgConnection,
    cells: &Deltas,
    basis: &str,
) -> Result<(), sqlx::Error> {
    query!("DELETE FROM rollup")
        .execute(&mut *connection)
        .await?;
    add(connection, cells).await?;
    query!(
        "UPDATE rollup_basis SET basis = $1, counted_at = now()",
        basis
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Counts come as one array, cell by cell.
static ADD: LazyLock<String> = LazyLock::new(|| {
    let columns = Counts::COLUMNS.join(", ");
    let width = Counts::COLUMNS.len();
    let values: Vec<String> = (1..=width)
        .map(|at| format!("($7::bigint[])[(k.at - 1) * {width} + {at}]"))
        .collect();
    let sums: Vec<String> = Counts::COLUMNS
        .iter()
        .map(|column| format!("{column} = r.{column} + excluded.{column}"))
        .collect();
    format!(
        "INSERT INTO rollup AS r (office_id, cut, begins_on, matter_type, foreign_relation, notary, {columns})
         SELECT k.office_id, k.cut, k.begins_on, k.matter_type, k.foreign_relation, k.notary, {}
           FROM unnest($1::text[], $2::text[], $3::date[], $4::text[], $5::text[], $6::text[]) WITH ORDINALITY
                AS k (office_id, cut, begins_on, matter_type, foreign_relation, notary, at)
         ON CONFLICT (office_id, cut, begins_on, matter_type, foreign_relation, notary) DO UPDATE SET {}",
        values.join(", "),
        sums.join(", "),
    )
});

async fn add(connection: &mut PgConnection, deltas: &Deltas) -> Result<(), sqlx::Error> {
    let cells: Vec<(&Cell, &Counts)> = deltas.iter().collect();
    for cells in cells.chunks(AT_ONCE) {
        let text =
            |of: fn(&Cell) -> &str| cells.iter().map(|(cell, _)| of(cell)).collect::<Vec<_>>();
        let counts: Vec<i64> = cells
            .iter()
            .flat_map(|(_, counts)| counts.values())
            .collect();
        query(AssertSqlSafe(ADD.as_str()))
            .bind(text(|cell| cell.office_id.as_str()))
            .bind(text(|cell| cell.cut.code()))
            .bind(
                cells
                    .iter()
                    .map(|(cell, _)| cell.begins_on)
                    .collect::<Vec<Date>>(),
            )
            .bind(text(|cell| cell.cut.matter_type()))
            .bind(text(|cell| cell.cut.foreign_relation()))
            .bind(text(|cell| cell.cut.notary()))
            .bind(counts)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

impl Cut {
    /// The form in which it is stored.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Matter { .. } => "matter",
            Self::Day => "day",
            Self::Notary(_) => "notary",
        }
    }

    fn matter_type(&self) -> &str {
        match self {
            Self::Matter { matter_type, .. } => matter_type.code(),
            _ => "",
        }
    }

    fn foreign_relation(&self) -> &str {
        match self {
            Self::Matter {
                foreign_relation, ..
            } => foreign_relation.code(),
            _ => "",
        }
    }

    fn notary(&self) -> &str {
        match self {
            Self::Notary(Some(licence)) => licence,
            _ => "",
        }
    }

    fn read(row: &PgRow) -> Result<Self, sqlx::Error> {
        match row.try_get("cut")? {
            "matter" => Ok(Self::Matter {
                matter_type: parse(row.try_get("matter_type")?)?,
                foreign_relation: parse(row.try_get("foreign_relation")?)?,
            }),
            "day" => Ok(Self::Day),
            _ => {
                let licence: String = row.try_get("notary")?;
                Ok(Self::Notary(
                    Some(licence).filter(|licence| !licence.is_empty()),
                ))
            }
        }
    }
}

/// Every cell that counts something.
pub async fn all(connection: &mut PgConnection) -> Result<Deltas, sqlx::Error> {
    use futures_util::TryStreamExt;
    let sql = format!(
        "SELECT office_id, cut, begins_on, matter_type, foreign_relation, notary, {} FROM rollup",
        Counts::COLUMNS.join(", ")
    );
    let mut rows = query(AssertSqlSafe(sql)).fetch(connection);
    let mut cells = Deltas::new();
    while let Some(row) = rows.try_next().await? {
        let counts = counts(&row, 6)?;
        if counts != Counts::default() {
            let cell = Cell {
                office_id: parse(row.try_get("office_id")?)?,
                cut: Cut::read(&row)?,
                begins_on: row.try_get("begins_on")?,
            };
            cells.insert(cell, counts);
        }
    }
    Ok(cells)
}

/// Reads the counts that stand behind so many other columns.
pub(super) fn counts(row: &PgRow, behind: usize) -> Result<Counts, sqlx::Error> {
    let mut values = Counts::default().values();
    for (at, value) in values.iter_mut().enumerate() {
        *value = row.try_get(behind + at)?;
    }
    Ok(Counts::from_values(values))
}

/// Streams the figures of every case through `each`, in one pass over the table.
pub async fn for_each_case(
    connection: &mut PgConnection,
    mut each: impl FnMut(OfficeId, &Figures),
) -> Result<(), sqlx::Error> {
    use futures_util::TryStreamExt;
    let mut rows = query!(
        r#"SELECT office_id, state, matter_type, foreign_relation, notary_licence_no, applied_on, accepted_on, issued_on,
                  closed_on, fee_charged_fen, fee_reduced_fen, legal_aid, home_visit, excused_working_days
             FROM case_record"#
    )
    .fetch(connection);
    while let Some(row) = rows.try_next().await? {
        let figures = Figures {
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
        };
        each(parse(&row.office_id)?, &figures);
    }
    Ok(())
}
