//! Shape D: an XLSX workbook with the sheets 案件, 当事人 and 标的.
use std::path::Path;

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook, Worksheet};

use super::layout::{Child, Row, case_fields, case_row};
use super::{WriteError, replace_file};
use crate::city::City;

/// Name of the sheet with the cases.
pub(super) const CASE_SHEET: &str = "案件";

/// Writes an office's workbook; the file appears whole or not at all.
pub(super) fn write(
    city: &City,
    office: usize,
    file: &Path,
    done: &(dyn Fn(u64) + Sync),
) -> Result<(), WriteError> {
    let house = &city.offices()[office];
    let mut workbook = Workbook::new();
    // The time of making is part of the file, and the same city is to make the same file.
    let made = ExcelDateTime::from_ymd(city.today().year() as u16, 1, 1)?;
    workbook.set_properties(&DocProperties::new().set_creation_datetime(&made));
    let header = case_fields(house.vendor)
        .map(|(_, column)| column)
        .collect();
    let mut cases = Sheet::new(&mut workbook, CASE_SHEET, header)?;
    for case in city.cases(office) {
        cases.add(&case_row(&case, house))?;
        done(1);
    }
    for child in Child::ALL {
        let columns = child.columns(house.vendor);
        let mut sheet = Sheet::new(&mut workbook, child.table(house.vendor), columns)?;
        for case in city.cases(office) {
            for row in child.rows(&case, house.vendor) {
                sheet.add(&row)?;
            }
        }
    }
    replace_file(file, &workbook.save_to_buffer()?)
}

/// A sheet that is filled row by row without being held in memory.
struct Sheet<'a> {
    sheet: &'a mut Worksheet,
    next: u32,
}

impl<'a> Sheet<'a> {
    fn new(workbook: &'a mut Workbook, name: &str, header: Vec<&str>) -> Result<Self, WriteError> {
        let sheet = workbook.add_worksheet_with_constant_memory()?;
        sheet.set_name(name)?;
        for (column, title) in header.into_iter().enumerate() {
            sheet.write_string(0, column as u16, title)?;
        }
        Ok(Self { sheet, next: 1 })
    }

    fn add(&mut self, row: &Row<'_>) -> Result<(), WriteError> {
        for (column, cell) in row.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
            self.sheet
                .write_string(self.next, column as u16, cell.as_ref())?;
        }
        self.next += 1;
        Ok(())
    }
}
