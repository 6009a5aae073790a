//! Reading folders of exports: what is finished is read, what differs is read again, what is bad is named.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use encoding_rs::GB18030;
use office_agent::config::{FolderSource, Source};
use office_agent::source::folder::FolderReader;
use office_agent::source::row::{Found, Row};
use office_agent::source::{import_file, read_all};
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};

struct Export {
    folder: tempfile::TempDir,
    rest: &'static str,
}

impl Export {
    fn csv() -> Self {
        Self::new("pattern = '*.csv'\n")
    }

    fn xlsx() -> Self {
        Self::new(
            "pattern = '*.xlsx'\nsheet = '案件'\n[children.parties]\nsheet = '当事人'\nparent_key = '案件编号'\n",
        )
    }

    fn new(rest: &'static str) -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            rest,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).expect("written");
    }

    fn source(&self) -> FolderSource {
        let path = self.folder.path().display();
        let text = format!(
            "name = 'export'\nmapping = 'm.toml'\npath = '{path}'\nrescan = '10ms'\n{}",
            self.rest
        );
        toml::from_str(&text).expect("a source")
    }

    fn reader(&self) -> Office {
        Office {
            reader: FolderReader::new(self.source()).expect("a pattern"),
            cursor: None,
        }
    }
}

/// A reader with what the outbox keeps for it.
struct Office {
    reader: FolderReader,
    cursor: Option<String>,
}

impl Office {
    /// Looks, waits until files have settled, reads until nothing waits.
    async fn read(&mut self) -> Vec<Found> {
        let mut all = Vec::new();
        loop {
            let page = self
                .reader
                .page(self.cursor.as_deref())
                .await
                .expect("a page");
            all.extend(page.found);
            self.cursor = page.cursor.or(self.cursor.take());
            match (page.more, page.wait) {
                (true, _) => {}
                (false, Some(wait)) => tokio::time::sleep(wait).await,
                (false, None) => return all,
            }
        }
    }

    fn bad(&self) -> Vec<String> {
        self.reader
            .bad_files()
            .iter()
            .map(ToString::to_string)
            .collect()
    }
}

fn rows(found: Vec<Found>) -> Vec<Row> {
    let row = |found| match found {
        Found::Row(row) => row,
        Found::Malformed { location } => panic!("{location} is no row"),
    };
    found.into_iter().map(row).collect()
}

fn table(found: Vec<Found>) -> Vec<Vec<Option<String>>> {
    rows(found).into_iter().map(|row| row.cells).collect()
}

fn text(cells: &[&str]) -> Vec<Option<String>> {
    cells
        .iter()
        .map(|cell| (!cell.is_empty()).then(|| (*cell).to_owned()))
        .collect()
}

fn gb18030(text: &str) -> Vec<u8> {
    GB18030.encode(text).0.into_owned()
}

/// Gives a file another time of change, as a copy has.
fn touch(path: &Path, ahead: u64) {
    let file = fs::File::options().write(true).open(path).expect("open");
    file.set_modified(SystemTime::now() + Duration::from_secs(ahead))
        .expect("set");
}

#[tokio::test]
async fn csv_is_read_in_either_encoding_with_any_delimiter_and_quotes() {
    let export = Export::csv();
    let content =
        "案件编号;当事人;备注\r\n\"1\";\"王\"\"小\"\"𠮷；\n㑇\";\r\n2;;=\"0012\"\r\n\r\n;;\r\n";
    export.write("gb.csv", gb18030(content));
    export.write("utf8.csv", content.replace(';', "\t"));
    export.write("bom.csv", format!("\u{feff}{}", content.replace(';', ",")));
    let mut office = export.reader();
    let found = rows(office.read().await);
    assert_eq!(office.bad(), [] as [&str; 0]);
    assert_eq!(found.len(), 6);
    for (name, first) in [
        ("gb.csv", "王\"小\"𠮷；\n㑇"),
        ("utf8.csv", "王\"小\"𠮷；\n㑇"),
        ("bom.csv", "王\"小\"𠮷；\n㑇"),
    ] {
        let mine: Vec<&Row> = found
            .iter()
            .filter(|row| row.location.starts_with(name))
            .collect();
        assert_eq!(
            mine[0].columns.names(),
            ["案件编号", "当事人", "备注"],
            "{name}"
        );
        assert_eq!(mine[0].cells, text(&["1", first, ""]), "{name}");
        assert_eq!(mine[1].cells, text(&["2", "", "0012"]), "{name}");
        assert_eq!(
            mine[1].location,
            format!("{name}:4"),
            "the quoted line end counts"
        );
    }
}

#[tokio::test]
async fn a_line_with_another_number_of_fields_is_named_and_the_rest_is_read() {
    let export = Export::csv();
    export.write("a.csv", "a,b,c\n1,2,3\n1,2\n4,5,6\n1,2,3,4\n");
    let found = export.reader().read().await;
    let places: Vec<String> = found
        .into_iter()
        .map(|found| match found {
            Found::Row(row) => row.location,
            Found::Malformed { location } => format!("malformed {location}"),
        })
        .collect();
    assert_eq!(
        places,
        [
            "a.csv:2",
            "malformed a.csv:3",
            "a.csv:4",
            "malformed a.csv:5"
        ]
    );
}

#[tokio::test]
async fn bad_files_are_named_with_the_reason_and_hold_no_other() {
    let export = Export::csv();
    export.write("empty.csv", "");
    export.write("numbers.csv", "1,2\n3,4\n");
    export.write("twice.csv", "a,b,a\n1,2,3\n");
    export.write("cut.csv", &"姓名\n张三".as_bytes()[..12]);
    export.write("broken.csv", b"a,b\n1,\xff\xff\n");
    export.write("good.csv", "a,b\n1,2\n");
    let mut office = export.reader();
    assert_eq!(table(office.read().await), [text(&["1", "2"])]);
    assert_eq!(
        office.bad(),
        [
            "broken.csv, line 2, character 3: is neither UTF-8 (here is the first wrong byte) nor GB18030",
            "cut.csv, line 2, character 2: ends within a character",
            "empty.csv: is empty: there is no line with column names",
            "numbers.csv, line 1: the first line holds no column names",
            "twice.csv, line 1: the column `a` is there twice",
        ]
    );
    export.write("empty.csv", "a\nmended\n");
    assert_eq!(table(office.read().await), [text(&["mended"])]);
    assert_eq!(office.bad().len(), 4);
}

#[tokio::test]
async fn a_quote_that_is_never_closed_ends_in_an_error_not_in_memory() {
    let export = Export::csv();
    let filler = "x,y\n".repeat(2_000_000);
    export.write("open.csv", format!("a,b\n1,2\n3,\"4\n{filler}"));
    let mut office = export.reader();
    assert_eq!(table(office.read().await), [text(&["1", "2"])]);
    assert_eq!(
        office.bad(),
        ["open.csv, line 3: a quote that begins here is not closed"]
    );
}

#[tokio::test]
async fn only_a_changed_file_is_read_again() {
    let export = Export::csv();
    export.write("a.csv", "k,v\n1,a\n");
    export.write("b.csv", "k,v\n2,b\n");
    let mut office = export.reader();
    assert_eq!(office.read().await.len(), 2);
    assert!(office.read().await.is_empty());
    export.write("a.csv", "k,v\n1,a\n3,c\n");
    touch(&export.path("a.csv"), 5);
    let again = rows(office.read().await);
    assert_eq!(
        again
            .iter()
            .map(|row| row.location.as_str())
            .collect::<Vec<_>>(),
        ["a.csv:2", "a.csv:3"]
    );
}

#[tokio::test]
async fn a_copy_with_another_time_and_a_restart_read_nothing_again() {
    let export = Export::csv();
    export.write("a.csv", "k,v\n1,a\n");
    let mut office = export.reader();
    assert_eq!(office.read().await.len(), 1);
    touch(&export.path("a.csv"), 5);
    office.reader = FolderReader::new(export.source()).expect("a pattern");
    assert!(office.read().await.is_empty());
    assert!(
        office
            .cursor
            .as_deref()
            .is_some_and(|cursor| cursor.contains("a.csv"))
    );
}

#[tokio::test]
async fn reading_goes_on_in_the_middle_of_a_file_after_a_restart() {
    let export = Export::csv();
    let lines: String = (0..2500).map(|number| format!("{number},v\n")).collect();
    export.write("a.csv", format!("k,v\n{lines}"));
    let mut office = export.reader();
    let mut seen = Vec::new();
    while seen.len() < 2500 {
        let page = office
            .reader
            .page(office.cursor.as_deref())
            .await
            .expect("a page");
        assert!(page.found.len() <= 1000);
        if !page.found.is_empty() {
            seen.extend(page.found);
            office.cursor = page.cursor;
            office.reader = FolderReader::new(export.source()).expect("a pattern");
        } else if let Some(wait) = page.wait {
            tokio::time::sleep(wait).await;
        }
    }
    let keys: Vec<String> = table(seen)
        .into_iter()
        .filter_map(|row| row[0].clone())
        .collect();
    assert_eq!(
        keys,
        (0..2500)
            .map(|number| number.to_string())
            .collect::<Vec<_>>()
    );
    assert!(office.read().await.is_empty());
}

#[tokio::test]
async fn a_file_is_not_read_while_it_grows() {
    let export = Export::csv();
    export.write("a.csv", "k,v\n1,");
    let mut office = export.reader();
    let page = office.reader.page(None).await.expect("a page");
    assert!(page.found.is_empty() && page.wait.is_some());
    export.write("a.csv", "k,v\n1,a\n2,b");
    touch(&export.path("a.csv"), 5);
    let page = office.reader.page(None).await.expect("a page");
    assert!(
        page.found.is_empty() && page.wait.is_some(),
        "it looked different a moment ago"
    );
    assert_eq!(office.read().await.len(), 2);
}

#[tokio::test]
async fn files_stay_as_they_are() {
    let export = Export::csv();
    export.write("a.csv", "k,v\n1,a\n");
    let before = fs::metadata(export.path("a.csv"))
        .and_then(|meta| meta.modified())
        .expect("a time");
    export.reader().read().await;
    let after = fs::metadata(export.path("a.csv"))
        .and_then(|meta| meta.modified())
        .expect("a time");
    assert_eq!(before, after);
    assert_eq!(
        fs::read_dir(export.folder.path())
            .expect("a folder")
            .count(),
        1
    );
}

#[tokio::test]
async fn a_folder_that_is_missing_is_an_error_and_comes_back() {
    let export = Export::csv();
    let mut source = export.source();
    source.path = export.path("later");
    let mut reader = FolderReader::new(source).expect("a pattern");
    let error = reader.page(None).await.expect_err("missing").to_string();
    assert!(error.contains("later cannot be read"), "{error}");
    fs::create_dir(export.path("later")).expect("made");
    export.write("later/a.csv", "k\n1\n");
    let mut office = Office {
        reader,
        cursor: None,
    };
    assert_eq!(office.read().await.len(), 1);
}

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
        text(&["乙-2", "", "", "", "", "330106198001010000"])
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
            .any(|note| note.starts_with("cases.xlsx:案件:4: Excel has rounded")),
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
async fn a_pattern_of_another_kind_is_refused() {
    let export = Export::new("pattern = '*.txt'\n");
    let error = FolderReader::new(export.source())
        .expect_err("no kind")
        .to_string();
    assert!(error.contains("`*.txt`"), "{error}");
}

#[tokio::test]
async fn reading_once_takes_files_as_they_are_and_stops_at_the_limit() {
    let export = Export::csv();
    let lines: String = (0..2500).map(|number| format!("{number},v\n")).collect();
    export.write("a.csv", format!("k,v\n{lines}"));
    export.write("bad.csv", "");
    let source = Source::Folder(export.source());
    for (limit, expected) in [(None, 2500), (Some(1500), 1500)] {
        let mut all = read_all(&source, limit).expect("a source");
        let mut count = 0;
        while let Some(found) = all.next().await.expect("rows") {
            count += found.len();
        }
        assert_eq!(count, expected);
        let bad: Vec<&str> = all
            .bad_files()
            .iter()
            .map(|bad| bad.file.as_str())
            .collect();
        if limit.is_none() {
            assert_eq!(bad, ["bad.csv"]);
        }
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
