//! RFC 4180 with a byte order mark.

use super::sheet::{Cell, Sheet};

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
        Cell::Decimal(number) => number.map_or_else(String::new, |number| format!("{number:.2}")),
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
}
