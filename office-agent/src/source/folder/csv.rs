//! Rows of a CSV file, in bounded memory.

use std::io::{self, Cursor, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use csv::{ByteRecord, Reader, ReaderBuilder};

use super::bad::{BadFile, Why};
use super::encoding::Decoded;
use super::rows::{Out, columns};
use crate::source::row::{FieldCount, Found, Row};

/// Longest record. A quote that is never closed would make one record of all the rest.
const LONGEST_RECORD: usize = 4 * 1024 * 1024;
/// How much of a file's beginning is looked at to tell the delimiter.
const HEAD: u64 = 64 * 1024;
const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

/// Reads a file's rows into `out`, which ends the reading when nobody wants more.
pub(super) fn read(
    path: &Path,
    file: &str,
    encoding: &'static encoding_rs::Encoding,
    out: &mut Out,
) -> Result<(), BadFile> {
    let decoded = Decoded::open(path, encoding).map_err(|error| BadFile::io(file, &error))?;
    let mut rows = Rows::open(file, decoded)?;
    let (_, header) = rows.next()?.ok_or_else(|| BadFile::new(file, Why::Empty))?;
    let columns = columns(
        file,
        cells(&header).map(Option::unwrap_or_default).collect(),
    )?;
    while let Some((line, record)) = rows.next()? {
        let location = format!("{file}:{line}");
        let cells: Vec<Option<String>> = cells(&record).collect();
        if cells.len() == columns.names().len() {
            if cells.iter().all(Option::is_none) {
                continue;
            }
            out.give(Found::Row(Row {
                location,
                columns: columns.clone(),
                cells,
                children: Default::default(),
            }));
        } else {
            let fields = FieldCount {
                expected: columns.names().len(),
                found: cells.len(),
            };
            out.give(Found::Malformed { location, fields });
        }
        if out.is_closed() {
            break;
        }
    }
    Ok(())
}

/// The text is UTF-8: it comes out of a decoder.
fn cells(record: &ByteRecord) -> impl Iterator<Item = Option<String>> + '_ {
    record.iter().map(|cell| {
        let text = String::from_utf8_lossy(cell);
        let text = formula_text(&text);
        (!text.is_empty()).then(|| text.to_owned())
    })
}

/// `="0123"` is how exports keep Excel from taking a text for a number.
fn formula_text(cell: &str) -> &str {
    cell.strip_prefix("=\"")
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(cell)
}

/// Records, none of them longer than [`LONGEST_RECORD`].
struct Rows<'a> {
    file: &'a str,
    reader: Reader<Limited>,
    left: Arc<AtomicUsize>,
}

impl<'a> Rows<'a> {
    fn open(file: &'a str, mut decoded: Decoded) -> Result<Self, BadFile> {
        let mut head = Vec::new();
        let read = decoded.by_ref().take(HEAD).read_to_end(&mut head);
        read.map_err(|error| BadFile::io(file, &error))?;
        let delimiter = delimiter(&head);
        let left = Arc::new(AtomicUsize::new(0));
        let limited = Limited {
            input: Cursor::new(head).chain(decoded),
            left: Arc::clone(&left),
        };
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(limited);
        Ok(Self { file, reader, left })
    }

    /// Line that a record begins on. The reader is behind the record's line end; where it was before, empty lines may
    /// have followed.
    fn line_of(&self, record: &ByteRecord) -> u64 {
        let within = record
            .as_slice()
            .iter()
            .filter(|byte| **byte == b'\n')
            .count() as u64;
        self.reader.position().line().saturating_sub(1 + within)
    }

    /// The next record and the line it begins on.
    fn next(&mut self) -> Result<Option<(u64, ByteRecord)>, BadFile> {
        self.left.store(LONGEST_RECORD, Ordering::Relaxed);
        let line = self.reader.position().line();
        let mut record = ByteRecord::new();
        match self.reader.read_byte_record(&mut record) {
            Ok(true) => Ok(Some((self.line_of(&record), record))),
            Ok(false) => Ok(None),
            Err(error) => Err(match error.into_kind() {
                csv::ErrorKind::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
                    BadFile::new(self.file, Why::OpenQuote).at(line, None)
                }
                csv::ErrorKind::Io(error) => BadFile::io(self.file, &error),
                _ => BadFile::new(self.file, Why::NoCsv).at(line, None),
            }),
        }
    }
}

/// Ends with an error when more is read than is left for a record.
struct Limited {
    input: io::Chain<Cursor<Vec<u8>>, Decoded>,
    left: Arc<AtomicUsize>,
}

impl Read for Limited {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let left = self.left.load(Ordering::Relaxed);
        if left == 0 {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let length = self.input.read(out)?;
        self.left
            .store(left.saturating_sub(length), Ordering::Relaxed);
        Ok(length)
    }
}

/// The delimiter that the first line has most of, outside quotes.
fn delimiter(head: &[u8]) -> u8 {
    let mut counts = [0_u32; DELIMITERS.len()];
    let mut quoted = false;
    for byte in head.iter().skip_while(|byte| matches!(byte, b'\r' | b'\n')) {
        match byte {
            b'"' => quoted = !quoted,
            b'\r' | b'\n' if !quoted => break,
            byte if !quoted => {
                if let Some(index) = DELIMITERS.iter().position(|known| known == byte) {
                    counts[index] += 1;
                }
            }
            _ => {}
        }
    }
    // With none at all the first of them, the comma.
    let best = (0..DELIMITERS.len())
        .rev()
        .max_by_key(|index| counts[*index])
        .unwrap_or(0);
    DELIMITERS[best]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_tells_the_delimiter() {
        for (head, expected) in [
            ("a,b;c,d\n1;2;3;4", b','),
            ("\n\"a,b,c\";b\n", b';'),
            ("a\tb\r\n", b'\t'),
            ("alone", b','),
            ("", b','),
        ] {
            assert_eq!(delimiter(head.as_bytes()), expected, "{head}");
        }
    }

    #[test]
    fn a_text_dressed_as_a_formula_is_the_text() {
        assert_eq!(formula_text("=\"0123\""), "0123");
        assert_eq!(formula_text("=1+1"), "=1+1");
    }
}
