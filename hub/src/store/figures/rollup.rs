//! `rollup`: the figures. Whoever moves them appends to `rollup_delta`, which costs a writer little and makes no two
//! writers wait for each other; [`fold`] adds that to `rollup_cell` afterwards. The view `rollup` is both together, so
//! that it is exact at every moment. Statements name every count, so that they are put together of the one list there is
//! of them.

use std::sync::LazyLock;

use linkage::office::OfficeId;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Row, query, query_scalar};

use crate::statistics::contribution::{Cell, Counts, Cut, Deltas, Figures};
use crate::store::case::figures_of;
use crate::store::copy::{PIECE, Rows};
use crate::store::decode::parse;

/// Advisory lock that writers share while they move figures, and that a recount holds alone.
const COUNTING: i64 = 0x726f_6c6c_7570;
/// Advisory lock of whoever folds.
const FOLDING: i64 = COUNTING + 1;
/// What stands in `rollup_basis` before anything was counted.
const NEW: &str = "new";

/// Appends the deltas. Waits for a recount, and fails when cells are counted by another basis than the deltas: the
/// difference of two ways of counting is no figure.
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
        true => append(connection, deltas).await,
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
    query!("WITH deltas AS (DELETE FROM rollup_delta) DELETE FROM rollup_cell")
        .execute(&mut *connection)
        .await?;
    append(connection, cells).await?;
    query!(
        "UPDATE rollup_basis SET basis = $1, counted_at = now()",
        basis
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What tells cells apart.
const KEY: &str = "office_id, cut, begins_on, matter_type, foreign_relation, notary";

const FIELDS: i16 = 6 + Counts::COLUMNS.len() as i16;

static APPEND: LazyLock<String> = LazyLock::new(|| {
    let columns = Counts::COLUMNS.join(", ");
    format!("COPY rollup_delta ({KEY}, {columns}) FROM STDIN (FORMAT BINARY)")
});

async fn append(connection: &mut PgConnection, deltas: &Deltas) -> Result<(), sqlx::Error> {
    let mut copy = connection.copy_in_raw(&APPEND).await?;
    let mut rows = Rows::first();
    for (cell, counts) in deltas {
        write(&mut rows, cell, counts);
        if rows.len() >= PIECE {
            copy.send(rows.take()).await?;
        }
    }
    rows.end();
    copy.send(rows.take()).await?;
    copy.finish().await?;
    Ok(())
}

/// A row of [`APPEND`]. What does not move is missing: it takes no room.
fn write(rows: &mut Rows, cell: &Cell, counts: &Counts) {
    rows.row(FIELDS);
    rows.put(cell.office_id.as_str());
    rows.put(cell.cut.code());
    rows.put(cell.begins_on);
    rows.put(cell.cut.matter_type());
    rows.put(cell.cut.foreign_relation());
    rows.put(cell.cut.notary());
    for value in counts.values() {
        rows.put(Some(value).filter(|moved| *moved != 0));
    }
}

/// Takes at most so many deltas off and adds them to their cells, which it moves in the order of their keys.
static FOLD: LazyLock<String> = LazyLock::new(|| {
    let columns = Counts::COLUMNS.join(", ");
    let all = |each: fn(&&str) -> String| {
        let each: Vec<String> = Counts::COLUMNS.iter().map(each).collect();
        each.join(", ")
    };
    let summed = all(|column| format!("coalesce(sum({column}), 0)::bigint"));
    let moved = all(|column| format!("{column} = r.{column} + excluded.{column}"));
    format!(
        "WITH taken AS (
             DELETE FROM rollup_delta WHERE ctid = ANY (ARRAY(SELECT ctid FROM rollup_delta LIMIT $1)) RETURNING *)
         INSERT INTO rollup_cell AS r ({KEY}, {columns})
         SELECT {KEY}, {summed} FROM taken GROUP BY {KEY} ORDER BY {KEY}
         ON CONFLICT ({KEY}) DO UPDATE SET {moved}"
    )
});

/// Adds at most so many deltas to their cells, in one transaction with whatever else the connection does. Returns whether
/// there were any that nobody else folds or counts again.
pub async fn fold(connection: &mut PgConnection, most: i64) -> Result<bool, sqlx::Error> {
    let free = query_scalar!(
        r#"SELECT pg_try_advisory_xact_lock($1) AND pg_try_advisory_xact_lock_shared($2) AS "free!""#,
        FOLDING,
        COUNTING,
    )
    .fetch_one(&mut *connection)
    .await?;
    if !free {
        return Ok(false);
    }
    let folded = query(AssertSqlSafe(FOLD.as_str()))
        .bind(most)
        .execute(connection)
        .await?;
    Ok(folded.rows_affected() > 0)
}

/// Deltas that are not folded yet, counted up to `most`.
pub async fn unfolded(pool: &PgPool, most: i64) -> Result<i64, sqlx::Error> {
    query_scalar!(
        r#"SELECT count(*) AS "count!" FROM (SELECT FROM rollup_delta LIMIT $1) AS d"#,
        most
    )
    .fetch_one(pool)
    .await
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
    let sql = format!("SELECT {KEY}, {} FROM rollup", Counts::COLUMNS.join(", "));
    let mut rows = query(AssertSqlSafe(sql)).fetch(connection);
    let mut cells = Deltas::new();
    while let Some(row) = rows.try_next().await? {
        let cell = Cell {
            office_id: parse(row.try_get("office_id")?)?,
            cut: Cut::read(&row)?,
            begins_on: row.try_get("begins_on")?,
        };
        *cells.entry(cell).or_default() += counts(&row, 6)?;
    }
    cells.retain(|_, counts| *counts != Counts::default());
    Ok(cells)
}

/// Reads the counts that stand behind so many other columns; NULL counts nothing.
pub(super) fn counts(row: &PgRow, behind: usize) -> Result<Counts, sqlx::Error> {
    let mut values = Counts::default().values();
    for (at, value) in values.iter_mut().enumerate() {
        *value = row.try_get::<Option<i64>, _>(behind + at)?.unwrap_or(0);
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
        let office_id = parse(&row.office_id)?;
        each(office_id, &figures_of!(row));
    }
    Ok(())
}
