//! Tables of figures. What one about cases costs follows the number of the rollup's cells, not of cases.

use std::collections::{BTreeMap, BTreeSet};

use linkage::matter::{MatterGroup, MatterType};
use linkage::office::OfficeId;
use linkage::place::DistrictCode;
use linkage::vocabulary::ForeignRelation;
use sqlx::PgConnection;
use time::{Date, OffsetDateTime};

use super::dimension::{Dimension, Key, Section, Value, grain};
use super::family::{Counted, Family};
use super::measure::Measure;
use super::period::{Back, Period, Span};
use super::structure::Structure;
use crate::filing::FilingKind;
use crate::local_time::local_day;
use crate::store::figures::{Cut, cut};
use crate::store::office::Level;
use crate::store::{figures::person_month, office::structure, tx};
use crate::supervision::rule::{RuleId, Severity};

/// Rows of a table; more are no table that anybody reads on a page.
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
    /// The cut of the rollup of cases that has every dimension and every filter.
    pub section: Section,
    /// Rows that it has at most.
    pub most: usize,
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
    pub rules: Vec<RuleId>,
    pub finding_severities: Vec<Severity>,
    pub filing_kinds: Vec<FilingKind>,
}

/// What something counts, beside what it is compared with; `None` where the period is open or lies ahead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    pub now: Counted,
    pub year_before: Option<Counted>,
    pub period_before: Option<Counted>,
    /// Its time is not over. Then it is compared with as much of the time before as has come of it, to the day.
    pub is_running: bool,
}

/// Which of the three.
#[derive(Clone, Copy, Debug)]
enum When {
    Now,
    YearBefore,
    PeriodBefore,
}

/// The figures of a table: what each of its cuts comes to.
#[derive(Clone, Debug)]
pub struct Table {
    /// The moment that all of it was read at.
    pub as_of: OffsetDateTime,
    pub structure: Structure,
    /// The day up to which a period that is not over is compared with earlier ones.
    pub compared_until: Option<Date>,
    /// The cut of the rollup of cases that was read.
    section: Section,
    /// Whether the persons whom offices served were ever counted.
    pub persons_counted: bool,
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
    #[error("the table would have more rows than are wanted at most")]
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

    /// The cut that is read. A period that is not over is compared to the day, where no other cut is asked for.
    fn section_on(&self, today: Date) -> Section {
        let left_in = self.filter.codes().into_iter();
        let filters = left_in.filter_map(|(by, codes)| (!codes.is_empty()).then_some(by));
        let mut asked = self.group_by.iter().copied().chain(filters);
        let is_free = asked.all(|by| by.section().is_none());
        match self.is_running_on(today) && is_free {
            true => Section::Day,
            false => self.section,
        }
    }

    fn is_running_on(&self, today: Date) -> bool {
        let span = self.period.span();
        span.is_some_and(|span| span.is_running_on(today))
    }

    /// The families its measures come from and are measured by, each once.
    fn families(&self) -> BTreeSet<Family> {
        let of = |measure: &&'static Measure| [Some(measure.family()), measure.base()];
        self.measures.iter().flat_map(of).flatten().collect()
    }
}

impl Filter {
    /// The codes of what is left in, by each dimension there is a filter of.
    pub fn codes(&self) -> [(Dimension, Vec<String>); 9] {
        fn of<T>(values: &[T], code: impl Fn(&T) -> &str) -> Vec<String> {
            values.iter().map(|value| code(value).to_owned()).collect()
        }
        [
            (Dimension::Office, of(&self.offices, OfficeId::as_str)),
            (
                Dimension::District,
                of(&self.districts, DistrictCode::as_str),
            ),
            (Dimension::Level, of(&self.levels, |level| level.code())),
            (
                Dimension::MatterType,
                of(&self.matter_types, |matter| matter.code()),
            ),
            (
                Dimension::MatterGroup,
                of(&self.matter_groups, |group| group.code()),
            ),
            (
                Dimension::ForeignRelation,
                of(&self.foreign_relations, |relation| relation.code()),
            ),
            (Dimension::Rule, of(&self.rules, RuleId::as_str)),
            (
                Dimension::FindingSeverity,
                of(&self.finding_severities, |severity| severity.code()),
            ),
            (
                Dimension::FilingKind,
                of(&self.filing_kinds, |kind| kind.code()),
            ),
        ]
    }
}

impl Table {
    /// Whether there are figures of it at all: nobody served is another thing than nobody counted.
    pub fn has(&self, measure: &Measure) -> bool {
        self.persons_counted || measure.family() != Family::Persons
    }

    /// Whether it is counted by the day: a month that runs is not to be compared by what is counted by the month.
    pub fn has_days(&self, measure: &Measure) -> bool {
        let families = [Some(measure.family()), measure.base()];
        families.into_iter().flatten().all(|family| match family {
            Family::Cases => self.section == Section::Day,
            Family::Persons => false,
            _ => true,
        })
    }
}

/// Cuts a table in a transaction that sees one moment of the database. Rows that count nothing, now and before, are left out.
pub async fn table(moment: &mut PgConnection, query: &Query) -> Result<Table, QueryError> {
    let as_of = tx::now(moment).await?;
    let today = local_day(as_of);
    let periods = structure::periods(&mut *moment).await?;
    let structure = Structure::on(query.structure_on.unwrap_or(today), &periods);
    let persons_counted = !query.families().contains(&Family::Persons)
        || person_month::are_counted(&mut *moment).await?;
    let section = query.section_on(today);
    let mut reader = Reader {
        connection: moment,
        query,
        section,
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
        compared_until: query.is_running_on(today).then_some(today),
        section,
        persons_counted,
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
    section: Section,
    structure: &'a Structure,
    today: Date,
}

impl Reader<'_> {
    async fn compared(
        &mut self,
        group_by: &[Dimension],
    ) -> Result<BTreeMap<Key, Compared>, QueryError> {
        let periods = self.periods(group_by);
        let mut compared: BTreeMap<Key, Compared> = BTreeMap::new();
        let has_all = |family: &Family| group_by.iter().all(|by| family.has(*by));
        let (whole, partly): (Vec<_>, Vec<_>) =
            self.query.families().into_iter().partition(has_all);
        for family in whole {
            for (when, back, period) in &periods {
                for (key, counted) in self.read(family, group_by, *period).await? {
                    if let Some(key) = undone(key, *back) {
                        *compared.entry(key).or_default().begun(*when) += counted;
                    }
                }
            }
        }
        if let Some(span) = self.query.period.span() {
            let grain = grain(group_by);
            for (key, cell) in &mut compared {
                let began = began_on(key);
                let own = began.zip(grain).map(|(first, grain)| grain.span(first));
                complete(began, own.unwrap_or(span), cell, self.today);
            }
        }
        compared.retain(|key, cell| match has_begun(key, self.today) {
            true => !cell.is_nothing(),
            // Nobody expects anything of what lies ahead, but what counts there is in the total.
            false => cell.now != Counted::default(),
        });
        for family in partly {
            for (when, back, period) in &periods {
                self.spread(&mut compared, group_by, family, (*when, *back, *period))
                    .await?;
            }
        }
        match compared.len() <= self.query.most {
            true => Ok(compared),
            false => Err(QueryError::TooLarge),
        }
    }

    /// The query's period and those it is compared with, each with the way back to it.
    fn periods(&self, group_by: &[Dimension]) -> Vec<(When, Option<Back>, Period)> {
        let mut periods = vec![(When::Now, None, self.query.period)];
        let span = self.query.period.span();
        if let Some((span, come)) = span.and_then(|span| Some((span, span.until(self.today)?))) {
            let before = Back::period(grain(group_by), span);
            for (when, back) in [(When::YearBefore, Back::YEAR), (When::PeriodBefore, before)] {
                let earlier = come.moved(back);
                let period = Period {
                    first: Some(earlier.first),
                    last: Some(earlier.last),
                };
                periods.push((when, Some(back), period));
            }
        }
        periods
    }

    /// Puts what a family counts by fewer dimensions beside each cell that it is the measure of.
    async fn spread(
        &mut self,
        compared: &mut BTreeMap<Key, Compared>,
        group_by: &[Dimension],
        family: Family,
        (when, back, period): (When, Option<Back>, Period),
    ) -> Result<(), QueryError> {
        let has = |by: &&Dimension| family.has(**by);
        let own: Vec<Dimension> = group_by.iter().filter(has).copied().collect();
        let rows = self.read(family, &own, period).await?;
        let rows: BTreeMap<Key, Counted> = rows
            .into_iter()
            .filter_map(|(key, counted)| Some((undone(key, back)?, counted)))
            .collect();
        for (key, cell) in compared {
            let values = group_by.iter().zip(key).filter(|(by, _)| has(by));
            let key: Key = values.map(|(_, value)| value.clone()).collect();
            if let (Some(cell), Some(counted)) = (cell.at(when), rows.get(&key)) {
                *cell += *counted;
            }
        }
        Ok(())
    }

    async fn read(
        &mut self,
        family: Family,
        group_by: &[Dimension],
        period: Period,
    ) -> Result<Vec<(Key, Counted)>, QueryError> {
        let wanted = Cut {
            family,
            section: self.section,
            group_by,
            period,
            filter: &self.query.filter,
            structure: self.structure,
            most: i64::try_from(self.query.most).unwrap_or(i64::MAX - 1) + 1,
        };
        let rows = cut(self.connection, wanted).await?;
        match rows.len() <= self.query.most {
            true => Ok(rows),
            false => Err(QueryError::TooLarge),
        }
    }
}

impl Compared {
    /// `None` where there is nothing to compare with.
    fn at(&mut self, when: When) -> Option<&mut Counted> {
        match when {
            When::Now => Some(&mut self.now),
            When::YearBefore => self.year_before.as_mut(),
            When::PeriodBefore => self.period_before.as_mut(),
        }
    }

    fn begun(&mut self, when: When) -> &mut Counted {
        match when {
            When::Now => &mut self.now,
            When::YearBefore => self.year_before.get_or_insert_default(),
            When::PeriodBefore => self.period_before.get_or_insert_default(),
        }
    }

    fn is_nothing(&self) -> bool {
        let nothing = Counted::default();
        [Some(self.now), self.year_before, self.period_before]
            .into_iter()
            .flatten()
            .all(|counted| counted == nothing)
    }
}

/// The row that an earlier one is compared with.
fn undone(mut key: Key, back: Option<Back>) -> Option<Key> {
    let Some(back) = back else { return Some(key) };
    for value in &mut key {
        if let Value::Time(first) = value {
            *first = back.undone(*first)?;
        }
    }
    Some(key)
}

/// The first day of the time that a row is of, where rows are of times.
fn began_on(key: &Key) -> Option<Date> {
    key.iter().find_map(|value| match value {
        Value::Time(first) => Some(*first),
        _ => None,
    })
}

/// Whether the time that it is of has come.
fn has_begun(key: &Key, today: Date) -> bool {
    began_on(key).is_none_or(|first| first <= today)
}

/// What was not counted before is nothing, unless there was no such day. What lies ahead is compared with nothing.
fn complete(began: Option<Date>, span: Span, cell: &mut Compared, today: Date) {
    if span.until(today).is_none() {
        return;
    }
    cell.is_running = span.is_running_on(today);
    let is_leap_day = began.is_some_and(|day| (u8::from(day.month()), day.day()) == (2, 29));
    if !is_leap_day {
        cell.year_before.get_or_insert_default();
    }
    cell.period_before.get_or_insert_default();
}
