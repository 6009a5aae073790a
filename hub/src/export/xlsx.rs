//! A workbook that is ready to be printed.

use rust_xlsxwriter::{Color, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError};

use super::sheet::{Cell, Page, Sheet, Title};
use crate::statistics::digits::sheet as digits;

/// Rows above the headers.
const TITLE: u32 = 2;
/// A4, as the format numbers paper.
const A4: u8 = 9;
/// Columns beyond this do not become wider, in characters.
const WIDEST: usize = 40;

/// How cells look.
struct Looks {
    title: Format,
    header: Format,
    text: Format,
    count: Format,
    money: Format,
    percent: Format,
    points: Format,
}

impl Looks {
    fn new() -> Self {
        let framed = Format::new().set_border(FormatBorder::Thin);
        let number = |form| framed.clone().set_num_format(form);
        Self {
            title: Format::new()
                .set_bold()
                .set_font_size(16)
                .set_align(FormatAlign::Center),
            header: framed
                .clone()
                .set_bold()
                .set_text_wrap()
                .set_align(FormatAlign::Center)
                .set_align(FormatAlign::VerticalCenter)
                .set_background_color(Color::RGB(0xF2_F2_F2)),
            count: number(digits::WHOLE),
            money: number(digits::TWO_PLACES),
            percent: number(digits::PERCENT),
            points: number(digits::POINTS),
            text: framed,
        }
    }

    /// The same for the totals.
    fn bold(self) -> Self {
        Self {
            text: self.text.set_bold(),
            count: self.count.set_bold(),
            money: self.money.set_bold(),
            percent: self.percent.set_bold(),
            points: self.points.set_bold(),
            ..self
        }
    }
}

pub(crate) fn written(pages: &[Page]) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    for page in pages {
        write_page(workbook.add_worksheet(), page)?;
    }
    workbook.save_to_buffer()
}

fn write_page(page: &mut Worksheet, wanted: &Page) -> Result<(), XlsxError> {
    let Page {
        title,
        sheet,
        notes,
        ..
    } = wanted;
    page.set_name(&wanted.name)?;
    let looks = Looks::new();
    let last = u16::try_from(sheet.headers.len())
        .unwrap_or(u16::MAX)
        .saturating_sub(1);
    write_title(page, title, last, &looks)?;
    page.set_row_height(TITLE, 32)?;
    for (column, header) in (0..).zip(&sheet.headers) {
        page.write_string_with_format(TITLE, column, header, &looks.header)?;
        page.set_column_width(column, width(sheet, usize::from(column)))?;
    }
    let mut number = TITLE + 1;
    for row in &sheet.rows {
        write_row(page, number, row, &looks)?;
        number += 1;
    }
    let looks = looks.bold();
    if let Some(totals) = &sheet.totals {
        write_row(page, number, totals, &looks)?;
        number += 1;
    }
    for (number, note) in (number + 1..).zip(notes) {
        page.write_string(number, 0, note)?;
    }
    page.set_freeze_panes(TITLE + 1, 1)?;
    page.set_paper_size(A4);
    page.set_landscape();
    page.set_print_fit_to_pages(1, 0);
    page.set_repeat_rows(0, TITLE)?;
    page.set_footer("&C第 &P 页，共 &N 页");
    Ok(())
}

fn write_title(
    page: &mut Worksheet,
    title: &Title,
    last: u16,
    looks: &Looks,
) -> Result<(), XlsxError> {
    page.set_row_height(0, 28)?;
    match last {
        0 => page.write_string_with_format(0, 0, &title.name, &looks.title)?,
        _ => page.merge_range(0, 0, 0, last, &title.name, &looks.title)?,
    };
    page.write_string(1, 0, format!("{}　{}", title.period, title.as_of))?;
    Ok(())
}

fn write_row(
    page: &mut Worksheet,
    number: u32,
    row: &[Cell],
    looks: &Looks,
) -> Result<(), XlsxError> {
    for (column, cell) in (0..).zip(row) {
        let (figure, look) = match cell {
            // Written as a text, which no spreadsheet reads as a formula.
            Cell::Text(text) => {
                page.write_string_with_format(number, column, text, &looks.text)?;
                continue;
            }
            Cell::Count(count) => (count.map(|count| count as f64), &looks.count),
            Cell::Fen(fen) => (fen.map(|fen| fen as f64 / 100.0), &looks.money),
            Cell::Rate(rate) => (*rate, &looks.percent),
            Cell::Points(share) => (share.map(|share| share * 100.0), &looks.points),
            Cell::Decimal(number) => (*number, &looks.money),
        };
        match figure {
            Some(figure) => page.write_number_with_format(number, column, figure, look)?,
            None => page.write_blank(number, column, look)?,
        };
    }
    Ok(())
}

/// Enough for what stands in the column; a Chinese character takes two places.
fn width(sheet: &Sheet, column: usize) -> f64 {
    let places = |text: &str| {
        text.chars()
            .map(|c| if c.is_ascii() { 1 } else { 2 })
            .sum::<usize>()
    };
    let texts = sheet.rows.iter().filter_map(|row| match row.get(column) {
        Some(Cell::Text(text)) => Some(places(text)),
        _ => None,
    });
    let header = sheet.headers.get(column).map_or(0, |header| places(header));
    let widest = texts.chain([header.min(16), 10]).max().unwrap_or(10);
    widest.min(WIDEST) as f64 + 2.0
}
