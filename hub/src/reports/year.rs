//! What a year's tables count, before anything is left out: every row of every table, month by month.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use sqlx::PgConnection;
use time::Date;

use linkage::matter::MatterGroup;
use linkage::office::OfficeId;
use linkage::vocabulary::ForeignRelation;

use super::column::COLUMNS;
use super::document::{Document, Table};
use super::draft::Published;
use super::period::ReportPeriod;
use crate::statistics::dimension::{Dimension, Key, Section, Value};
use crate::statistics::family::{Counted, Family};
use crate::statistics::measure::Measure;
use crate::statistics::period::{Grain, Period, Span};
use crate::statistics::query::Filter;
use crate::statistics::structure::Structure;
use crate::store::figures::{Cut, cut};
use crate::store::{figures::person_month, office::structure};

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
    /// Whether the persons whom offices served were ever counted.
    persons_counted: bool,
    /// Of the total.
    once: Once,
}

/// Families of which something lies in several offices or months and counts once in all of them together.
const COUNTED_ONCE: [Family; 2] = [Family::Duplicates, Family::Persons];

/// What these count, for every period of the year that has any.
type Once = Vec<(ReportPeriod, Counted)>;

/// A row of one of the tables.
#[derive(Clone, Debug)]
pub struct Line {
    pub by: Dimension,
    pub code: String,
    pub name_zh: String,
    months: [Counted; 12],
    once: Once,
}

impl Year {
    /// Reads the year that a period lies in. By the offices of the year's first day, so that the reports of a year add up,
    /// and as they were told of in what is published of it.
    pub async fn read(
        moment: &mut PgConnection,
        period: ReportPeriod,
        published: &[Published],
    ) -> Result<Self, sqlx::Error> {
        let span = period.year().span();
        let periods = structure::periods(&mut *moment).await?;
        let of_year = published
            .iter()
            .filter(|one| one.period.year() == period.year());
        let told = of_year.flat_map(|one| offices(&one.document)).collect();
        let structure = Structure::as_told(span.first, &periods, &told);
        let mut rows = Vec::new();
        for by in DIMENSIONS {
            let cells = cells(moment, by, span, &structure).await?;
            let mut counted_once = match by {
                Dimension::Office => once(moment, &[by], period, &structure).await?,
                _ => BTreeMap::new(),
            };
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
                    once: counted_once.remove(&[value][..]).unwrap_or_default(),
                });
            }
        }
        Ok(Self {
            structure_on: span.first,
            rows,
            persons_counted: person_month::are_counted(&mut *moment).await?,
            once: once(moment, &[], period, &structure)
                .await?
                .into_values()
                .next()
                .unwrap_or_default(),
        })
    }

    /// Whether there are figures of it at all.
    pub fn has(&self, measure: &Measure) -> bool {
        self.persons_counted || measure.family() != Family::Persons
    }

    /// What is told of all rows together.
    pub fn told_total(&self, period: ReportPeriod) -> Counted {
        told(self.sum(period), &self.once, period)
    }

    /// What all rows of a table add up to.
    pub fn sum(&self, period: ReportPeriod) -> Counted {
        let mut total = Counted::default();
        for row in self.rows.iter().filter(|row| row.by == DIMENSIONS[0]) {
            total += row.sum(period);
        }
        total
    }
}

/// The offices that a report has rows of.
fn offices(document: &Document) -> impl Iterator<Item = OfficeId> {
    let by_office = |table: &&Table| table.by == Dimension::Office.code();
    let tables = document.tables.iter().filter(by_office);
    tables
        .flat_map(|table| &table.rows)
        .filter_map(|row| row.code.parse().ok())
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
        let wanted = wanted(family, &group_by, span, structure);
        cells.extend(cut(moment, wanted).await?);
    }
    Ok(cells)
}

fn wanted<'a>(
    family: Family,
    group_by: &'a [Dimension],
    span: Span,
    structure: &'a Structure,
) -> Cut<'a> {
    static ALL: LazyLock<Filter> = LazyLock::new(Filter::default);
    Cut {
        family,
        section: Section::Matter,
        group_by,
        period: Period {
            first: Some(span.first),
            last: Some(span.last),
        },
        filter: &ALL,
        structure,
        most: MOST,
    }
}

/// What is counted once, by these dimensions: for every key what each period of the year has of it.
async fn once(
    moment: &mut PgConnection,
    by: &[Dimension],
    period: ReportPeriod,
    structure: &Structure,
) -> Result<BTreeMap<Key, Once>, sqlx::Error> {
    let span = period.year().span();
    let mut once: BTreeMap<Key, Once> = BTreeMap::new();
    for grain in ReportPeriod::GRAINS {
        let group_by = [by, &[Dimension::Time(grain)]].concat();
        let periods: Vec<_> = (period.all_of_year().into_iter())
            .filter(|period| period.grain() == grain)
            .collect();
        for family in COUNTED_ONCE {
            let wanted = wanted(family, &group_by, span, structure);
            for (mut key, counted) in cut(moment, wanted).await? {
                let Some(Value::Time(first)) = key.pop() else {
                    continue;
                };
                let Some(of) = periods.iter().find(|period| period.first() == first) else {
                    continue;
                };
                once.entry(key).or_default().push((*of, counted));
            }
        }
    }
    Ok(once)
}

/// A sum of parts, but for what is counted once.
fn told(sum: Counted, once: &[(ReportPeriod, Counted)], period: ReportPeriod) -> Counted {
    let mut counted = Counted::default();
    for (_, part) in once.iter().filter(|(of, _)| *of == period) {
        counted += *part;
    }
    let Counted {
        duplicates,
        persons,
        ..
    } = counted;
    Counted {
        duplicates,
        persons,
        ..sum
    }
}

impl Line {
    /// What is told of the row in a period of its year.
    pub fn told(&self, period: ReportPeriod) -> Counted {
        told(self.sum(period), &self.once, period)
    }

    /// What the months of a period add up to.
    pub fn sum(&self, period: ReportPeriod) -> Counted {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_counts_once_in_a_column_is_read_as_such() {
        let distinct = COLUMNS.iter().map(|column| column.measure());
        for measure in distinct.filter(|measure| measure.counts_once()) {
            assert!(COUNTED_ONCE.contains(&measure.family()), "{}", measure.code);
        }
    }
}
