//! Proof that the rollup is right: count every cell again from the cases and compare. And counting again in its place.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;
use sqlx::{PgConnection, PgPool};

use super::calendar::Calendar;
use super::contribution::{self, Cell, Counts, Cut, Deltas};
use crate::store::{figures::rollup, tx};

/// What the comparison came to.
#[derive(Clone, Debug, Serialize)]
pub struct Verification {
    /// Cells that count something in the recomputation.
    pub cells: usize,
    pub differences: Vec<Difference>,
}

/// A cell in which rollup and recomputation are not equal.
#[derive(Clone, Debug, Serialize)]
pub struct Difference {
    pub office_id: String,
    pub cut: &'static str,
    pub begins_on: String,
    /// Of the cut by matter.
    pub matter_type: Option<&'static str>,
    pub foreign_relation: Option<&'static str>,
    /// Of the cut by notary.
    pub notary: Option<String>,
    /// What the rollup holds.
    pub held: Counts,
    /// What the cases come to.
    pub counted: Counts,
}

/// Compares rollup and cases at one moment of the database.
pub async fn verify(pool: &PgPool, calendar: &Calendar) -> Result<Verification, sqlx::Error> {
    let mut snapshot = tx::snapshot(pool).await?;
    let held = rollup::all(&mut snapshot).await?;
    let counted = count(&mut snapshot, calendar, &AtomicU64::default()).await?;
    let mut cells: Vec<&Cell> = held.keys().chain(counted.keys()).collect();
    cells.sort_unstable();
    cells.dedup();
    let differences = cells
        .into_iter()
        .filter(|cell| held.get(cell) != counted.get(cell))
        .map(|cell| Difference::of(cell, held.get(cell), counted.get(cell)))
        .collect();
    Ok(Verification {
        cells: counted.len(),
        differences,
    })
}

/// Counts every case again, in the place of what the rollup holds; `done` says how many already. Returns how many cells
/// there are. Writers wait.
pub async fn rebuild(
    pool: &PgPool,
    calendar: &Calendar,
    done: &AtomicU64,
) -> Result<usize, sqlx::Error> {
    let mut transaction = tx::unhurried(pool).await?;
    let basis = contribution::basis(calendar);
    rollup::hold(&mut transaction, &basis).await?;
    let cells = recount(&mut transaction, calendar, &basis, done).await?;
    transaction.commit().await?;
    Ok(cells)
}

/// The same, when cells were counted by another basis; `None` when they were not.
pub async fn rebuild_if_due(
    pool: &PgPool,
    calendar: &Calendar,
) -> Result<Option<usize>, sqlx::Error> {
    let mut transaction = tx::unhurried(pool).await?;
    let basis = contribution::basis(calendar);
    let cells = match rollup::hold(&mut transaction, &basis).await? {
        true => None,
        false => {
            let done = AtomicU64::default();
            Some(recount(&mut transaction, calendar, &basis, &done).await?)
        }
    };
    transaction.commit().await?;
    Ok(cells)
}

async fn recount(
    connection: &mut PgConnection,
    calendar: &Calendar,
    basis: &str,
    done: &AtomicU64,
) -> Result<usize, sqlx::Error> {
    let cells = count(connection, calendar, done).await?;
    rollup::replace(connection, &cells, basis).await?;
    Ok(cells.len())
}

/// What all cases come to.
async fn count(
    connection: &mut PgConnection,
    calendar: &Calendar,
    done: &AtomicU64,
) -> Result<Deltas, sqlx::Error> {
    let mut counted = Deltas::new();
    rollup::for_each_case(connection, |office_id, figures| {
        contribution::add(&mut counted, office_id, figures, calendar);
        done.fetch_add(1, Ordering::Relaxed);
    })
    .await?;
    counted.retain(|_, counts| *counts != Counts::default());
    Ok(counted)
}

impl Difference {
    fn of(cell: &Cell, held: Option<&Counts>, counted: Option<&Counts>) -> Self {
        let (matter_type, foreign_relation, notary) = match &cell.cut {
            Cut::Matter {
                matter_type,
                foreign_relation,
            } => (
                Some(matter_type.code()),
                Some(foreign_relation.code()),
                None,
            ),
            Cut::Day => (None, None, None),
            Cut::Notary(licence) => (None, None, licence.clone()),
        };
        Self {
            office_id: cell.office_id.to_string(),
            cut: cell.cut.code(),
            begins_on: cell.begins_on.to_string(),
            matter_type,
            foreign_relation,
            notary,
            held: held.copied().unwrap_or_default(),
            counted: counted.copied().unwrap_or_default(),
        }
    }
}
