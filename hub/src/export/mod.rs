//! What people take away as files. Tables for a spreadsheet have Chinese headers, fees in yuan, a totals row: XLSX with a
//! title and ready to be printed, CSV the bare table.
//!
//! | module | holds |
//! |---|---|
//! | [`subject`] | what there are files of, and what is recorded of taking them away |
//! | `finding`, `entry`, `duplicate` | the rows of findings of supervision, of the audit log, of duplicate applications |
//! | `sheet`, [`csv`], [`xlsx`] | a table, and the two forms it is written in |
//! | [`desk`], `run` | files that take longer than anybody waits for, and the job that makes one |

pub(crate) mod csv;
pub mod desk;
mod duplicate;
mod entry;
mod finding;
mod run;
mod sheet;
pub mod subject;
pub(crate) mod xlsx;

use rust_xlsxwriter::XlsxError;
use serde::{Deserialize, Serialize};
use tokio::task::{JoinError, spawn_blocking};
use utoipa::ToSchema;

use crate::codes::codes;
pub use desk::Exports;
pub(crate) use sheet::{Cell, Page, Sheet, Title, cell, changed, local, with_unit};

/// Forms of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ExportForm)]
pub enum FileForm {
    Csv,
    Xlsx,
}

codes!(FileForm { Csv = "csv", Xlsx = "xlsx" });

/// Why a table was not put into its form.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("write a workbook: {0}")]
    Workbook(#[from] XlsxError),
    #[error("write a file: {0}")]
    Ended(#[from] JoinError),
}

/// The bytes of a file; CSV has the first page alone. A workbook of some thousand rows takes a while, which no other request
/// should wait for.
pub(crate) async fn written(form: FileForm, pages: Vec<Page>) -> Result<Vec<u8>, WriteError> {
    let bytes = spawn_blocking(move || match form {
        FileForm::Csv => Ok(pages
            .first()
            .map_or_else(Vec::new, |page| csv::written(&page.sheet))),
        FileForm::Xlsx => xlsx::written(&pages),
    });
    Ok(bytes.await??)
}
