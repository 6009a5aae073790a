//! The cells of a file, without its form.

use time::OffsetDateTime;
use time::macros::format_description;

use crate::local_time::SHANGHAI;
use crate::statistics::layout::{Column, Figure, Layout};
use crate::statistics::measure::{Number, Unit};
use crate::statistics::period::Grain;
use crate::statistics::query::{Query, Table};

/// What stands above a table.
#[derive(Clone, Debug)]
pub(crate) struct Title {
    pub(crate) name: String,
    pub(crate) period: String,
    pub(crate) as_of: String,
}

/// One cell. What there is none of shows as empty.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Text(String),
    Count(Option<i64>),
    Fen(Option<i64>),
    Rate(Option<f64>),
    /// A difference of shares.
    Points(Option<f64>),
    /// With two places.
    Decimal(Option<f64>),
}

/// A table with its headers.
#[derive(Clone, Debug)]
pub(crate) struct Sheet {
    pub(crate) headers: Vec<String>,
    pub(crate) rows: Vec<Vec<Cell>>,
    /// The last row, where there is one for all of them together.
    pub(crate) totals: Option<Vec<Cell>>,
}

/// A sheet of a workbook.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    /// On its tab.
    pub(crate) name: String,
    pub(crate) title: Title,
    pub(crate) sheet: Sheet,
    /// Paragraphs below the table.
    pub(crate) notes: Vec<String>,
}

impl Title {
    pub(crate) fn of(query: &Query, table: &Table) -> Self {
        Self {
            name: Self::name(query),
            period: format!("统计期间：{}", Self::period(query)),
            as_of: format!("数据截至：{}", local(table.as_of)),
        }
    }

    pub(crate) fn name(query: &Query) -> String {
        let names: Vec<&str> = query.group_by.iter().map(|by| by.name_zh()).collect();
        match names.is_empty() {
            true => "公证办证统计表".into(),
            false => format!("公证办证统计表（按{}）", names.join("、")),
        }
    }

    pub(crate) fn period(query: &Query) -> String {
        let day = |day| Grain::Day.label_zh(day);
        match query.period.span() {
            Some(span) => match Grain::ALL
                .into_iter()
                .find(|grain| grain.span(span.first) == span)
            {
                Some(grain) => grain.label_zh(span.first),
                None => format!("{}至{}", day(span.first), day(span.last)),
            },
            None => match query.period.last {
                Some(last) => format!("截至{}", day(last)),
                None => "全部期间".into(),
            },
        }
    }
}

/// What is to be known of the comparisons of a period that is not over.
pub(crate) fn notes(table: &Table) -> Vec<String> {
    let note = table.compared_until.map(|day| {
        let day = Grain::Day.label_zh(day);
        format!("统计期间尚未结束：同比、环比按截至{day}的同期计算；只按月统计的不作比较。")
    });
    note.into_iter().collect()
}

/// The time in Asia/Shanghai, for people.
pub(crate) fn local(at: OffsetDateTime) -> String {
    let form =
        format_description!("[year]年[month padding:none]月[day padding:none]日 [hour]:[minute]");
    at.to_offset(SHANGHAI).format(form).unwrap_or_default()
}

impl Sheet {
    pub(crate) fn of(layout: Layout) -> Self {
        // A pivot has columns enough.
        let compared = layout.columns.iter().all(|column| column.pivot.is_none())
            && layout
                .totals
                .iter()
                .any(|figure| figure.year_before.is_some() || figure.period_before.is_some());
        let mut headers: Vec<String> = layout
            .dimensions
            .iter()
            .map(|dimension| dimension.name_zh().to_owned())
            .collect();
        let names = headers.len();
        for column in &layout.columns {
            headers.push(header(
                column,
                layout.columns.iter().any(|c| c.pivot.is_some()),
            ));
            if compared {
                headers.extend(["同比", "环比"].map(|change| {
                    let name = column.measure.name_zh;
                    match column.measure.unit.is_compared_by_difference() {
                        true => format!("{name}{change}增减"),
                        false => format!("{name}{change}"),
                    }
                }));
            }
        }
        let cells = |figures: &[Figure]| -> Vec<Cell> {
            let pairs = layout.columns.iter().zip(figures);
            pairs
                .flat_map(|(column, figure)| {
                    let changes = [figure.year_on_year, figure.period_on_period];
                    let changes = changes.into_iter().filter(|_| compared);
                    let changes = changes.map(|change| changed(column.measure.unit, change));
                    std::iter::once(cell(column.measure.unit, figure.value)).chain(changes)
                })
                .collect()
        };
        let rows = layout
            .rows
            .iter()
            .map(|row| {
                let names = row.keys.iter().map(|key| Cell::Text(key.name_zh.clone()));
                names.chain(cells(&row.figures)).collect()
            })
            .collect();
        let total = (0..names).map(|at| if at == 0 { "合计" } else { "" });
        let total = total.map(|text| Cell::Text(text.into()));
        let totals = Some(total.chain(cells(&layout.totals)).collect());
        Self {
            headers,
            rows,
            totals,
        }
    }
}

fn header(column: &Column, pivoted: bool) -> String {
    let name = with_unit(column.measure.name_zh, column.measure.unit);
    match &column.pivot {
        Some(pivot) => format!("{} {name}", pivot.name_zh),
        None if pivoted => format!("合计 {name}"),
        None => name,
    }
}

/// What a column is called, with what it is counted in where that is not cases.
pub(crate) fn with_unit(name_zh: &str, unit: Unit) -> String {
    match unit {
        Unit::Fen => format!("{name_zh}（元）"),
        Unit::Days => format!("{name_zh}（工作日）"),
        Unit::Persons => format!("{name_zh}（人）"),
        Unit::Times => format!("{name_zh}（次）"),
        Unit::Score => format!("{name_zh}（分）"),
        Unit::Count | Unit::Rate | Unit::PerTenThousand => name_zh.into(),
    }
}

/// A difference in days is no share, and that of shares is no part of what was before.
pub(crate) fn changed(unit: Unit, change: Option<f64>) -> Cell {
    match unit {
        Unit::Days => Cell::Count(change.map(|days| days as i64)),
        Unit::Score => Cell::Decimal(change),
        Unit::Rate => Cell::Points(change),
        _ => Cell::Rate(change),
    }
}

pub(crate) fn cell(unit: Unit, value: Option<Number>) -> Cell {
    let whole = match value {
        Some(Number::Whole(number)) => Some(number),
        _ => None,
    };
    match unit {
        Unit::Count | Unit::Days | Unit::Persons | Unit::Times => Cell::Count(whole),
        Unit::Fen => Cell::Fen(whole),
        Unit::Rate => Cell::Rate(value.map(Number::as_f64)),
        Unit::PerTenThousand | Unit::Score => Cell::Decimal(value.map(Number::as_f64)),
    }
}
