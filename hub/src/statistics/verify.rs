//! Proof that the rollup is right: recompute every cell from the cases and compare.

use serde::Serialize;
use sqlx::PgPool;

use super::calendar::Calendar;
use super::contribution::{self, Cell, Counts, Deltas};
use crate::store::{rollup, tx};

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
    pub month: String,
    pub matter_type: &'static str,
    pub foreign_relation: &'static str,
    /// What the rollup holds.
    pub held: Counts,
    /// What the cases come to.
    pub counted: Counts,
}

/// Compares rollup and cases at one moment of the database.
pub async fn verify(pool: &PgPool, calendar: &Calendar) -> Result<Verification, sqlx::Error> {
    let mut snapshot = tx::snapshot(pool).await?;
    let held = rollup::all(&mut snapshot).await?;
    let mut counted = Deltas::new();
    rollup::for_each_case(&mut snapshot, |office_id, figures| {
        contribution::add(&mut counted, office_id, figures, calendar);
    })
    .await?;
    counted.retain(|_, measures| *measures != Counts::default());
    let mut cells: Vec<&Cell> = held.keys().chain(counted.keys()).collect();
    cells.sort_unstable();
    cells.dedup();
    let differences = cells
        .into_iter()
        .filter(|cell| held.get(cell) != counted.get(cell))
        .map(|cell| Difference {
            office_id: cell.office_id.to_string(),
            month: cell.month.to_string(),
            matter_type: cell.matter_type.code(),
            foreign_relation: cell.foreign_relation.code(),
            held: held.get(cell).copied().unwrap_or_default(),
            counted: counted.get(cell).copied().unwrap_or_default(),
        })
        .collect();
    Ok(Verification {
        cells: counted.len(),
        differences,
    })
}
