//! Answers in the form that `Accept` asks for: JSON, or a file that is handed over at once.

use std::sync::atomic::AtomicU64;

use axum::http::header::{ACCEPT, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};

use super::Api;
use super::problem::Problem;
use crate::audit::Outcome;
use crate::export::subject::{AT_ONCE, ReadError, Subject};
use crate::export::{FileForm, Page, WriteError, written};
use crate::identity::Person;
use crate::refusal;

/// Forms of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    Csv,
    Xlsx,
    Html,
}

impl Form {
    pub(super) const fn extension(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::Html => "html",
        }
    }

    /// `None` of JSON and of a page to print, which are no tables.
    pub(super) const fn file(self) -> Option<FileForm> {
        match self {
            Self::Csv => Some(FileForm::Csv),
            Self::Xlsx => Some(FileForm::Xlsx),
            Self::Json | Self::Html => None,
        }
    }

    const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Html => "text/html",
        }
    }

    const fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Html => "text/html; charset=utf-8",
            Self::Json | Self::Xlsx => self.media_type(),
        }
    }

    /// Whether a media range of `Accept`, in small letters, has it.
    fn is_in(self, range: &str) -> bool {
        let media_type = self.media_type();
        let kind = range.strip_suffix("/*");
        range == "*/*"
            || range == media_type
            || kind.is_some_and(|kind| media_type.split('/').next() == Some(kind))
    }
}

/// Which of `offered` the header `Accept` likes best (RFC 9110, 12.5.1); the first when it does not care.
pub(super) fn wanted(headers: &HeaderMap, offered: &[Form]) -> Result<Form, Problem> {
    let accept: Vec<&str> = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    let accept = match accept.is_empty() {
        true => vec!["*/*"],
        false => accept,
    };
    let mut best: Option<(f32, Form)> = None;
    for range in accept.iter().flat_map(|value| value.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let range = parts.next().unwrap_or_default().to_ascii_lowercase();
        let Some(form) = offered.iter().find(|form| form.is_in(&range)) else {
            continue;
        };
        let weight = parts
            .find_map(|part| part.strip_prefix("q="))
            .map_or(1.0, |q| q.parse().unwrap_or(0.0));
        if weight > 0.0 && best.is_none_or(|(so_far, _)| weight > so_far) {
            best = Some((weight, *form));
        }
    }
    best.map(|(_, form)| form)
        .ok_or_else(Problem::not_acceptable)
}

impl From<FileForm> for Form {
    fn from(form: FileForm) -> Self {
        match form {
            FileForm::Csv => Self::Csv,
            FileForm::Xlsx => Self::Xlsx,
        }
    }
}

/// A file to save, which is recorded; what takes longer than anybody waits for is refused.
pub(super) async fn at_once(
    api: &Api,
    person: &Person,
    subject: &Subject,
    form: FileForm,
) -> Result<Response, Problem> {
    let mut moment = api.reading(person).await?;
    let done = AtomicU64::default();
    let page = subject
        .read(&mut moment, api.exports.known(), AT_ONCE, &done)
        .await?;
    drop(moment);
    let bytes = written(form, vec![page]).await?;
    let mut detail = subject.detail();
    detail["form"] = form.code().into();
    api.record(person, subject.action(), Outcome::Done, detail)
        .await?;
    Ok(attached(subject.kind().code(), form.into(), bytes))
}

/// A workbook to save.
pub(super) async fn workbook(name: &str, pages: Vec<Page>) -> Result<Response, Problem> {
    let bytes = written(FileForm::Xlsx, pages).await?;
    Ok(attached(name, Form::Xlsx, bytes))
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::TooLarge => Self::export_needed(),
            ReadError::Database(error) => error.into(),
        }
    }
}

impl From<WriteError> for Problem {
    fn from(error: WriteError) -> Self {
        refusal::fault(&error).into()
    }
}

/// Bytes as a file. `name` is of ASCII letters, digits and hyphens.
pub(super) fn attached(name: &str, form: Form, bytes: impl IntoResponse) -> Response {
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(form.content_type()));
    let disposition = format!("attachment; filename=\"{name}.{}\"", form.extension());
    if let Ok(disposition) = HeaderValue::from_str(&disposition) {
        headers.insert(CONTENT_DISPOSITION, disposition);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: [Form; 3] = [Form::Json, Form::Csv, Form::Xlsx];

    fn accept(value: &'static str) -> Result<Form, u16> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static(value));
        wanted(&headers, &TABLE).map_err(|problem| problem.into_response().status().as_u16())
    }

    #[test]
    fn accept_is_read_with_its_weights() {
        assert_eq!(wanted(&HeaderMap::new(), &TABLE).ok(), Some(Form::Json));
        for (value, expected) in [
            ("*/*", Ok(Form::Json)),
            ("text/csv", Ok(Form::Csv)),
            ("text/html, text/csv;q=0.5", Ok(Form::Csv)),
            ("application/json;q=0.1, text/csv;q=0.5", Ok(Form::Csv)),
            (Form::Xlsx.media_type(), Ok(Form::Xlsx)),
            ("TEXT/*", Ok(Form::Csv)),
            ("image/png", Err(406)),
            ("text/csv;q=0", Err(406)),
        ] {
            assert_eq!(accept(value), expected, "{value}");
        }
    }
}
