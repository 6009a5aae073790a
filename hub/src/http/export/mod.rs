//! A table as a file for a spreadsheet: Chinese headers, fees in yuan, a totals row. XLSX has a title and is ready to
//! be printed; CSV is the bare table.

mod csv;
mod sheet;
mod xlsx;

use axum::http::header::{ACCEPT, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use tokio::task::spawn_blocking;

use super::problem::Problem;
use crate::refusal;
use crate::statistics::layout::Layout;
pub(super) use sheet::Title;

const CSV: &str = "text/csv";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

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

/// The file to save. A workbook of some thousand rows takes a while, which no other request should wait for.
pub(super) async fn file(form: Form, title: Title, layout: Layout) -> Result<Response, Problem> {
    let written = spawn_blocking(move || {
        let sheet = sheet::Sheet::of(layout);
        match form {
            Form::Xlsx => xlsx::written(&title, &sheet),
            Form::Csv | Form::Json => Ok(csv::written(&sheet)),
        }
    });
    let bytes = written
        .await
        .map_err(|error| Problem::from(refusal::fault(&error)))?
        .map_err(|error| Problem::from(refusal::fault(&error)))?;
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
}
