//! A table as a file for a spreadsheet: Chinese headers, fees in yuan, a totals row.

use axum::http::header::{ACCEPT, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use rust_xlsxwriter::{Format, Workbook, XlsxError};

use super::problem::Problem;
use super::statistics::month;
use crate::refusal::Reason;
use crate::statistics::contribution::Measures;
use crate::statistics::query::{Dimension, Query, Row, Table, within_limit_rate};
use crate::store::office::Office;

const CSV: &str = "text/csv";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
/// Tells spreadsheets that CSV is UTF-8.
const BOM: &str = "\u{feff}";

/// Forms of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    Csv,
    Xlsx,
}

impl Form {
    pub(super) const fn extension(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
        }
    }

    const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Xlsx => XLSX,
        }
    }
}

/// The form that `Accept` likes best (RFC 9110, 12.5.1); JSON when it does not care.
pub(super) fn form(headers: &HeaderMap) -> Result<Form, Problem> {
    let accept: Vec<&str> = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    if accept.is_empty() {
        return Ok(Form::Json);
    }
    let mut best: Option<(f32, Form)> = None;
    for range in accept.iter().flat_map(|value| value.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let form = match parts
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase()
            .as_str()
        {
            "*/*" | "application/*" | "application/json" => Form::Json,
            CSV | "text/*" => Form::Csv,
            XLSX => Form::Xlsx,
            _ => continue,
        };
        let weight = parts
            .find_map(|part| part.strip_prefix("q="))
            .map_or(1.0, |q| q.parse().unwrap_or(0.0));
        if weight > 0.0 && best.is_none_or(|(so_far, _)| weight > so_far) {
            best = Some((weight, form));
        }
    }
    best.map(|(_, form)| form)
        .ok_or_else(Problem::not_acceptable)
}

/// One cell.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Text(String),
    Count(i64),
    Fen(i64),
    /// `None` shows as empty.
    Rate(Option<f64>),
}

/// A table with its headers.
#[derive(Clone, Debug)]
pub(super) struct Sheet {
    headers: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

/// Lays a table out.
pub(super) fn sheet(query: &Query, table: &Table, offices: &[Office]) -> Sheet {
    let mut headers: Vec<&str> = query.group_by.iter().map(|d| header(*d)).collect();
    headers.extend(MEASURES);
    let mut rows: Vec<Vec<Cell>> = table
        .rows
        .iter()
        .map(|row| {
            let names = query.group_by.iter().map(|d| name(*d, row, offices));
            names.map(Cell::Text).chain(cells(&row.measures)).collect()
        })
        .collect();
    let names = (0..query.group_by.len()).map(|column| match column {
        0 => Cell::Text("合计".into()),
        _ => Cell::Text(String::new()),
    });
    rows.push(names.chain(cells(&table.totals)).collect());
    Sheet { headers, rows }
}

const MEASURES: [&str; 13] = [
    "申请",
    "受理",
    "不予受理",
    "出证",
    "不予办理",
    "终止",
    "更正",
    "撤销",
    "法定期限内出证",
    "期限内出证率",
    "收费（元）",
    "减免（元）",
    "法律援助",
];

fn cells(m: &Measures) -> [Cell; 13] {
    [
        Cell::Count(m.applied),
        Cell::Count(m.accepted),
        Cell::Count(m.refused),
        Cell::Count(m.issued),
        Cell::Count(m.rejected),
        Cell::Count(m.terminated),
        Cell::Count(m.corrected),
        Cell::Count(m.revoked),
        Cell::Count(m.within_limit),
        Cell::Rate(within_limit_rate(m)),
        Cell::Fen(m.fee_charged_fen),
        Cell::Fen(m.fee_reduced_fen),
        Cell::Count(m.legal_aid),
    ]
}

const fn header(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::Office => "公证处",
        Dimension::MatterType => "公证事项",
        Dimension::Month => "月份",
        Dimension::ForeignRelation => "涉外类别",
    }
}

fn name(dimension: Dimension, row: &Row, offices: &[Office]) -> String {
    match dimension {
        Dimension::Office => row.office_id.map(|id| {
            let office = offices.iter().find(|office| office.office_id == id);
            office.map_or_else(|| id.to_string(), |office| office.name.clone())
        }),
        Dimension::MatterType => row.matter_type.map(|matter| matter.name_zh().into()),
        Dimension::Month => row.month.map(month),
        Dimension::ForeignRelation => row.foreign_relation.map(|r| r.label_zh().into()),
    }
    .unwrap_or_default()
}

/// The file to save.
pub(super) fn file(form: Form, sheet: &Sheet) -> Result<Response, Problem> {
    let bytes = match form {
        Form::Xlsx => xlsx(sheet).map_err(|error| failed(&error))?,
        Form::Csv | Form::Json => csv_text(sheet).into_bytes(),
    };
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(form.content_type()));
    let disposition = match form {
        Form::Xlsx => "attachment; filename=\"statistics.xlsx\"",
        Form::Csv | Form::Json => "attachment; filename=\"statistics.csv\"",
    };
    headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static(disposition));
    Ok(response)
}

fn failed(error: &XlsxError) -> Problem {
    tracing::error!(%error, "a workbook could not be written");
    Reason::Internal
        .because("internal error; the hub's log has the details")
        .into()
}

/// RFC 4180 with a byte order mark.
fn csv_text(sheet: &Sheet) -> String {
    let mut text = String::from(BOM);
    let headers: Vec<String> = sheet.headers.iter().map(|h| quoted(h)).collect();
    text.push_str(&headers.join(","));
    text.push_str("\r\n");
    for row in &sheet.rows {
        let cells: Vec<String> = row.iter().map(csv_cell).collect();
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    text
}

fn csv_cell(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => quoted(&harmless(text)),
        Cell::Count(count) => count.to_string(),
        Cell::Fen(fen) => yuan(*fen),
        Cell::Rate(rate) => rate.map_or_else(String::new, |rate| format!("{rate:.4}")),
    }
}

/// A spreadsheet takes a text that begins like a formula for one; an apostrophe makes it a text.
fn harmless(text: &str) -> String {
    match text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        true => format!("'{text}"),
        false => text.to_owned(),
    }
}

fn quoted(text: &str) -> String {
    match text.contains(['"', ',', '\r', '\n']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

fn yuan(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    let fen = fen.unsigned_abs();
    format!("{sign}{}.{:02}", fen / 100, fen % 100)
}

fn xlsx(sheet: &Sheet) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let bold = Format::new().set_bold();
    let money = Format::new().set_num_format("#,##0.00");
    let percent = Format::new().set_num_format("0.00%");
    let page = workbook.add_worksheet();
    page.set_name("统计")?;
    for (column, header) in (0..).zip(&sheet.headers) {
        page.write_string_with_format(0, column, *header, &bold)?;
    }
    for (number, row) in (1..).zip(&sheet.rows) {
        for (column, cell) in (0..).zip(row) {
            match cell {
                // Written as a text, which no spreadsheet reads as a formula.
                Cell::Text(text) => page.write_string(number, column, text)?,
                Cell::Count(count) => page.write_number(number, column, *count as f64)?,
                Cell::Fen(fen) => {
                    page.write_number_with_format(number, column, *fen as f64 / 100.0, &money)?
                }
                Cell::Rate(Some(rate)) => {
                    page.write_number_with_format(number, column, *rate, &percent)?
                }
                Cell::Rate(None) => page,
            };
        }
    }
    page.set_freeze_panes(1, 0)?;
    workbook.save_to_buffer()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(value: &'static str) -> Result<Form, u16> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static(value));
        form(&headers).map_err(|problem| problem.into_response().status().as_u16())
    }

    #[test]
    fn accept_is_read_with_its_weights() {
        assert_eq!(form(&HeaderMap::new()).ok(), Some(Form::Json));
        for (value, expected) in [
            ("*/*", Ok(Form::Json)),
            ("text/csv", Ok(Form::Csv)),
            ("text/html, text/csv;q=0.5", Ok(Form::Csv)),
            ("application/json;q=0.1, text/csv;q=0.5", Ok(Form::Csv)),
            (XLSX, Ok(Form::Xlsx)),
            ("image/png", Err(406)),
            ("text/csv;q=0", Err(406)),
        ] {
            assert_eq!(accept(value), expected, "{value}");
        }
    }

    #[test]
    fn a_text_never_becomes_a_formula() {
        let cell = |text: &str| csv_cell(&Cell::Text(text.into()));
        for dangerous in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            let shown = cell(dangerous);
            assert!(shown.trim_start_matches('"').starts_with('\''), "{shown}");
        }
        assert_eq!(
            cell("=HYPERLINK(\"x\",\"y\")"),
            "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\""
        );
        assert_eq!(cell("杭州公证处"), "杭州公证处");
        assert_eq!(csv_cell(&Cell::Fen(-5)), "-0.05");
    }
}
