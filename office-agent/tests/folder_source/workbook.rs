//! XLSX workbooks: kinds of cells, child sheets, and what is wrong in them.

use office_agent::source::import_file;
use office_agent::source::row::Row;
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};

use crate::export::{Export, rows, text};

fn workbook() -> Workbook {
    let mut book = Workbook::new();
    let date = Format::new().set_num_format("yyyy-mm-dd");
    let moment = Format::new().set_num_format("yyyy/m/d h:mm:ss");
    let cases = book.add_worksheet();
    cases.set_name("案件").expect("a name");
    for (column, title) in ["案件编号", "收费", "受理日期", "修改时间", "涉外", "备注"]
        .into_iter()
        .enumerate()
    {
        cases
            .write_string(0, column as u16, title)
            .expect("written");
    }
    cases.write_number(1, 0, 17.0).expect("written");
    cases.write_number(1, 1, 80.1).expect("written");
    let day = ExcelDateTime::from_ymd(2024, 2, 29).expect("a day");
    cases
        .write_datetime_with_format(1, 2, &day, &date)
        .expect("written");
    let time = ExcelDateTime::from_ymd(2024, 2, 29)
        .and_then(|day| day.and_hms(13, 5, 9))
        .expect("a time");
    cases
        .write_datetime_with_format(1, 3, &time, &moment)
        .expect("written");
    cases.write_boolean(1, 4, true).expect("written");
    cases.write_string(3, 0, "乙-2").expect("written");
    cases
        .write_number(3, 5, 330_106_198_001_010_010.0)
        .expect("written");
    cases
        .write_string(3, 9, "beside the table")
        .expect("written");
    let parties = book.add_worksheet();
    parties.set_name("当事人").expect("a name");
    for (row, cells) in [
        ["案件编号", "姓名"],
        ["乙-2", "王小𠮷"],
        ["17", "张三"],
        ["乙-2", "李四"],
    ]
    .into_iter()
    .enumerate()
    {
        for (column, cell) in cells.into_iter().enumerate() {
            parties
                .write_string(row as u32, column as u16, cell)
                .expect("written");
        }
    }
    book
}

#[tokio::test]
async fn a_workbook_gives_numbers_dates_and_child_rows() {
    let export = Export::xlsx();
    workbook().save(export.path("cases.xlsx")).expect("saved");
    let mut office = export.reader();
    let found = rows(office.read().await);
    assert_eq!(
        found[0].cells,
        text(&[
            "17",
            "80.1",
            "2024-02-29",
            "2024-02-29 13:05:09",
            "true",
            ""
        ])
    );
    assert_eq!(found[0].location, "cases.xlsx:案件:2");
    assert_eq!(
        found[1].cells,
        text(&["乙-2", "", "", "", "", "3.30106198001010E+17"])
    );
    assert_eq!(
        found[1].location, "cases.xlsx:案件:4",
        "an empty row counts but is none"
    );
    let names = |row: &Row| {
        row.children["parties"]
            .iter()
            .map(|party| party.get("姓名").unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&found[0]), ["张三"]);
    assert_eq!(names(&found[1]), ["王小𠮷", "李四"]);
    assert_eq!(
        found[1].children["parties"][0].location,
        "cases.xlsx:当事人:2"
    );
    let notes = office
        .reader
        .page(office.cursor.as_deref())
        .await
        .expect("a page")
        .notes;
    assert!(
        notes
            .iter()
            .any(|note| note.starts_with("cases.xlsx:案件:4：Excel 已舍去")),
        "{notes:?}"
    );
}

#[tokio::test]
async fn a_half_written_workbook_is_told_of_and_read_when_it_is_whole() {
    let export = Export::xlsx();
    let whole = workbook().save_to_buffer().expect("saved");
    export.write("cases.xlsx", &whole[..whole.len() / 2]);
    let mut office = export.reader();
    let page = office.reader.page(None).await.expect("a page");
    tokio::time::sleep(page.wait.expect("not settled")).await;
    office.reader.page(None).await.expect("a page");
    assert_eq!(
        office.bad(),
        [] as [&str; 0],
        "the first look is not the last word"
    );
    assert!(office.read().await.is_empty());
    let bad = office.bad();
    assert!(
        bad[0].starts_with("cases.xlsx: is not an XLSX workbook"),
        "{bad:?}"
    );
    export.write("cases.xlsx", &whole);
    assert_eq!(office.read().await.len(), 2);
    assert_eq!(office.bad(), [] as [&str; 0]);
}

#[tokio::test]
async fn a_missing_sheet_or_column_names_what_there_is() {
    for (rest, expected) in [
        (
            "pattern = '*.xlsx'\nsheet = '办证'\n",
            "cases.xlsx: has no sheet `办证`; it has: 案件, 当事人",
        ),
        (
            "pattern = '*.xlsx'\n[children.parties]\nsheet = '当事人'\nparent_key = '编号'\n",
            "cases.xlsx: the sheet `当事人` has no column `编号`; it has: 案件编号, 姓名",
        ),
    ] {
        let export = Export::new(rest);
        workbook().save(export.path("cases.xlsx")).expect("saved");
        let mut office = export.reader();
        assert!(office.read().await.is_empty());
        assert_eq!(office.bad(), [expected]);
    }
}

#[tokio::test]
async fn one_file_is_imported_from_anywhere() {
    let export = Export::xlsx();
    let elsewhere = tempfile::tempdir().expect("a folder");
    let path = elsewhere.path().join("旧案.xlsx");
    workbook().save(&path).expect("saved");
    let mut file = import_file(&path, &export.source())
        .await
        .expect("a workbook");
    let found = rows(file.next().await.expect("rows").expect("rows"));
    assert_eq!(found[1].location, "旧案.xlsx:案件:4");
    assert!(file.next().await.expect("the end").is_none());
    let missing = import_file(&elsewhere.path().join("none.csv"), &export.source()).await;
    assert!(
        missing
            .expect_err("missing")
            .to_string()
            .starts_with("none.csv: cannot be read")
    );
}

#[tokio::test]
async fn a_workbook_that_unpacks_to_more_than_memory_is_bad_before_it_is_unpacked() {
    /// Of an entry of an archive's directory: its beginning, and where its unpacked size and its name stand.
    const ENTRY: &[u8] = b"PK\x01\x02";
    const SIZE: usize = 24;
    const NAME: usize = 46;
    let export = Export::xlsx();
    let mut bytes = workbook().save_to_buffer().expect("saved");
    let texts = (0..bytes.len())
        .find(|at| {
            bytes[*at..].starts_with(ENTRY)
                && bytes[at + NAME..].starts_with(b"xl/sharedStrings.xml")
        })
        .expect("texts");
    bytes[texts + SIZE..texts + SIZE + 4].copy_from_slice(&(600_u32 << 20).to_le_bytes());
    export.write("cases.xlsx", bytes);
    let mut office = export.reader();
    assert!(office.read().await.is_empty());
    assert_eq!(
        office.bad(),
        ["cases.xlsx: unpacks to 600 MB of texts; export it in several files or as CSV"]
    );
}

#[tokio::test]
async fn child_sheets_that_would_not_fit_into_memory_are_told_of() {
    let export = Export::xlsx();
    let mut book = workbook();
    let parties = book.worksheet_from_name("当事人").expect("there");
    // One text in the file, and as many in memory as there are rows.
    let long = "名".repeat(32_767);
    for row in 4..1200 {
        parties.write_string(row, 0, "17").expect("written");
        parties.write_string(row, 1, &long).expect("written");
    }
    export.write("cases.xlsx", book.save_to_buffer().expect("saved"));
    let mut office = export.reader();
    assert!(office.read().await.is_empty());
    let bad = office.bad();
    assert!(
        bad[0].starts_with("cases.xlsx: unpacks to 96 MB"),
        "{bad:?}"
    );
}
