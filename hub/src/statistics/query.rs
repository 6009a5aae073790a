//! Tables of figures, cut from the rollup alone: what one costs follows the number of cells, not of cases.

use linkage::matter::MatterType;
use linkage::office::OfficeId;
use linkage::vocabulary::ForeignRelation;
use sqlx::PgExecutor;
use time::Date;

use super::contribution::Measures;
use crate::store::rollup;

/// What a row stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    Office,
    MatterType,
    Month,
    ForeignRelation,
}

/// Which table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// First days of the first and the last month, both included.
    pub from: Option<Date>,
    pub to: Option<Date>,
    pub group_by: Vec<Dimension>,
    pub office: Option<OfficeId>,
    pub matter_type: Option<MatterType>,
}

/// One row; what it is not grouped by is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    pub office_id: Option<OfficeId>,
    pub matter_type: Option<MatterType>,
    pub month: Option<Date>,
    pub foreign_relation: Option<ForeignRelation>,
    pub measures: Measures,
}

/// Rows in the order of their dimensions, and their sum.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    pub rows: Vec<Row>,
    pub totals: Measures,
}

impl Dimension {
    pub const ALL: [Self; 4] = [
        Self::Office,
        Self::MatterType,
        Self::Month,
        Self::ForeignRelation,
    ];

    /// The form in which it is asked for.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Office => "office",
            Self::MatterType => "matter_type",
            Self::Month => "month",
            Self::ForeignRelation => "foreign_relation",
        }
    }
}

impl Query {
    pub fn is_by(&self, dimension: Dimension) -> bool {
        self.group_by.contains(&dimension)
    }
}

/// Share of certificates issued within the limit; `None` when none was issued.
pub fn within_limit_rate(measures: &Measures) -> Option<f64> {
    (measures.issued > 0).then(|| measures.within_limit as f64 / measures.issued as f64)
}

/// Cuts a table. Rows that count nothing are left out.
pub async fn table(executor: impl PgExecutor<'_>, query: &Query) -> Result<Table, sqlx::Error> {
    let mut rows = rollup::grouped(executor, query).await?;
    rows.retain(|row| row.measures != Measures::default());
    let mut totals = Measures::default();
    for row in &rows {
        totals += row.measures;
    }
    Ok(Table { rows, totals })
}
