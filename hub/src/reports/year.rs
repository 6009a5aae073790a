//! What a year's tables count, before anything is left out: every row of every table, month by month.

use sqlx::PgConnection;
use time::Date;

use linkage::matter::MatterGroup;
use linkage::vocabulary::ForeignRelation;

use super::period::ReportPeriod;
use crate::statistics::contribution::Counts;
use crate::statistics::dimension::{Dimension, Section, Value};
use crate::statistics::period::{Grain, Period};
use crate::statistics::query::Filter;
use crate::statistics::structure::Structure;
use crate::store::rollup_cut::{Cut, cut};
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
    months: [Counts; 12],
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
            let group_by = [by, Dimension::Time(Grain::Month)];
            let wanted = Cut {
                section: Section::Matter,
                group_by: &group_by,
                period: Period {
                    first: Some(span.first),
                    last: Some(span.last),
                },
                filter: &Filter::default(),
                structure: &structure,
                most: MOST,
            };
            let cells = cut(moment, wanted).await?;
            for value in values(by, &structure) {
                let (code, name_zh) = structure.label(by, &value);
                let mut months = [Counts::default(); 12];
                for (key, counts) in &cells {
                    if let [of, Value::Time(first)] = key.as_slice()
                        && *of == value
                    {
                        months[month_index(*first)] += *counts;
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
    pub fn total(&self, period: ReportPeriod) -> Counts {
        let mut total = Counts::default();
        for row in self.rows.iter().filter(|row| row.by == DIMENSIONS[0]) {
            total += row.of(period);
        }
        total
    }
}

impl Line {
    /// What the row counts in a period of its year.
    pub fn of(&self, period: ReportPeriod) -> Counts {
        let span = period.span();
        let mut sum = Counts::default();
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
