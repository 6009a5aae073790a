//! Tables of figures, cut from the rollup alone: what one costs follows the number of cells, not of cases.

use std::collections::BTreeMap;

use linkage::matter::{MatterGroup, MatterType};
use linkage::office::OfficeId;
use linkage::place::DistrictCode;
use linkage::vocabulary::ForeignRelation;
use sqlx::PgConnection;
use time::{Date, OffsetDateTime};

use super::contribution::Counts;
use super::dimension::{Dimension, Key, Section, Value, grain};
use super::measure::Measure;
use super::period::{Back, Period};
use super::structure::Structure;
use crate::local_time::local_day;
use crate::store::office::Level;
use crate::store::rollup_cut::{Cut, cut};
use crate::store::{structure, tx};

/// Rows of a table; more are no table that anybody reads.
pub const MOST_ROWS: usize = 5000;

/// Which table.
#[derive(Clone, Debug)]
pub struct Query {
    pub measures: Vec<&'static Measure>,
    /// Each once; one of time at most.
    pub group_by: Vec<Dimension>,
    /// One of `group_by`, whose values become columns.
    pub pivot: Option<Dimension>,
    pub period: Period,
    pub filter: Filter,
    /// The day whose offices and districts figures are shown by; today when `None`.
    pub structure_on: Option<Date>,
    /// The cut of the rollup that has every dimension and every filter.
    pub section: Section,
}

/// What is left in; an empty list leaves everything in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pub offices: Vec<OfficeId>,
    pub districts: Vec<DistrictCode>,
    pub levels: Vec<Level>,
    pub matter_types: Vec<MatterType>,
    pub matter_groups: Vec<MatterGroup>,
    pub foreign_relations: Vec<ForeignRelation>,
}

/// What something counts, beside what it is compared with; `None` where the period is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    pub now: Counts,
    pub year_before: Option<Counts>,
    pub period_before: Option<Counts>,
}

/// The figures of a table: what each of its cuts comes to.
#[derive(Clone, Debug)]
pub struct Table {
    /// The moment that all of it was read at.
    pub as_of: OffsetDateTime,
    pub structure: Structure,
    /// By every dimension.
    pub cells: BTreeMap<Key, Compared>,
    /// By every dimension but the pivot.
    pub rows: BTreeMap<Key, Compared>,
    /// By the pivot alone.
    pub columns: BTreeMap<Key, Compared>,
    pub total: Compared,
}

/// Why there is no table.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    #[error("the table would have more than {MOST_ROWS} rows")]
    TooLarge,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl Query {
    /// The dimensions of rows.
    pub fn rows(&self) -> Vec<Dimension> {
        let of_rows = |dimension: &Dimension| Some(*dimension) != self.pivot;
        self.group_by.iter().copied().filter(of_rows).collect()
    }
}

/// Cuts a table in a transaction that sees one moment of the database. Rows that count nothing, now and before, are left out.
pub async fn table(moment: &mut PgConnection, query: &Query) -> Result<Table, QueryError> {
    let as_of = tx::now(moment).await?;
    let today = local_day(as_of);
    let periods = structure::periods(&mut *moment).await?;
    let structure = Structure::on(query.structure_on.unwrap_or(today), &periods);
    let mut reader = Reader {
        connection: moment,
        query,
        structure: &structure,
        today,
    };
    let cells = reader.compared(&query.group_by).await?;
    let (rows, columns) = match query.pivot {
        None => (cells.clone(), BTreeMap::new()),
        Some(pivot) => (
            reader.compared(&query.rows()).await?,
            reader.compared(&[pivot]).await?,
        ),
    };
    let total = reader.compared(&[]).await?;
    Ok(Table {
        as_of,
        cells,
        rows,
        columns,
        total: total.into_values().next().unwrap_or_default(),
        structure,
    })
}

/// Reads cuts of one table.
struct Reader<'a> {
    connection: &'a mut PgConnection,
    query: &'a Query,
    structure: &'a Structure,
    today: Date,
}

impl Reader<'_> {
    async fn compared(
        &mut self,
        group_by: &[Dimension],
    ) -> Result<BTreeMap<Key, Compared>, QueryError> {
        let mut compared: BTreeMap<Key, Compared> = BTreeMap::new();
        for (key, counts) in self.read(group_by, self.query.period).await? {
            compared.entry(key).or_default().now = counts;
        }
        if let Some(span) = self.query.period.span() {
            let grain = grain(group_by);
            for (back, field) in [
                (Back::YEAR, Compared::year_before_mut as Field),
                (Back::period(grain, span), Compared::period_before_mut),
            ] {
                let earlier = span.moved(back);
                let period = Period {
                    first: Some(earlier.first),
                    last: Some(earlier.last),
                };
                for (key, counts) in self.read(group_by, period).await? {
                    if let Some(key) = undone(key, back) {
                        *field(compared.entry(key).or_default()) = Some(counts);
                    }
                }
            }
            for (key, cell) in &mut compared {
                complete(key, cell);
            }
        }
        compared.retain(|key, cell| !cell.is_nothing() && has_begun(key, self.today));
        match compared.len() <= MOST_ROWS {
            true => Ok(compared),
            false => Err(QueryError::TooLarge),
        }
    }

    async fn read(
        &mut self,
        group_by: &[Dimension],
        period: Period,
    ) -> Result<Vec<(Key, Counts)>, QueryError> {
        let most = MOST_ROWS as i64 + 1;
        let wanted = Cut {
            section: self.query.section,
            group_by,
            period,
            filter: &self.query.filter,
            structure: self.structure,
            most,
        };
        let rows = cut(self.connection, wanted).await?;
        match rows.len() <= MOST_ROWS {
            true => Ok(rows),
            false => Err(QueryError::TooLarge),
        }
    }
}

type Field = fn(&mut Compared) -> &mut Option<Counts>;

impl Compared {
    fn year_before_mut(&mut self) -> &mut Option<Counts> {
        &mut self.year_before
    }

    fn period_before_mut(&mut self) -> &mut Option<Counts> {
        &mut self.period_before
    }

    fn is_nothing(&self) -> bool {
        let nothing = Counts::default();
        [Some(self.now), self.year_before, self.period_before]
            .into_iter()
            .flatten()
            .all(|counts| counts == nothing)
    }
}

/// The row that an earlier one is compared with.
fn undone(mut key: Key, back: Back) -> Option<Key> {
    for value in &mut key {
        if let Value::Time(first) = value {
            *first = back.undone(*first)?;
        }
    }
    Some(key)
}

/// What lies ahead has no row, whatever there was before it.
fn has_begun(key: &Key, today: Date) -> bool {
    key.iter()
        .all(|value| !matches!(value, Value::Time(first) if *first > today))
}

/// What was not counted before is nothing, unless there was no such day.
fn complete(key: &Key, cell: &mut Compared) {
    let leap_day = key
        .iter()
        .any(|value| matches!(value, Value::Time(first) if first.day() == 29 && u8::from(first.month()) == 2));
    if !leap_day {
        cell.year_before.get_or_insert_default();
    }
    cell.period_before.get_or_insert_default();
}
