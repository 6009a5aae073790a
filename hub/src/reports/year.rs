//! What a year's tables count, before anything is left out: every row of every table, month by month.

use std::collections::BTreeSet;

use sqlx::PgConnection;
use time::Date;

use linkage::matter::MatterGroup;
use linkage::vocabulary::ForeignRelation;

use super::column::COLUMNS;
use super::period::ReportPeriod;
use crate::statistics::dimension::{Dimension, Key, Section, Value};
use crate::statistics::family::{Counted, Family};
use crate::statistics::measure::Measure;
use crate::statistics::period::{Grain, Period, Span};
use crate::statistics::query::Filter;
use crate::statistics::structure::Structure;
use crate::store::figures::{Cut, cut};
use crate::store::structure;

/// The dimensions that reports have tables by. No table is by two of them: what they have in common is their total.
pub(super) const DIMENSIONS: [Dimension; 3] = [
    Dimension::Office,
    Dimension::MatterGroup,
    Dimension::ForeignRelation,
];

/// More cells than a city's year has.
const MOST: i64 = 100_000;

/// A year.
#[derive(Clone, Debug)]
pub struct Year {
    pub structure_on: Date,
    pub rows: Vec<Line>,
}

/// A row of one of the tables.
#[derive(Clone, Debug)]
pub struct Line {
    pub by: Dimension,
    pub code: String,
    pub name_zh: String,
    months: [Counted; 12],
}

impl Year {
    /// Reads the year that a period lies in. By the offices of the year's first day, so that the reports of a year add up.
    pub async fn read(
        moment: &mut PgConnection,
        period: ReportPeriod,
    ) -> Result<Self, sqlx::Error> {
        let span = period.year().span();
        let periods = structure::periods(&mut *moment).await?;
        let structure = Structure::on(span.first, &periods);
        let mut rows = Vec::new();
        for by in DIMENSIONS {
            let cells = cells(moment, by, span, &structure).await?;
            for value in values(by, &structure) {
                let (code, name_zh) = structure.label(by, &value);
                let mut months = [Counted::default(); 12];
                for (key, counted) in &cells {
                    if let [of, Value::Time(first)] = key.as_slice()
                        && *of == value
                    {
                        months[month_index(*first)] += *counted;
                    }
                }
                rows.push(Line {
                    by,
                    code,
                    name_zh,
                    months,
                });
            }
        }
        Ok(Self {
            structure_on: span.first,
            rows,
        })
    }

    /// What all rows of a table come to.
    pub fn total(&self, period: ReportPeriod) -> Counted {
        let mut total = Counted::default();
        for row in self.rows.iter().filter(|row| row.by == DIMENSIONS[0]) {
            total += row.of(period);
        }
        total
    }
}

/// What the columns of a table by that count, month by month.
async fn cells(
    moment: &mut PgConnection,
    by: Dimension,
    span: Span,
    structure: &Structure,
) -> Result<Vec<(Key, Counted)>, sqlx::Error> {
    let group_by = [by, Dimension::Time(Grain::Month)];
    let of = |measure: &Measure| [Some(measure.family()), measure.base()];
    let families: BTreeSet<Family> = COLUMNS
        .iter()
        .filter(|column| column.is_in_table_by(by))
        .flat_map(|column| of(column.measure()))
        .flatten()
        .collect();
    let mut cells = Vec::new();
    for family in families {
        let wanted = Cut {
            family,
            section: Section::Matter,
            group_by: &group_by,
            period: Period {
                first: Some(span.first),
                last: Some(span.last),
            },
            filter: &Filter::default(),
            structure,
            most: MOST,
        };
        cells.extend(cut(moment, wanted).await?);
    }
    Ok(cells)
}

impl Line {
    /// What the row counts in a period of its year.
    pub fn of(&self, period: ReportPeriod) -> Counted {
        let span = period.span();
        let mut sum = Counted::default();
        for month in &self.months[month_index(span.first)..=month_index(span.last)] {
            sum += *month;
        }
        sum
    }
}

fn month_index(day: Date) -> usize {
    usize::from(u8::from(day.month())) - 1
}

/// Every row of a table, whether anything counts in it or not: tables are the same from period to period.
fn values(by: Dimension, structure: &Structure) -> Vec<Value> {
    match by {
        Dimension::MatterGroup => MatterGroup::ALL
            .iter()
            .copied()
            .map(Value::MatterGroup)
            .collect(),
        Dimension::ForeignRelation => {
            let relations = ForeignRelation::ALL.iter().copied();
            relations.map(Value::ForeignRelation).collect()
        }
        _ => {
            let places = structure.places();
            let own = places
                .iter()
                .filter(|place| place.office == place.counts_under);
            own.map(|place| Value::Office(place.office)).collect()
        }
    }
}
