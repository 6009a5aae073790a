//! CSV files: encodings, delimiters, quotes, and what is wrong in them.

use office_agent::source::row::{Found, Row};

use crate::export::{Export, gb18030, rows, table, text};

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
            Found::Malformed { location, .. } => format!("malformed {location}"),
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
