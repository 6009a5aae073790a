use std::collections::BTreeMap;

use linkage::vocabulary::{CaseState, PartyRole, RejectRule, Sex};
use proptest::prelude::*;
use time::macros::{date, datetime};

use super::*;
use crate::source::row::Columns;

const MAPPING: &str = r#"
ignore = ["BZ", "party_no"]

[case]
source_case_id = "AJBH"
case_no = "GZSBH"
state = { column = "ZT", codes = { "01" = "applied", "02" = "accepted", "06" = "issued", "99" = "" } }
matter_type = { column = "GZSX", codes = { "3" = "mandate" } }
foreign_relation = { column = "SWLB", codes = { "" = "domestic", "2" = "foreign" } }
place_of_use = "SYD"
notary_name = "GZYXM"
accepted_on = { column = "SLRQ", format = "YYYYMMDD" }
issued_on = { column = "CZRQ", format = "YYYYMMDD" }
fee_charged = { column = "SF", unit = "fen" }
certificates = "JFFS"
legal_aid = { column = "FLYZ", codes = { "1" = true, "0" = "false" } }
major = "ZDAJ"
modified_at = "GXSJ"

[[party]]
when = "SQR_XM"
role = { value = "principal" }
kind = { value = "natural" }
name = "SQR_XM"
identifier = "SQR_ZJH"
phone = "SQR_DH"
address_district = "SQR_QH"

[[party]]
child = "parties"
role = "role"
kind = "kind"
name = "name"
identifier_kind = "id_kind"
identifier = "id_no"
sex = { column = "sex", codes = { "1" = "male", "2" = "female", "9" = "" } }

[[subject]]
when = "BD"
kind = { value = "real_estate_certificate" }
number = "BD"

[[excused]]
when = "KCQSR"
first_on = "KCQSR"
last_on = "KCJZR"
reason = { value = "verification" }
"#;

fn mapping() -> Mapping {
    Mapping::parse(MAPPING, Path::new("m.toml")).expect("a mapping")
}

fn row(cells: &[(&str, &str)]) -> Row {
    Row {
        location: "cases.csv:2".to_owned(),
        columns: Columns::new(cells.iter().map(|(name, _)| (*name).to_owned()).collect()),
        cells: cells
            .iter()
            .map(|(_, cell)| Some((*cell).to_owned()))
            .collect(),
        children: BTreeMap::new(),
    }
}

const GOOD: [(&str, &str); 13] = [
    ("AJBH", " 2024-17 "),
    ("GZSBH", "(2024) 浙杭证民字第0017号"),
    ("ZT", "06"),
    ("GZSX", "3"),
    ("SWLB", ""),
    ("SLRQ", "20240305"),
    ("CZRQ", "2024-03-12"),
    ("SF", "20000"),
    ("FLYZ", "1"),
    ("GXSJ", "2024-03-12 09:30:00"),
    ("SQR_XM", "张三"),
    ("SQR_ZJH", "11010519491231002x"),
    ("SQR_DH", "138 0013 8000"),
];

/// The good row with cells replaced or added.
fn with(changes: &[(&str, &str)]) -> Row {
    let mut cells: BTreeMap<&str, &str> = GOOD.into_iter().collect();
    cells.extend(changes.iter().copied());
    row(&cells.into_iter().collect::<Vec<_>>())
}

fn refused(changes: &[(&str, &str)]) -> (&'static str, String, String) {
    let reject = mapping().case(&with(changes)).expect_err("no case");
    (reject.rule.code(), reject.field, reject.value_shape)
}

fn with_children(children: &[&[(&str, &str)]]) -> Row {
    let mut parent = with(&[("SQR_XM", "")]);
    let rows = children.iter().map(|cells| row(cells)).collect();
    parent.children.insert("parties".to_owned(), rows);
    parent
}

#[test]
fn a_row_becomes_a_case_with_every_field_typed() {
    let case = mapping().case(&with(&[])).expect("a case");
    assert_eq!(case.source_case_id.as_str(), "2024-17");
    assert_eq!(case.state, CaseState::Issued);
    assert_eq!(
        case.case_no.as_ref().map(|no| no.as_str()),
        Some("（2024）浙杭证民字第17号")
    );
    assert_eq!(case.accepted_on, Some(date!(2024 - 03 - 05)));
    assert_eq!(case.issued_on, Some(date!(2024 - 03 - 12)));
    assert_eq!(case.fee_charged.get(), 20_000);
    assert!(case.legal_aid && !case.major);
    assert_eq!(case.modified_at, Some(datetime!(2024-03-12 09:30 +8)));
    assert_eq!(case.revision, None);
    let party = &case.parties[0];
    assert_eq!(
        (party.role, party.name.as_str()),
        (PartyRole::Principal, "张三")
    );
    let identifier = party.identifier.as_ref().expect("a number");
    assert!(identifier.verified().is_some());
    assert_eq!(
        (party.sex, party.birth_on),
        (Some(Sex::Female), Some(date!(1949 - 12 - 31))),
        "what the office does not say, a verified number does"
    );
    assert!(party.phone.is_some());
}

#[test]
fn certificates_are_counted_where_the_office_counts_them() {
    let counted = |cell: &str| {
        let case = mapping().case(&with(&[("JFFS", cell)])).expect("a case");
        case.certificates
    };
    assert_eq!(
        ["3", " 10000 ", "0", ""].map(counted),
        [Some(3), Some(10_000), None, None]
    );
    for wrong in ["10001", "-1", "1.5", "三"] {
        let (rule, field, _) = refused(&[("JFFS", wrong)]);
        assert_eq!((rule, field.as_str()), ("NUMBER_ILLEGAL", "certificates"));
    }
}

#[test]
fn each_fault_ends_in_its_rule_and_field() {
    let long = "很长".repeat(120);
    type Cells<'a> = &'a [(&'a str, &'a str)];
    let cases: [(Cells<'_>, &str, &str, &str); 23] = [
        (&[("AJBH", " ")], "KEY_MISSING", "source_case_id", ""),
        (
            &[("AJBH", "11010519491231002X")],
            "NUMBER_ILLEGAL",
            "source_case_id",
            "99999999999999999A",
        ),
        (
            &[("AJBH", "a\nb")],
            "ROW_MALFORMED",
            "source_case_id",
            "A\u{FFFD}A",
        ),
        (&[("ZT", "")], "FIELD_MISSING", "state", ""),
        (&[("ZT", "99")], "FIELD_MISSING", "state", ""),
        (&[("ZT", "07")], "CODE_UNKNOWN", "state", "99"),
        (
            &[("GZSX", "法律咨询")],
            "CODE_UNKNOWN",
            "matter_type",
            "汉汉汉汉",
        ),
        (&[("SLRQ", "")], "FIELD_MISSING", "accepted_on", ""),
        (
            &[("SLRQ", "20240231")],
            "DATE_ILLEGAL",
            "accepted_on",
            "99999999",
        ),
        (&[("CZRQ", "")], "FIELD_MISSING", "issued_on", ""),
        (
            &[("SF", "壹佰元整")],
            "NUMBER_ILLEGAL",
            "fee_charged",
            "汉汉汉汉",
        ),
        (&[("SF", "-1")], "NUMBER_ILLEGAL", "fee_charged", "-9"),
        (
            &[("AJBH", "2.02401E+14")],
            "NUMBER_ILLEGAL",
            "source_case_id",
            "9.99999A+99",
        ),
        (&[("FLYZ", "2")], "CODE_UNKNOWN", "legal_aid", "9"),
        (&[("SYD", "日本")], "CODE_UNKNOWN", "place_of_use", "汉汉"),
        (
            &[("GZSBH", "民字第17号")],
            "NUMBER_ILLEGAL",
            "case_no",
            "汉汉汉99汉",
        ),
        (&[("SQR_XM", "")], "FIELD_MISSING", "parties", ""),
        (
            &[("SQR_ZJH", "1101\u{0}05")],
            "IDENTIFIER_UNREADABLE",
            "parties[0].identifier",
            "9999\u{FFFD}99",
        ),
        (
            &[("SQR_QH", "西湖区")],
            "CODE_UNKNOWN",
            "parties[0].address_district",
            "汉汉汉",
        ),
        (
            &[("KCQSR", "2024-02-30")],
            "DATE_ILLEGAL",
            "excused[0].first_on",
            "9999-99-99",
        ),
        (
            &[("KCQSR", "2024-03-05"), ("KCJZR", "2024-03-04")],
            "DATE_ILLEGAL",
            "excused[0].last_on",
            "",
        ),
        (&[("GXSJ", "昨天")], "DATE_ILLEGAL", "modified_at", "汉汉"),
        (
            &[("GZYXM", &long)],
            "FIELD_TOO_LONG",
            "notary_name",
            &"汉".repeat(64),
        ),
    ];
    for (changes, rule, field, shape) in cases {
        let expected = (rule, field.to_owned(), shape.to_owned());
        assert_eq!(refused(changes), expected, "{changes:?}");
    }
}

#[test]
fn a_column_that_the_file_lacks_is_told_apart_from_an_empty_cell() {
    let without = |lacking: &str| {
        let cells: Vec<_> = GOOD
            .into_iter()
            .filter(|(name, _)| *name != lacking)
            .collect();
        row(&cells)
    };
    for (lacking, field) in [
        ("AJBH", "source_case_id"),
        ("ZT", "state"),
        ("SLRQ", "accepted_on"),
    ] {
        let reject = mapping().case(&without(lacking)).expect_err("no case");
        let said = (
            reject.rule.code(),
            reject.field.as_str(),
            reject.value_shape.as_str(),
        );
        assert_eq!(said, ("COLUMN_MISSING", field, lacking));
    }
    let mut pushed = without("ZT");
    pushed.columns = Columns::of_filled(pushed.columns.names().to_vec());
    let reject = mapping().case(&pushed).expect_err("no case");
    assert_eq!(
        reject.rule.code(),
        "FIELD_MISSING",
        "a pushed row may leave it out"
    );
}

#[test]
fn a_field_is_known_by_the_offices_own_column() {
    let mapping = mapping();
    let parent = with(&[("SQR_XM", "张三")]);
    assert_eq!(mapping.column_of(&parent, "accepted_on"), Some("SLRQ"));
    assert_eq!(mapping.column_of(&parent, "closed_on"), None, "not mapped");
    assert_eq!(
        mapping.column_of(&parent, "parties[0].identifier"),
        Some("SQR_ZJH")
    );
    let child = with_children(&[&[("name", "李四")]]);
    assert_eq!(
        mapping.column_of(&child, "parties[0].identifier"),
        Some("id_no")
    );
    assert_eq!(mapping.column_of(&child, "parties[1].identifier"), None);
    assert_eq!(mapping.column_of(&child, "parties"), None);
}

#[test]
fn a_reject_says_which_case_and_where_and_nothing_more() {
    let long = format!("{}；", "11010519491231002X").repeat(4);
    let reject = mapping()
        .case(&with(&[("SQR_ZJH", &long)]))
        .expect_err("no case");
    assert_eq!(
        reject.source_case_id.as_ref().map(Text::as_str),
        Some("2024-17")
    );
    assert_eq!(reject.location, "cases.csv:2");
    assert_eq!(reject.rule, RejectRule::IdentifierUnreadable);
    assert!(!format!("{reject:?}").contains("1949"));
}

#[test]
fn what_an_office_writes_where_it_has_no_number_is_a_blank_cell() {
    for none in ["-", "/", "——", "无", "不详"] {
        let case = mapping()
            .case(&with(&[("GZSBH", none), ("SQR_ZJH", none), ("BD", none)]))
            .expect("a case");
        assert_eq!(case.case_no, None, "{none}");
        assert_eq!(case.parties[0].identifier, None, "{none}");
        assert_eq!(case.subjects, [], "{none}");
    }
    for filler in ["0", "111111111111111", "3.30106E+17"] {
        let case = mapping()
            .case(&with(&[("SQR_ZJH", filler)]))
            .expect("a case");
        assert_eq!(case.parties[0].identifier, None, "{filler}");
    }
}

#[test]
fn a_failing_check_digit_refuses_nothing() {
    let case = mapping()
        .case(&with(&[("SQR_ZJH", "110105194912310021")]))
        .expect("a case");
    let party = &case.parties[0];
    assert!(
        party
            .identifier
            .as_ref()
            .is_some_and(|number| number.verified().is_none())
    );
    assert_eq!(
        (party.sex, party.birth_on),
        (None, None),
        "it vouches for nothing"
    );
}

#[test]
fn an_excused_interval_counts_once_it_has_an_end() {
    let case = mapping()
        .case(&with(&[("KCQSR", "2024-03-05")]))
        .expect("a case");
    assert!(case.excused.is_empty());
    let ended = with(&[("KCQSR", "2024-03-05"), ("KCJZR", "2024-03-06")]);
    assert_eq!(mapping().case(&ended).expect("a case").excused.len(), 1);
}

#[test]
fn child_rows_are_parties_in_their_order() {
    let principal = [
        ("role", "principal"),
        ("kind", "natural"),
        ("name", "李四"),
        ("sex", "9"),
    ];
    let agent = [("role", "agent"), ("kind", "legal"), ("name", "某某公司")];
    let case = mapping()
        .case(&with_children(&[&principal, &agent]))
        .expect("a case");
    let names: Vec<_> = case
        .parties
        .iter()
        .map(|party| party.name.as_str())
        .collect();
    assert_eq!(names, ["李四", "某某公司"]);

    let nameless = [("role", "agent"), ("kind", "legal"), ("name", "")];
    let reject = mapping()
        .case(&with_children(&[&principal, &nameless]))
        .expect_err("no name");
    assert_eq!(
        (reject.rule.code(), reject.field.as_str()),
        ("FIELD_MISSING", "parties[1].name")
    );

    let many: Vec<&[(&str, &str)]> = vec![&agent; 65];
    let reject = mapping().case(&with_children(&many)).expect_err("too many");
    assert_eq!(
        (reject.rule.code(), reject.field.as_str()),
        ("FIELD_TOO_LONG", "parties")
    );
    assert!(mapping().case(&with_children(&many[..64])).is_ok());
}

#[test]
fn what_is_wrong_in_the_file_is_named_with_line_and_nearest_name() {
    let error = |from: &str, to: &str| {
        assert!(MAPPING.contains(from), "{from}");
        let text = MAPPING.replacen(from, to, 1);
        Mapping::parse(&text, Path::new("m.toml"))
            .expect_err("wrong")
            .to_string()
    };
    assert_eq!(
        error("accepted_on =", "acepted_on ="),
        "m.toml:12: `acepted_on` is not known; did you mean `accepted_on`?"
    );
    assert_eq!(
        error("\"issued\"", "\"isued\""),
        "m.toml:7: `isued` is not known; did you mean `issued`?"
    );
    assert_eq!(
        error("unit = \"fen\"", "unti = \"fen\""),
        "m.toml:14: `unti` is not known; did you mean `unit`?"
    );
    assert_eq!(
        error("unit = \"fen\"", "unit = \"fan\""),
        "m.toml:14: `fan` is not known; did you mean `fen`?"
    );
    assert_eq!(
        error("[[subject]]", "[[subjet]]"),
        "m.toml:38: `subjet` is not known; did you mean `subject`?"
    );
    assert!(error("\"YYYYMMDD\"", "\"yyyymmdd\"").starts_with("m.toml:12: expected a format"));
    assert!(error("source_case_id = \"AJBH\"\n", "").contains("missing field `source_case_id`"));
    assert!(
        error(
            "{ value = \"principal\" }",
            "{ value = \"principal\", column = \"x\" }"
        )
        .contains("expected `column`")
    );
    assert!(
        error("source_case_id = \"AJBH\"", "source_case_id = 7")
            .starts_with("m.toml:5: invalid type")
    );
}

#[test]
fn every_column_that_is_read_is_known() {
    let mapping = mapping();
    let columns = mapping.columns();
    let parties = columns.get(&Some("parties")).expect("a child");
    assert!(parties.contains("id_no") && !parties.contains("SQR_XM"));
    let own = columns.get(&None).expect("the row itself");
    assert!(own.contains("AJBH") && own.contains("KCJZR") && !own.contains("BZ"));
    assert_eq!(mapping.ignored().collect::<Vec<_>>(), ["BZ", "party_no"]);
}

#[test]
fn all_unknown_codes_of_a_row_are_told() {
    let mapping = mapping();
    let row = with(&[("ZT", "07"), ("GZSX", "77"), ("FLYZ", "1")]);
    assert_eq!(mapping.unknown_codes(&row), [("ZT", "07"), ("GZSX", "77")]);
}

/// A row of any texts in the mapping's columns.
fn any_row() -> impl Strategy<Value = Row> {
    let cell = prop_oneof![
        any::<String>(),
        "[0-9A-Za-z年月日:/.,元（）第号证浙杭字 -]{0,30}",
        Just(String::new()),
    ];
    proptest::collection::vec(cell, GOOD.len() + 4).prop_map(|cells| {
        let names = GOOD
            .iter()
            .map(|(name, _)| *name)
            .chain(["BD", "KCQSR", "KCJZR", "SQR_QH"]);
        let named: Vec<_> = names.zip(cells.iter().map(String::as_str)).collect();
        row(&named)
    })
}

proptest! {
    #[test]
    fn any_row_is_a_case_or_a_reject_within_the_contract(row in any_row()) {
        if let Err(reject) = mapping().case(&row) {
            prop_assert!(reject.value_shape.chars().count() <= 64);
            prop_assert!(reject.field.chars().count() <= 64);
        }
    }

    #[test]
    fn the_order_of_columns_does_not_matter(order in Just((0..GOOD.len()).collect::<Vec<_>>()).prop_shuffle()) {
        let shuffled: Vec<_> = order.into_iter().map(|at| GOOD[at]).collect();
        prop_assert_eq!(mapping().case(&row(&shuffled)), mapping().case(&row(&GOOD)));
    }

    #[test]
    fn any_text_is_a_mapping_or_an_error(text in prop_oneof![any::<String>(), "[\\[\\]{}=\",a-z_ \n]{0,80}"]) {
        let _ = Mapping::parse(&text, Path::new("m.toml"));
    }
}
