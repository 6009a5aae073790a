//! The agent's mapping file for a vendor's shape.
use std::fmt::Write;

use super::field::{
    CASE_FIELDS, CaseField, PARTY_FIELDS, PartyField, SUBJECT_FIELDS, SubjectField, WIDE_PARTIES,
    WIDE_SUBJECTS,
};
use super::layout::{Child, case_fields};
use super::terms::{Lexicon, Terms};
use crate::office::Vendor;

/// Mapping file of a vendor, as TOML.
pub(super) fn mapping(vendor: Vendor) -> String {
    let mut text = String::new();
    let remark = column(vendor, CaseField::Remark);
    let mut ignored: Vec<&str> = Some(remark)
        .filter(|column| !column.is_empty())
        .into_iter()
        .collect();
    if vendor.is_linked() {
        ignored.extend(Child::ALL.iter().map(|child| child.key_columns(vendor)[1]));
        ignored.dedup();
    }
    let ignored: Vec<String> = ignored.into_iter().map(quoted).collect();
    line(&mut text, &format!("ignore = [{}]", ignored.join(", ")));
    line(&mut text, "\n[case]");
    for (field, column) in case_fields(vendor) {
        if let Some(canonical) = field.canonical() {
            line(
                &mut text,
                &format!("{canonical} = {}", case_rule(field, column, vendor)),
            );
        }
    }
    if vendor.is_linked() {
        line(&mut text, "\n[[party]]\nchild = \"parties\"");
        party_rules(&mut text, vendor, "");
        line(&mut text, "\n[[subject]]\nchild = \"subjects\"");
        subject_rules(&mut text, vendor, "");
    } else {
        for number in 1..=WIDE_PARTIES {
            let prefix = vendor.party_prefix(number);
            let name = party_column(vendor, PartyField::Name, &prefix);
            line(&mut text, &format!("\n[[party]]\nwhen = {}", quoted(&name)));
            party_rules(&mut text, vendor, &prefix);
        }
        for number in 1..=WIDE_SUBJECTS {
            let prefix = vendor.subject_prefix(number);
            let number = subject_column(vendor, SubjectField::Number, &prefix);
            line(
                &mut text,
                &format!("\n[[subject]]\nwhen = {}", quoted(&number)),
            );
            subject_rules(&mut text, vendor, &prefix);
        }
    }
    excused_rules(&mut text, vendor);
    text
}

fn case_rule(field: CaseField, column: &str, vendor: Vendor) -> String {
    let terms = Terms::of(vendor);
    match field {
        CaseField::State => coded(column, &terms.state),
        CaseField::MatterType => coded(column, &terms.matter),
        CaseField::ForeignRelation => coded(column, &terms.relation),
        CaseField::PlaceOfUse => place(column, &terms.place),
        CaseField::ReasonCode => coded(column, &terms.reason),
        CaseField::FeeReductionReason => coded(column, &terms.reduction),
        CaseField::AppliedOn
        | CaseField::AcceptedOn
        | CaseField::IssuedOn
        | CaseField::ClosedOn
        | CaseField::ApprovedOn => dated(column, vendor),
        CaseField::FeeCharged | CaseField::FeeReduced | CaseField::Amount => {
            format!(
                "{{ column = {}, unit = {} }}",
                quoted(column),
                quoted(vendor.money_unit())
            )
        }
        CaseField::LegalAid | CaseField::HomeVisit | CaseField::Major | CaseField::Discussed => {
            coded(column, &terms.flag)
        }
        _ => quoted(column),
    }
}

fn party_rules(text: &mut String, vendor: Vendor, prefix: &str) {
    let terms = Terms::of(vendor);
    for (field, _) in PARTY_FIELDS {
        let column = party_column(vendor, field, prefix);
        let rule = match field {
            PartyField::Role => coded(&column, &terms.role),
            PartyField::Kind => coded(&column, &terms.party_kind),
            PartyField::IdentifierKind => coded(&column, &terms.document),
            PartyField::Sex => coded(&column, &terms.sex),
            PartyField::BirthOn => dated(&column, vendor),
            PartyField::Name
            | PartyField::Identifier
            | PartyField::Phone
            | PartyField::AddressDistrict => quoted(&column),
        };
        line(text, &format!("{} = {rule}", field.canonical()));
    }
}

fn subject_rules(text: &mut String, vendor: Vendor, prefix: &str) {
    for (field, _) in SUBJECT_FIELDS {
        let column = subject_column(vendor, field, prefix);
        let rule = match field {
            SubjectField::Kind => coded(&column, &Terms::of(vendor).subject),
            SubjectField::Number | SubjectField::DistrictCode => quoted(&column),
        };
        line(text, &format!("{} = {rule}", field.canonical()));
    }
}

fn excused_rules(text: &mut String, vendor: Vendor) {
    let [first, last, reason] = [
        CaseField::ExcusedFirst,
        CaseField::ExcusedLast,
        CaseField::ExcusedReason,
    ]
    .map(|field| column(vendor, field));
    line(text, &format!("\n[[excused]]\nwhen = {}", quoted(first)));
    line(text, &format!("first_on = {}", dated(first, vendor)));
    line(text, &format!("last_on = {}", dated(last, vendor)));
    line(
        text,
        &format!("reason = {}", coded(reason, &Terms::of(vendor).excuse)),
    );
}

fn column(vendor: Vendor, field: CaseField) -> &'static str {
    let known = CASE_FIELDS.iter().find(|(known, _)| *known == field);
    known.expect("the table has every field").1[vendor.column()]
}

fn party_column(vendor: Vendor, field: PartyField, prefix: &str) -> String {
    let known = PARTY_FIELDS.iter().find(|(known, _)| *known == field);
    format!(
        "{prefix}{}",
        known.expect("the table has every field").1[vendor.column()]
    )
}

fn subject_column(vendor: Vendor, field: SubjectField, prefix: &str) -> String {
    let known = SUBJECT_FIELDS.iter().find(|(known, _)| *known == field);
    format!(
        "{prefix}{}",
        known.expect("the table has every field").1[vendor.column()]
    )
}

/// Codes that are the canonical ones already need no map.
fn place(column: &str, lexicon: &Lexicon<&'static str>) -> String {
    if lexicon.entries().all(|(word, code)| word == code) {
        quoted(column)
    } else {
        coded(column, lexicon)
    }
}

fn coded<T: Copy + PartialEq>(column: &str, lexicon: &Lexicon<T>) -> String {
    let codes: Vec<String> = lexicon
        .entries()
        .map(|(word, code)| format!("{} = {}", quoted(word), quoted(code)))
        .collect();
    format!(
        "{{ column = {}, codes = {{ {} }} }}",
        quoted(column),
        codes.join(", ")
    )
}

fn dated(column: &str, vendor: Vendor) -> String {
    format!(
        "{{ column = {}, format = {} }}",
        quoted(column),
        quoted(vendor.date_format())
    )
}

/// A TOML basic string; our names hold nothing that needs an escape.
pub(super) fn quoted(text: &str) -> String {
    debug_assert!(!text.contains(['"', '\\']) && !text.contains(char::is_control));
    format!("\"{text}\"")
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("writing to a string cannot fail");
}
