use super::*;
use crate::source::row::{Columns, FieldCount};

const MAPPING: &str = r#"
ignore = ["remark"]
[case]
source_case_id = "id"
state = { column = "state", codes = { "1" = "applied" } }
matter_type = "matter"
foreign_relation = { value = "domestic" }
notary_name = "notary"
[[party]]
child = "parties"
role = { value = "testator" }
kind = { value = "natural" }
name = "name"
identifier = "number"
"#;

fn mapping() -> Mapping {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("mapping.toml");
    std::fs::write(&file, MAPPING).expect("written");
    Mapping::load(&file).expect("a mapping")
}

fn cells(line: u32, cells: &[(&str, &str)]) -> Row {
    Row {
        location: format!("cases.csv:{line}"),
        columns: Columns::new(cells.iter().map(|(name, _)| (*name).to_owned()).collect()),
        cells: cells
            .iter()
            .map(|(_, cell)| Some((*cell).to_owned()))
            .collect(),
        children: BTreeMap::new(),
    }
}

fn found(line: u32, state: &str, number: &str) -> Found {
    let mut row = cells(
        line,
        &[
            ("id", "a"),
            ("state", state),
            ("matter", "will"),
            ("remark", "x"),
            ("extra", "x"),
        ],
    );
    let party = cells(
        line,
        &[
            ("id", "a"),
            ("name", "张三"),
            ("number", number),
            ("no", "1"),
        ],
    );
    row.children.insert("parties".to_owned(), vec![party]);
    Found::Row(row)
}

#[test]
fn the_report_tells_what_would_be_taken_what_refused_and_what_is_not_known() {
    let mapping = mapping();
    let mut run = DryRun::new(&mapping);
    run.add(found(2, "1", "11010519491231002X"));
    run.add(found(3, "1", "110105194912310021"));
    for line in 4..14 {
        run.add(found(line, "挂起", "11010519491231002X"));
    }
    run.add(found(14, "11010519491231002X", ""));
    run.add(found(15, "1", &"11010519491231002X；".repeat(4)));
    run.add(Found::Malformed {
        location: "cases.csv:16".to_owned(),
        fields: FieldCount {
            expected: 5,
            found: 4,
        },
    });
    insta::assert_snapshot!(run.to_string());
    let json: serde_json::Value =
        serde_json::from_str(&run.json().expect("writes")).expect("reads");
    assert_eq!(json["cases"], 2);
    assert_eq!(json["columns"]["lacking"], serde_json::json!(["notary"]));
    for report in [
        run.to_string(),
        run.json().expect("writes"),
        format!("{run:?}"),
    ] {
        assert!(
            !report.contains("1949") && !report.contains("张三"),
            "{report}"
        );
    }
    assert!(!run.is_clean());
}

#[test]
fn codes_are_shown_and_numbers_of_people_are_not() {
    for code in ["99", "挂起", "ON_HOLD", "A-12/3"] {
        assert!(looks_like_a_code(code), "{code}");
    }
    for value in [
        "13800138000",
        "11010519491231002X",
        "138 0013 8000",
        "a\nb",
        "二十一个字二十一个字二十一个字二十一个字二",
    ] {
        assert!(!looks_like_a_code(value), "{value}");
    }
}

fn own(file: &str, line: u32, cells: &[(&str, &str)]) -> Found {
    let mut row = self::cells(line, cells);
    row.location = format!("{file}:{line}");
    let party = self::cells(line, &[("name", "张三"), ("number", "11010519491231002X")]);
    row.children.insert("parties".to_owned(), vec![party]);
    Found::Row(row)
}

#[test]
fn a_file_that_lacks_a_column_is_told_apart_from_the_others() {
    let mapping = mapping();
    let mut run = DryRun::new(&mapping);
    let whole = [
        ("id", "a"),
        ("state", "1"),
        ("matter", "will"),
        ("notary", ""),
    ];
    run.add(own("whole.csv", 2, &whole));
    run.add(own(
        "short.csv",
        2,
        &[("id", "b"), ("matter", "will"), ("notary", "")],
    ));
    let text = run.to_string();
    assert!(text.contains("\n  state (short.csv)\n"), "{text}");
    assert!(text.contains("COLUMN_MISSING"), "{text}");
    assert!(text.contains("case b, short.csv:2  state"), "{text}");
}

#[test]
fn the_same_case_twice_in_a_file_with_other_content_is_named_with_both_lines() {
    let mapping = mapping();
    let mut run = DryRun::new(&mapping);
    let row = |matter| {
        [
            ("id", "a"),
            ("state", "1"),
            ("matter", matter),
            ("notary", ""),
        ]
    };
    run.add(own("cases.csv", 2, &row("will")));
    run.add(own("cases.csv", 3, &row("will")));
    assert!(run.takes_all());
    run.add(own("cases.csv", 9, &row("mandate")));
    let text = run.to_string();
    assert!(
        text.contains("case a: cases.csv:9 counts, cases.csv:2 does not"),
        "{text}"
    );
    assert!(!run.takes_all());
}
