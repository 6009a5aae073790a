use std::collections::BTreeMap;
use std::path::Path;

use linkage::identifier::resident_id_check_character;
use linkage::token::TokenAlgorithm;
use proptest::prelude::*;
use prost::Message;
use tokio::sync::watch;

use super::*;
use crate::mapping::Mapping;
use crate::outbox::Entry;
use crate::pipeline::Pipeline;
use crate::source::row::{Columns, Found, Row};

const MAPPING: &str = r#"
[case]
source_case_id = "id"
state = { value = "applied" }
matter_type = { value = "mandate" }
foreign_relation = { value = "domestic" }
[[party]]
role = { value = "principal" }
kind = { value = "natural" }
name = "name"
identifier_kind = "kind"
identifier = "number"
phone = "phone"
[[subject]]
kind = { value = "real_estate_certificate" }
number = "house"
"#;

fn key() -> TokenKey {
    TokenKey::new(1, TokenAlgorithm::HmacSha256, [7; 32])
}

fn row(cells: &[(&str, &str)]) -> Row {
    Row {
        location: "sql:cases".to_owned(),
        columns: Columns::new(cells.iter().map(|(name, _)| (*name).to_owned()).collect()),
        cells: cells
            .iter()
            .map(|(_, cell)| Some((*cell).to_owned()))
            .collect(),
        children: BTreeMap::new(),
    }
}

fn mapped(cells: &[(&str, &str)]) -> Result<Case, Reject> {
    let mapping = Mapping::parse(MAPPING, Path::new("m.toml")).expect("a mapping");
    mapping.case(&row(cells))
}

/// Any six characters of a number in a row; its tail has four.
fn telling(number: &str) -> impl Iterator<Item = &[u8]> {
    number.as_bytes().windows(6)
}

fn holds(haystack: &[u8], part: &[u8]) -> bool {
    haystack.windows(part.len()).any(|window| window == part)
}

proptest! {
    #[test]
    fn no_part_of_a_raw_number_is_in_the_record(
        body in "33010619[3-9][0-9](0[1-9]|1[0-2])(0[1-9]|1[0-9])[0-9]{3}",
        wrong in any::<bool>(),
        phone in "1[3-9][0-9]{9}",
        house in "[1-9][0-9]{9}",
        kind in prop_oneof![Just("resident_id"), Just("passport"), Just("credit_code")],
    ) {
        let right = resident_id_check_character(&body);
        let check = if wrong == (right == '7') { right } else { '7' };
        let number = format!("{body}{check}");
        let certificate = format!("浙(2021)杭州市不动产权第{house}号");
        let name = format!("张三{number}，电话{phone}");
        let case = mapped(&[
            ("id", "A-1"),
            ("name", &name),
            ("kind", kind),
            ("number", &number),
            ("phone", &phone),
            ("house", &certificate),
        ]).expect("a case");
        let record = super::case(&case, &key());
        prop_assert_eq!(&record, &super::case(&case, &key()), "minimising is deterministic");
        prop_assert_eq!(record.parties[0].phone_token.len(), 16);
        let mut shown = record.encode_to_vec();
        shown.extend(format!("{case:?}").into_bytes());
        for part in telling(&number).chain(telling(&phone)).chain(telling(&house)) {
            prop_assert!(!holds(&shown, part), "{:?}", String::from_utf8_lossy(part));
        }
    }

    #[test]
    fn a_reject_holds_no_part_of_the_number_either(number in "[0-9]{17}[0-9X]") {
        let pasted = format!("{number}；").repeat(4);
        let reject = mapped(&[
            ("id", "A-1"), ("name", "张三"), ("kind", "resident_id"), ("number", &pasted), ("house", "1"),
        ]).expect_err("unreadable");
        let record = rejected(&reject, OffsetDateTime::UNIX_EPOCH);
        prop_assert_eq!(record.rule_id.as_str(), "IDENTIFIER_UNREADABLE");
        let mut shown = record.encode_to_vec();
        shown.extend(format!("{reject:?}").into_bytes());
        for part in telling(&number).filter(|part| *part != b"999999") {
            prop_assert!(!holds(&shown, part));
        }
    }

    #[test]
    fn names_lose_numbers_and_nothing_else(name in "[\\p{Han}A-Z·（）]{0,8}", number in "[0-9]{7,18}") {
        prop_assert_eq!(without_numbers(&name), name.clone());
        let sent = without_numbers(&format!("{name}{number}"));
        prop_assert!(!sent.contains(char::is_numeric) || name.contains(char::is_numeric));
    }
}

#[test]
fn numbers_in_a_name_do_not_leave() {
    for (name, sent) in [
        ("张三", "张三"),
        ("张三 330106199003078813", "张三 *"),
        ("张三（11010519491231002X）", "张三（*）"),
        ("李四138-0013-8000", "李四*"),
        ("李四１３８００１３８０００妻", "李四*妻"),
        ("杭州360网络公司", "杭州360网络公司"),
        ("第2中学 3 班", "第2中学 3 班"),
    ] {
        assert_eq!(without_numbers(name), sent);
    }
}

#[test]
fn a_file_named_after_a_persons_number_does_not_carry_it_out() {
    assert_eq!(location("张三_11010519491231002X.csv:3"), "张三_*X.csv:3");
    let dated = "gz-20240131-20240131235959123.csv:12";
    assert_eq!(location(dated), dated);
}

#[test]
fn the_largest_case_is_far_smaller_than_a_batch() {
    let number = "11010519491231002X";
    let long = "龘".repeat(200);
    let mut case = mapped(&[
        ("id", "1"),
        ("name", &long),
        ("kind", "resident_id"),
        ("number", number),
        ("house", "1"),
    ])
    .expect("a case");
    case.parties = vec![case.parties[0].clone(); 64];
    let record = wire::CaseRecord {
        next_tokens: Some(next_tokens(&case, &next_key())),
        ..super::case(&case, &key())
    };
    // The least that the contract's batches hold is a megabyte; the hub takes three.
    assert!(record.encoded_len() < 1 << 18, "{}", record.encoded_len());
}

/// A party with a verified number and a phone, one with a mistyped number and one with nothing; a thing.
fn of_each_sort() -> Case {
    let mapped = |number, phone| {
        let cells = [
            ("id", "1"),
            ("name", "张三"),
            ("kind", "resident_id"),
            ("number", number),
            ("phone", phone),
            ("house", "浙(2021)杭州市不动产权第0000001号"),
        ];
        mapped(&cells).expect("a case")
    };
    let mut case = mapped("11010519491231002X", "13800138000");
    case.parties
        .push(mapped("110105194912310021", "").parties[0].clone());
    case.parties.push(case.parties[0].clone());
    case.parties[2].identifier = None;
    case.parties[2].phone = None;
    case
}

fn next_key() -> TokenKey {
    TokenKey::new(2, TokenAlgorithm::HmacSm3, [9; 32])
}

#[test]
fn next_tokens_are_what_the_record_will_have_under_the_next_key_alone() {
    let case = of_each_sort();
    let next = next_tokens(&case, &next_key());
    let alone = super::case(&case, &next_key());
    assert_eq!(next.key_id, 2);
    let parties = alone.parties.iter().map(|party| {
        let identifier = party.identifier.clone().unwrap_or_default();
        wire::PartyTokens {
            identifier: identifier.token,
            segments: identifier.segment_tokens,
            phone: party.phone_token.clone(),
        }
    });
    assert_eq!(next.parties, parties.collect::<Vec<_>>());
    assert_eq!(next.parties[1].segments.len(), 3);
    assert_eq!(next.parties[2], wire::PartyTokens::default());
    assert_eq!(next.subjects, [alone.subjects[0].token.clone()]);
}

#[test]
fn a_key_that_the_hub_does_not_ask_for_makes_no_token() {
    let (asked, next) = watch::channel(None);
    let mapping = Mapping::parse(MAPPING, Path::new("m.toml")).expect("a mapping");
    let pipeline = Pipeline::new(mapping, key()).with_next(next);
    let entry = || {
        let cells = [
            ("id", "1"),
            ("name", "张三"),
            ("kind", "resident_id"),
            ("number", "11010519491231002X"),
            ("house", "浙(2021)杭州市不动产权第0000001号"),
        ];
        match pipeline.entry(Found::Row(row(&cells))) {
            Entry::Case(case) => *case,
            Entry::Rejected(reject) => panic!("{reject:?}"),
        }
    };
    let before = entry();
    assert_eq!(before.next_tokens, None);
    asked.send_replace(Some(next_key()));
    let during = entry();
    assert_eq!(during.next_tokens.as_ref().map(|next| next.key_id), Some(2));
    let without = wire::CaseRecord {
        next_tokens: None,
        ..during
    };
    assert_eq!(without, before, "the record itself is the same");
    asked.send_replace(None);
    assert_eq!(entry(), before);
}
