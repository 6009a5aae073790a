//! Rows of an XLSX workbook, with child rows from other sheets of it.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use calamine::{DataRef, ExcelDateTime, Reader, Xlsx, XlsxCellReader, XlsxError};

use super::bad::{BadFile, Why};
use super::rows::{Out, columns};
use crate::config::FolderSource;
use crate::source::row::{Columns, Found, Row};

type Input = BufReader<File>;

/// Rows of a child sheet by the parent's key.
type Families = HashMap<String, Vec<Row>>;

/// Number of a row, from 0, and its cells.
type Line = (u32, Vec<Option<String>>);

/// Largest part of a workbook that is held in memory; a hundred thousand cases have a third of it. The service as deployed
/// has 256 MB in all.
const LARGEST_PART: u64 = 64 << 20;

/// Memory that the rows of child sheets may take; a hundred and fifty thousand parties do.
const MOST_HELD: usize = 96 << 20;
/// What a row, and each of its cells, takes beside its text.
const ROW: usize = 200;
const CELL: usize = 32;

/// Numbers from here on have more digits than Excel keeps.
const FIRST_INEXACT: f64 = 1e15;

/// Reads the main sheet's rows into `out`, which ends the reading when nobody wants more. Child sheets are held in memory.
pub(super) fn read(
    path: &Path,
    file: &str,
    source: &FolderSource,
    out: &mut Out,
) -> Result<(), BadFile> {
    let input = File::open(path).map_err(|error| BadFile::io(file, &error))?;
    refuse_bomb(&input, file)?;
    let mut book: Xlsx<Input> = Xlsx::new(BufReader::new(input)).map_err(|error| BadFile {
        // It may be a workbook once it is written to its end.
        passing: true,
        ..BadFile::new(file, Why::NoWorkbook(error.to_string()))
    })?;
    let mut children = BTreeMap::new();
    let mut held = 0;
    for (name, child) in &source.children {
        let mut families = Families::new();
        let mut sheet = Sheet::open(&mut book, file, &child.sheet)?;
        let key = sheet.position(&child.parent_key)?;
        while let Some(row) = sheet.next(out)? {
            if let Some(parent) = row.cells[key].clone() {
                held += memory(&row);
                if held > MOST_HELD {
                    let megabytes = (held >> 20) as u64;
                    return Err(BadFile::new(file, Why::TooLarge { megabytes }));
                }
                families.entry(parent).or_default().push(row);
            }
        }
        children.insert(name.clone(), (child.parent_key.as_str(), families));
    }
    let main = match &source.sheet {
        Some(name) => name.clone(),
        None => first_sheet(&book, file)?,
    };
    let mut sheet = Sheet::open(&mut book, file, &main)?;
    let keys: Vec<usize> = children
        .values()
        .map(|(key, _)| sheet.position(key))
        .collect::<Result<_, _>>()?;
    while let Some(mut row) = sheet.next(out)? {
        for ((name, (_, families)), key) in children.iter_mut().zip(&keys) {
            let family = row.cells[*key].as_ref().and_then(|key| families.get(key));
            if let Some(family) = family {
                row.children.insert(name.clone(), family.clone());
            }
        }
        out.give(Found::Row(row));
        if out.is_closed() {
            break;
        }
    }
    Ok(())
}

/// About how much memory a row takes.
fn memory(row: &Row) -> usize {
    let texts = row.cells.iter().flatten().map(String::len).sum::<usize>();
    ROW + texts + CELL * row.cells.len()
}

/// Sheets are read cell by cell; the workbook's other parts, its texts above all, are held in memory as they unpack. What
/// is no archive is told of by who reads it.
fn refuse_bomb(input: &File, file: &str) -> Result<(), BadFile> {
    let Ok(mut archive) = zip::ZipArchive::new(BufReader::new(input)) else {
        return Ok(());
    };
    for index in 0..archive.len() {
        let held = (archive.by_index_raw(index).ok())
            .filter(|part| !(part.name()).is_ok_and(|name| name.starts_with("xl/worksheets/")))
            .filter(|part| part.size() > LARGEST_PART);
        if let Some(part) = held {
            let megabytes = part.size() >> 20;
            return Err(BadFile::new(file, Why::TooLarge { megabytes }));
        }
    }
    Ok(())
}

fn first_sheet(book: &Xlsx<Input>, file: &str) -> Result<String, BadFile> {
    let names = book.sheet_names();
    names
        .into_iter()
        .next()
        .ok_or_else(|| BadFile::new(file, Why::NoSheet))
}

/// A sheet whose first row that is not empty holds the column names.
struct Sheet<'a> {
    file: &'a str,
    name: String,
    columns: Columns,
    cells: XlsxCellReader<'a, Input>,
    /// First cell of the row that comes next.
    ahead: Option<(u32, usize, DataRef<'a>)>,
    inexact: bool,
}

impl<'a> Sheet<'a> {
    fn open(book: &'a mut Xlsx<Input>, file: &'a str, name: &str) -> Result<Self, BadFile> {
        let names = book.sheet_names();
        if !names.iter().any(|known| known == name) {
            return Err(BadFile::new(
                file,
                Why::NoSuchSheet {
                    sheet: name.to_owned(),
                    given: names.join(", "),
                },
            ));
        }
        let cells = book
            .worksheet_cells_reader(name)
            .map_err(|error| broken(file, name, &error))?;
        let mut sheet = Self {
            file,
            name: name.to_owned(),
            columns: Columns::new(Vec::new()),
            cells,
            ahead: None,
            inexact: false,
        };
        sheet.ahead = sheet.cell()?;
        let (_, header) = sheet
            .line()?
            .ok_or_else(|| BadFile::new(file, Why::EmptySheet(name.to_owned())))?;
        let header = header.into_iter().map(Option::unwrap_or_default).collect();
        sheet.columns = columns(&format!("{file}:{name}"), header)?;
        Ok(sheet)
    }

    fn position(&self, column: &str) -> Result<usize, BadFile> {
        self.columns.position(column).ok_or_else(|| {
            let why = Why::NoColumn {
                sheet: self.name.clone(),
                column: column.to_owned(),
                given: self.columns.names().join(", "),
            };
            BadFile::new(self.file, why)
        })
    }

    /// The next row that is not empty.
    fn next(&mut self, out: &mut Out) -> Result<Option<Row>, BadFile> {
        let Some((index, mut cells)) = self.line()? else {
            return Ok(None);
        };
        // What stands beside the table belongs to no column.
        cells.resize(self.columns.names().len(), None);
        let location = format!("{}:{}:{}", self.file, self.name, u64::from(index) + 1);
        if std::mem::take(&mut self.inexact) {
            out.note(format!("{location}：Excel 已舍去超过15位数字的末几位，请将该列存为文本 (Excel has rounded a number of more than 15 digits; keep such numbers as text)"));
        }
        Ok(Some(Row {
            location,
            columns: self.columns.clone(),
            cells,
            children: BTreeMap::new(),
        }))
    }

    /// Number and cells of the next row with a value.
    fn line(&mut self) -> Result<Option<Line>, BadFile> {
        let Some((row, column, value)) = self.ahead.take() else {
            return Ok(None);
        };
        let mut cells = Vec::with_capacity(self.columns.names().len());
        let mut next = Some((row, column, value));
        while let Some((at, column, value)) = next {
            if at != row {
                self.ahead = Some((at, column, value));
                break;
            }
            if cells.len() <= column {
                cells.resize(column + 1, None);
            }
            self.inexact |=
                matches!(value, DataRef::Float(number) if number.abs() >= FIRST_INEXACT);
            cells[column] = text(&value);
            next = self.cell()?;
        }
        Ok(Some((row, cells)))
    }

    /// The next cell with a value.
    fn cell(&mut self) -> Result<Option<(u32, usize, DataRef<'a>)>, BadFile> {
        loop {
            let cell = self
                .cells
                .next_cell()
                .map_err(|error| broken(self.file, &self.name, &error))?;
            let Some(cell) = cell else {
                return Ok(None);
            };
            let (row, column) = cell.get_position();
            let value = cell.get_value().clone();
            if text(&value).is_some() {
                return Ok(Some((row, column as usize, value)));
            }
        }
    }
}

fn broken(file: &str, sheet: &str, error: &XlsxError) -> BadFile {
    let why = Why::BrokenSheet {
        sheet: sheet.to_owned(),
        error: error.to_string(),
    };
    BadFile::new(file, why)
}

fn text(value: &DataRef<'_>) -> Option<String> {
    let text = match value {
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number_text(*number),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            text.clone()
        }
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(value) => value.to_string(),
        DataRef::DateTime(moment) => moment_text(moment),
        DataRef::Error(error) => error.to_string(),
        DataRef::Empty => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// As Excel shows it: 15 digits, so that 0.1 + 0.2 is 0.3. What had more digits is written so that nobody takes zeros
/// for the digits that are lost: one in eleven ID numbers would pass its check.
fn number_text(number: f64) -> String {
    if number.abs() >= FIRST_INEXACT {
        return format!("{number:.14E}").replace('E', "E+");
    }
    let rounded = format!("{number:.14e}").parse::<f64>();
    rounded.unwrap_or(number).to_string()
}

fn moment_text(moment: &ExcelDateTime) -> String {
    if !moment.is_datetime() {
        return number_text(moment.as_f64());
    }
    let (year, month, day, hour, minute, second, milli) = moment.to_ymd_hms_milli();
    let date = format!("{year:04}-{month:02}-{day:02}");
    let time = format!("{hour:02}:{minute:02}:{second:02}");
    match (moment.as_f64() < 1.0, (hour, minute, second, milli)) {
        (true, _) => time,
        (false, (0, 0, 0, 0)) => date,
        (false, (.., 0)) => format!("{date} {time}"),
        (false, _) => format!("{date} {time}.{milli:03}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_excel_shows_them() {
        for (number, expected) in [
            (80.0, "80"),
            (0.1 + 0.2, "0.3"),
            (1234.5, "1234.5"),
            (-0.07, "-0.07"),
            (110_105_194_912_310_021.0, "1.10105194912310E+17"),
        ] {
            assert_eq!(number_text(number), expected);
        }
    }
}
