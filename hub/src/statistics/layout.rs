//! A table as it is shown: columns, rows of figures under them, and totals. JSON, CSV and XLSX are the same layout.

use std::collections::BTreeMap;

use super::dimension::{Dimension, Key, Value};
use super::measure::{Measure, Number};
use super::query::{Compared, Query, Table};
use crate::supervision::rule::Rules;

/// A code and what people call it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    pub code: String,
    pub name_zh: String,
}

/// What stands in a column.
#[derive(Clone, Debug)]
pub struct Column {
    pub measure: &'static Measure,
    /// The value of the pivot; `None` without one, and where all of them are added up.
    pub pivot: Option<Label>,
}

/// One figure beside what it is compared with.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figure {
    pub value: Option<Number>,
    /// The same period of the year before.
    pub year_before: Option<Number>,
    /// The period before.
    pub period_before: Option<Number>,
    /// 同比
    pub year_on_year: Option<f64>,
    /// 环比
    pub period_on_period: Option<f64>,
}

/// A row: what it stands for, and a figure for each column.
#[derive(Clone, Debug)]
pub struct Line {
    pub keys: Vec<Label>,
    pub figures: Vec<Figure>,
}

/// A table laid out.
#[derive(Clone, Debug)]
pub struct Layout {
    /// What rows stand for.
    pub dimensions: Vec<Dimension>,
    pub columns: Vec<Column>,
    pub rows: Vec<Line>,
    pub totals: Vec<Figure>,
}

impl Layout {
    /// `rules` say what rules of supervision are called.
    pub fn of(query: &Query, table: &Table, rules: &Rules) -> Self {
        let dimensions = query.rows();
        let label = |dimension: Dimension, value: &Value| {
            let (code, name_zh) = table.structure.label(dimension, value);
            let rule = match value {
                Value::Rule(id) => rules.rule(id),
                _ => None,
            };
            Label {
                name_zh: rule.map_or(name_zh, |rule| rule.title.clone()),
                code,
            }
        };
        // A pivot's values, then all of them together.
        let mut pivots: Vec<Option<&Value>> = Vec::new();
        if query.pivot.is_some() {
            pivots.extend(table.columns.keys().map(|key| key.first()));
        }
        pivots.push(None);
        let columns = pivots.iter().flat_map(|pivot| {
            let pivot = query.pivot.zip(*pivot);
            query.measures.iter().map(move |measure| Column {
                measure,
                pivot: pivot.map(|(dimension, value)| label(dimension, value)),
            })
        });
        let figures = |of: &dyn Fn(Option<&Value>) -> Compared| {
            let cells = pivots.iter().map(|pivot| of(*pivot));
            cells
                .flat_map(|cell| {
                    query
                        .measures
                        .iter()
                        .map(move |measure| match table.has(measure) {
                            true => figure(measure, &cell, table),
                            false => Figure::default(),
                        })
                })
                .collect::<Vec<_>>()
        };
        let rows = table.rows.iter().map(|(key, row)| Line {
            keys: (dimensions.iter().zip(key))
                .map(|(dimension, value)| label(*dimension, value))
                .collect(),
            figures: figures(&|pivot| match pivot {
                Some(value) => found(&table.cells, &whole(query, key, value), row),
                None => *row,
            }),
        });
        Self {
            rows: rows.collect(),
            totals: figures(&|pivot| match pivot {
                Some(value) => found(&table.columns, &vec![value.clone()], &table.total),
                None => table.total,
            }),
            columns: columns.collect(),
            dimensions,
        }
    }
}

/// The key of a cell, from those of its row and its column.
fn whole(query: &Query, row: &Key, pivot: &Value) -> Key {
    let mut of_row = row.iter();
    let mut key = Key::with_capacity(query.group_by.len());
    for dimension in &query.group_by {
        match Some(*dimension) == query.pivot {
            true => key.push(pivot.clone()),
            false => key.extend(of_row.next().cloned()),
        }
    }
    key
}

/// A cell; one that is not there counts nothing, and is compared where its neighbours are.
fn found(cells: &BTreeMap<Key, Compared>, key: &Key, beside: &Compared) -> Compared {
    cells.get(key).copied().unwrap_or_else(|| Compared {
        now: Default::default(),
        year_before: beside.year_before.map(|_| Default::default()),
        period_before: beside.period_before.map(|_| Default::default()),
        is_running: beside.is_running,
    })
}

fn figure(measure: &Measure, cell: &Compared, table: &Table) -> Figure {
    let value = measure.of(&cell.now);
    if cell.is_running && !table.has_days(measure) {
        return Figure {
            value,
            ..Figure::default()
        };
    }
    let year_before = cell.year_before.and_then(|counted| measure.of(&counted));
    let period_before = cell.period_before.and_then(|counted| measure.of(&counted));
    let change = |before| measure.unit.change(value?, before?);
    Figure {
        value,
        year_before,
        period_before,
        year_on_year: change(year_before),
        period_on_period: change(period_before),
    }
}
