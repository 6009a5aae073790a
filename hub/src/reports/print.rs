//! An issue as a page to be printed: one file, nothing from elsewhere, no script.

use std::fmt::Write as _;

use super::workbook::{frozen, provenance};
use crate::export::{local, with_unit};
use crate::reports::Issue;
use crate::reports::document::{Cell, Document, Head, Row, Table};
use crate::reports::summary::shown;
use crate::statistics::digits;
use crate::statistics::measure::{Number, Unit};

const STYLE: &str = "\
body { font: 10.5pt/1.6 \"SimSun\", \"Songti SC\", \"Noto Serif CJK SC\", serif; color: #000; margin: 2em; }
h1 { font-size: 18pt; text-align: center; margin: 0; }
h2 { font-size: 12pt; margin: 1.2em 0 0.3em; }
.frozen { text-align: center; }
.text p { text-indent: 2em; margin: 0.3em 0; }
table { border-collapse: collapse; width: 100%; font-size: 9pt; }
th, td { border: 1px solid #000; padding: 2px 5px; font-weight: normal; }
thead th { background: #f2f2f2; }
tbody th { text-align: left; }
td { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
tfoot th, tfoot td { font-weight: bold; }
thead { display: table-header-group; }
tr { break-inside: avoid; }
.notes { font-size: 9pt; margin-top: 1.2em; overflow-wrap: anywhere; }
.notes p { margin: 0; }
@page { size: A4 landscape; margin: 15mm; }
@media print { body { margin: 0; } }
";

pub(crate) fn page(issue: &Issue, document: &Document) -> String {
    let title = escaped(&document.title_zh);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"zh-CN\">\n<meta charset=\"utf-8\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n\
         <h1>{title}</h1>\n<p class=\"frozen\">第{}期　封账：{}　数据截至：{}</p>\n<section class=\"text\">\n",
        issue.number,
        escaped(&frozen(issue)),
        local(document.as_of),
    );
    paragraphs(&mut page, &document.summary_zh);
    page.push_str("</section>\n");
    overview(&mut page, document);
    for table in &document.tables {
        for columns in table.subjects(&document.columns) {
            of_subject(&mut page, document, table, &columns);
        }
    }
    page.push_str("<section class=\"notes\">\n");
    paragraphs(&mut page, &provenance(issue, document));
    page.push_str("</section>\n</html>\n");
    page
}

/// The columns of one subject: all of them are too many for a sheet of paper.
fn of_subject(page: &mut String, document: &Document, table: &Table, columns: &[(usize, &Head)]) {
    let subject = columns
        .first()
        .map_or("", |(_, head)| head.subject_zh.as_str());
    let heading = match subject {
        "" => format!("按{}", table.name_zh),
        subject => format!("按{}：{subject}", table.name_zh),
    };
    let heads = columns.iter();
    let heads = heads.map(|(_, head)| with_unit(&head.name_zh, head.unit));
    open(page, &heading, &table.name_zh, heads);
    for row in &table.rows {
        line(page, row, columns);
    }
    page.push_str("</tbody>\n<tfoot>");
    line(page, &document.total, columns);
    page.push_str("</tfoot></table>\n");
}

fn overview(page: &mut String, document: &Document) {
    let heads = ["本期", "上年同期", "同比", "上期", "环比"].map(str::to_owned);
    open(page, "全市概况", "指标", heads.into_iter());
    let columns = document.columns.iter().zip(&document.total.cells);
    for ((head, total), compared) in columns.zip(&document.compared) {
        let earlier = |value: Option<Number>| {
            let withheld = false;
            shown(Cell { value, withheld }, head.unit)
        };
        let name = with_unit(&head.name_zh, head.unit);
        row(
            page,
            &name,
            [
                shown(*total, head.unit),
                earlier(compared.year_before),
                change(head.unit, compared.year_on_year),
                earlier(compared.period_before),
                change(head.unit, compared.period_on_period),
            ],
        );
    }
    page.push_str("</tbody></table>\n");
}

fn change(unit: Unit, change: Option<f64>) -> String {
    change.map_or_else(
        || digits::NONE.into(),
        |change| digits::changed(change, unit),
    )
}

fn open(page: &mut String, heading: &str, first: &str, heads: impl Iterator<Item = String>) {
    let heads: String = heads
        .map(|head| format!("<th scope=\"col\">{}</th>", escaped(&head)))
        .collect();
    // Writing to a string does not fail.
    let _ = writeln!(
        page,
        "<h2>{}</h2>\n<table><thead><tr><th scope=\"col\">{}</th>{heads}</tr></thead>\n<tbody>",
        escaped(heading),
        escaped(first),
    );
}

fn line(page: &mut String, of: &Row, columns: &[(usize, &Head)]) {
    let cells = columns.iter();
    let cells =
        cells.map(|(at, head)| shown(of.cells.get(*at).copied().unwrap_or_default(), head.unit));
    row(page, &of.name_zh, cells);
}

fn row(page: &mut String, name: &str, cells: impl IntoIterator<Item = String>) {
    let cells: String = cells
        .into_iter()
        .map(|cell| format!("<td>{}</td>", escaped(&cell)))
        .collect();
    let _ = writeln!(
        page,
        "<tr><th scope=\"row\">{}</th>{cells}</tr>",
        escaped(name)
    );
}

fn paragraphs(page: &mut String, texts: &[String]) {
    for text in texts {
        let _ = writeln!(page, "<p>{}</p>", escaped(text));
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_markup() {
        let mut page = String::new();
        row(&mut page, "<b>\"&", ["<i>".to_owned()]);
        assert_eq!(
            page,
            "<tr><th scope=\"row\">&lt;b&gt;&quot;&amp;</th><td>&lt;i&gt;</td></tr>\n"
        );
    }
}
