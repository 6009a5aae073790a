//! RFC 4180 with a byte order mark.

use super::sheet::{Cell, Sheet};
use crate::statistics::digits::rounded;

/// Tells spreadsheets that CSV is UTF-8.
const BOM: &str = "\u{feff}";

pub(crate) fn written(sheet: &Sheet) -> Vec<u8> {
    let mut text = String::from(BOM);
    let headers = sheet.headers.iter().map(|header| quoted(header));
    line(&mut text, headers.collect());
    for row in sheet.rows.iter().chain(&sheet.totals) {
        line(&mut text, row.iter().map(field).collect());
    }
    text.into_bytes()
}

fn line(text: &mut String, fields: Vec<String>) {
    text.push_str(&fields.join(","));
    text.push_str("\r\n");
}

fn field(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => quoted(&harmless(text)),
        Cell::Count(count) => count.map_or_else(String::new, |count| count.to_string()),
        Cell::Fen(fen) => fen.map_or_else(String::new, yuan),
        Cell::Decimal(number) => places(*number, 2),
        // As parts of 1, to the places that they have per cent.
        Cell::Rate(share) | Cell::Points(share) => places(*share, 4),
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

fn places(number: Option<f64>, places: u8) -> String {
    let text = |number| {
        let number = rounded(number, places.into());
        format!("{number:.*}", usize::from(places))
    };
    number.map_or_else(String::new, text)
}

fn yuan(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    let fen = fen.unsigned_abs();
    format!("{sign}{}.{:02}", fen / 100, fen % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_never_becomes_a_formula() {
        let cell = |text: &str| field(&Cell::Text(text.into()));
        for dangerous in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            let shown = cell(dangerous);
            assert!(shown.trim_start_matches('"').starts_with('\''), "{shown}");
        }
        assert_eq!(
            cell("=HYPERLINK(\"x\",\"y\")"),
            "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\""
        );
        assert_eq!(cell("杭州公证处"), "杭州公证处");
        assert_eq!(field(&Cell::Fen(Some(-5))), "-0.05");
    }

    #[test]
    fn a_share_has_the_digits_that_it_has_per_cent() {
        assert_eq!(field(&Cell::Rate(Some(0.969_767))), "0.9698");
        assert_eq!(field(&Cell::Rate(Some(0.996_25))), "0.9963");
        assert_eq!(field(&Cell::Decimal(Some(1.005))), "1.01");
        assert_eq!(field(&Cell::Rate(None)), "");
    }
}
