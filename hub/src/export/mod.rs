//! Tables as files for a spreadsheet: Chinese headers, fees in yuan, a totals row. XLSX has a title and is ready to be
//! printed; CSV is the bare table.

pub(crate) mod csv;
mod sheet;
pub(crate) mod xlsx;

pub(crate) use sheet::{Cell, Page, Sheet, Title, cell, changed, local, with_unit};
