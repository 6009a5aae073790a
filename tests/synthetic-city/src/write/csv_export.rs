//! Shape C: a folder of GB18030 CSV exports, one file per month or quarter of application.
use std::collections::BTreeSet;
use std::path::Path;

use encoding_rs::GB18030;
use time::Date;

use super::WriteError;
use super::layout::{wide_columns, wide_row};
use super::replace_file;
use crate::case::Case;
use crate::city::City;
use crate::flaw::Flaw;
use crate::office::Office;

/// Offices with fewer cases export by quarter.
const MONTHLY_FROM: u32 = 3_000;
/// Fields that are left of a malformed line.
const LEFT_OF_MALFORMED: usize = 7;

/// Writes an office's folder anew.
pub(super) fn write(
    city: &City,
    office: usize,
    folder: &Path,
    done: &(dyn Fn(u64) + Sync),
) -> Result<(), WriteError> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    std::fs::create_dir_all(folder)?;
    write_files(city, office, folder, |_| true, done)
}

/// Writes those files again whose cases this step changed. Each file appears whole or not at all.
pub(super) fn apply(city: &City, office: usize, folder: &Path) -> Result<u64, WriteError> {
    let house = &city.offices()[office];
    let mut count = 0;
    let mut touched = BTreeSet::new();
    for case in city.changes(office) {
        touched.insert(file_name(house, case.applied_on));
        count += 1;
    }
    write_files(city, office, folder, |name| touched.contains(name), &|_| {})?;
    Ok(count)
}

fn write_files(
    city: &City,
    office: usize,
    folder: &Path,
    wanted: impl Fn(&str) -> bool,
    done: &(dyn Fn(u64) + Sync),
) -> Result<(), WriteError> {
    let house = &city.offices()[office];
    let mut export: Option<Export> = None;
    for case in city.cases(office) {
        let name = file_name(house, case.applied_on);
        // Cases come in order of application, so each file is finished before the next begins.
        if export.as_ref().is_none_or(|export| export.name != name) {
            if let Some(finished) = export.take() {
                finished.save(folder)?;
            }
            export = Some(Export::new(name, house)?);
        }
        if let Some(export) = export.as_mut().filter(|export| wanted(&export.name)) {
            export.add(&case, house)?;
        }
        done(1);
    }
    if let Some(finished) = export {
        finished.save(folder)?;
    }
    Ok(())
}

fn file_name(office: &Office, applied_on: Date) -> String {
    let (year, month) = (applied_on.year(), u8::from(applied_on.month()));
    if office.cases >= MONTHLY_FROM {
        format!("gz-{year}-{month:02}.csv")
    } else {
        format!("gz-{year}-Q{}.csv", (month - 1) / 3 + 1)
    }
}

/// One file in the making.
struct Export {
    name: String,
    writer: csv::Writer<Vec<u8>>,
    rows: u32,
}

impl Export {
    fn new(name: String, office: &Office) -> Result<Self, WriteError> {
        let mut writer = csv::WriterBuilder::new()
            .flexible(true)
            .terminator(csv::Terminator::CRLF)
            .from_writer(Vec::new());
        writer.write_record(wide_columns(office.vendor))?;
        Ok(Self {
            name,
            writer,
            rows: 0,
        })
    }

    fn add(&mut self, case: &Case, office: &Office) -> Result<(), WriteError> {
        let mut row = wide_row(case, office);
        if case.flaw == Some(Flaw::RowMalformed) {
            row.truncate(LEFT_OF_MALFORMED);
        }
        self.writer
            .write_record(row.iter().map(|cell| cell.as_bytes()))?;
        self.rows += 1;
        Ok(())
    }

    fn save(self, folder: &Path) -> Result<(), WriteError> {
        if self.rows == 0 {
            return Ok(());
        }
        let utf8 = self
            .writer
            .into_inner()
            .map_err(|error| error.into_error())?;
        let text = String::from_utf8(utf8).expect("cells are text");
        let (gb18030, _, _) = GB18030.encode(&text);
        replace_file(&folder.join(&self.name), &gb18030)
    }
}
