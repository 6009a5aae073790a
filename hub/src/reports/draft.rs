//! Puts a report together: counts, what is left out of them, comparisons and the text.

use time::OffsetDateTime;

use super::attack::{Cells, Known, Sum};
use super::column::{COLUMNS, Guard};
use super::document::{Cell, Comparison, Document, Head, Row, Table};
use super::period::ReportPeriod;
use super::summary;
use super::suppress::complement;
use super::year::{DIMENSIONS, Year};
use crate::local_time::local_day;
use crate::statistics::dimension::Dimension;
use crate::statistics::family::Counted;
use crate::statistics::period::Grain;

/// The newest issue of a period.
#[derive(Clone, Debug)]
pub struct Published {
    pub period: ReportPeriod,
    pub document: Document,
}

/// The report of a period as its year counts now, beside everything that is published of that year. What an earlier
/// issue of the same report leaves out stays left out.
pub fn draft(
    period: ReportPeriod,
    year: &Year,
    as_of: OffsetDateTime,
    published: &[Published],
) -> Document {
    let withheld = withheld(period, year, published);
    let (total, rows) = withheld.split_last().expect("a total is withheld or not");
    let total = row(year, None, "", "合计", &year.told_total(period), total);
    let tables = DIMENSIONS.map(|by| {
        let lines = year.rows.iter().zip(rows).filter(|(line, _)| line.by == by);
        Table {
            by: by.code().to_owned(),
            name_zh: by.name_zh().to_owned(),
            rows: lines
                .map(|(line, withheld)| {
                    let of = line.told(period);
                    row(year, Some(by), &line.code, &line.name_zh, &of, withheld)
                })
                .collect(),
        }
    });
    let mut document = Document {
        period: period.to_string(),
        title_zh: period.title_zh(),
        as_of,
        structure_on: Grain::Day.label(year.structure_on),
        summary_zh: Vec::new(),
        columns: COLUMNS
            .iter()
            .map(|column| {
                let measure = column.measure();
                Head {
                    code: measure.code.to_owned(),
                    name_zh: measure.name_zh.to_owned(),
                    unit: measure.unit,
                    subject_zh: column.subject.name_zh().to_owned(),
                    offices_only: DIMENSIONS.iter().any(|by| !column.is_in_table_by(*by)),
                }
            })
            .collect(),
        compared: compared(period, &total, published, as_of),
        total,
        tables: tables.into(),
    };
    document.summary_zh = summary::written(period, &document);
    document
}

/// A row of a table, or the total of all of them.
fn row(
    year: &Year,
    by: Option<Dimension>,
    code: &str,
    name_zh: &str,
    counted: &Counted,
    withheld: &[Guard],
) -> Row {
    let cells = COLUMNS.iter().map(|column| {
        let is_told = year.has(column.measure()) && by.is_none_or(|by| column.is_in_table_by(by));
        match is_told {
            true => column.cell(counted, withheld),
            false => Cell::default(),
        }
    });
    Row {
        code: code.to_owned(),
        name_zh: name_zh.to_owned(),
        cells: cells.collect(),
        withheld: withheld.to_vec(),
    }
}

/// With what was published, as it was published: readers compare what they can read. A period that is not over has no change
/// to tell yet: what it comes to so far is not held against whole ones.
fn compared(
    period: ReportPeriod,
    total: &Row,
    published: &[Published],
    as_of: OffsetDateTime,
) -> Vec<Comparison> {
    let is_over = period.is_over(local_day(as_of));
    let of = |period: ReportPeriod, code: &str| {
        let of = published.iter().find(|one| one.period == period)?;
        of.document.total_of(code)?.value
    };
    let columns = COLUMNS.iter().zip(&total.cells);
    let compared = columns.map(|(column, cell)| {
        let measure = column.measure();
        let year_before = of(period.year_before(), measure.code);
        let period_before = of(period.before(), measure.code);
        let value = cell.value.filter(|_| is_over);
        let change = |before| measure.unit.change(value?, before?);
        Comparison {
            year_before,
            period_before,
            year_on_year: change(year_before),
            period_on_period: change(period_before),
        }
    });
    compared.collect()
}

/// What is left out of each row of the year's tables, and of the total behind them.
fn withheld(period: ReportPeriod, year: &Year, published: &[Published]) -> Vec<Vec<Guard>> {
    let periods = period.all_of_year();
    let width = year.rows.len() + 1;
    let own = periods.iter().position(|other| *other == period);
    let first = own.expect("a period lies in its year") * width;
    let mut withheld = vec![Vec::new(); width];
    for guard in Guard::ALL {
        let told = (0..width).filter(|row| is_told(year, *row, guard));
        let own: Vec<usize> = told.map(|row| first + row).collect();
        let mut cells = cells(year, &periods, published, guard);
        for cell in &own {
            cells.known[*cell] = match cells.known[*cell] {
                Known::Hidden => Known::Hidden,
                _ if cells.small[*cell] => Known::Hidden,
                Known::Shown | Known::Nothing => Known::Shown,
            };
        }
        complement(&mut cells, &own, &[first + width - 1]);
        for cell in own
            .iter()
            .filter(|cell| cells.known[**cell] == Known::Hidden)
        {
            withheld[cell - first].push(guard);
        }
    }
    withheld
}

/// Whether a row's table has the number.
fn is_told(year: &Year, row: usize, guard: Guard) -> bool {
    let line = year.rows.get(row);
    line.is_none_or(|line| guard.family().has(line.by))
}

/// One number of cases in every row of every table of the year, and what is known of it.
fn cells(year: &Year, periods: &[ReportPeriod], published: &[Published], guard: Guard) -> Cells {
    let width = year.rows.len() + 1;
    let mut cells = Cells {
        values: Vec::new(),
        known: Vec::new(),
        small: Vec::new(),
        sums: Vec::new(),
    };
    for (number, period) in periods.iter().enumerate() {
        let published = published.iter().find(|one| one.period == *period);
        for row in 0..width {
            let (sum, told) = counted(year, *period, row);
            cells.values.push(guard.of(&sum));
            cells.small.push(guard.is_small(&told));
            let tells = |one: &&Published| guard.is_told_by(&one.document.columns);
            let known = published
                .filter(tells)
                .map(|one| known(year, &one.document, row, guard, &told));
            cells.known.push(known.unwrap_or(Known::Nothing));
        }
        let at = number * width;
        for by in DIMENSIONS.into_iter().filter(|by| guard.family().has(*by)) {
            let rows = (0..width - 1).filter(|row| year.rows[*row].by == by);
            cells.sums.push(Sum {
                whole: at + width - 1,
                parts: rows.map(|row| at + row).collect(),
            });
        }
        let parts: Vec<usize> = (0..periods.len())
            .filter(|part| period.is_made_of(periods[*part]))
            .collect();
        let told = (0..width).filter(|row| is_told(year, *row, guard));
        for row in told.filter(|_| !parts.is_empty()) {
            cells.sums.push(Sum {
                whole: at + row,
                parts: parts.iter().map(|part| part * width + row).collect(),
            });
        }
    }
    cells
}

/// What a published report tells of a number that a row counts now. It tells nothing of what has changed since, nor of
/// what an office that it does not have yet handed in later: nobody adds that up with what counts now.
fn known(year: &Year, document: &Document, row: usize, guard: Guard, counted: &Counted) -> Known {
    let row = match year.rows.get(row) {
        None => Some(&document.total),
        Some(line) => {
            let table = document
                .tables
                .iter()
                .find(|table| table.by == line.by.code());
            table.and_then(|table| table.rows.iter().find(|row| row.code == line.code))
        }
    };
    let is_known = match row {
        Some(row) if row.withheld.contains(&guard) => return Known::Hidden,
        Some(row) => guard.is_told_by_row(&document.columns, row, counted),
        None => guard.of(counted) == 0,
    };
    match is_known {
        true => Known::Shown,
        false => Known::Nothing,
    }
}

/// Of a row; of the total behind the last one. The sum of its parts, then what is told, in which whatever is in several
/// parts counts once. What must not follow from what is judged by the sums: as if every reader knew how much the parts
/// have in common, which tells such a reader no less than any reader can find.
fn counted(year: &Year, period: ReportPeriod, row: usize) -> (Counted, Counted) {
    match year.rows.get(row) {
        Some(line) => (line.sum(period), line.told(period)),
        None => (year.sum(period), year.told_total(period)),
    }
}
