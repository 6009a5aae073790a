//! Tables of the four shapes as columns and rows of text: wide (everything of a case in one row) and linked
//! (parties and subjects in tables of their own).
use std::borrow::Cow;

use super::field::{
    CASE_FIELDS, CaseField, Cell, PARTY_FIELDS, SUBJECT_FIELDS, WIDE_PARTIES, WIDE_SUBJECTS,
};
use crate::case::Case;
use crate::flaw::Flaw;
use crate::office::{Office, Vendor};

/// One row; empty cells are NULL.
pub(super) type Row<'a> = Vec<Cell<'a>>;

/// Fields of the case itself that the vendor keeps, with their columns.
pub(super) fn case_fields(vendor: Vendor) -> impl Iterator<Item = (CaseField, &'static str)> {
    CASE_FIELDS
        .iter()
        .map(move |(field, columns)| (*field, columns[vendor.column()]))
        .filter(|(_, column)| !column.is_empty())
}

/// Column names of a wide shape's one table.
pub(super) fn wide_columns(vendor: Vendor) -> Vec<String> {
    let mut columns: Vec<String> = case_fields(vendor)
        .map(|(_, column)| column.to_owned())
        .collect();
    for number in 1..=WIDE_PARTIES {
        let prefix = vendor.party_prefix(number);
        columns.extend(
            PARTY_FIELDS
                .iter()
                .map(|(_, names)| format!("{prefix}{}", names[vendor.column()])),
        );
    }
    for number in 1..=WIDE_SUBJECTS {
        let prefix = vendor.subject_prefix(number);
        columns.extend(
            SUBJECT_FIELDS
                .iter()
                .map(|(_, names)| format!("{prefix}{}", names[vendor.column()])),
        );
    }
    columns
}

/// A case as one row of a wide shape.
pub(super) fn wide_row<'a>(case: &'a Case, office: &'a Office) -> Row<'a> {
    let vendor = office.vendor;
    let mut row = case_row(case, office);
    for index in 0..WIDE_PARTIES {
        let party = case.parties.get(index);
        row.extend(PARTY_FIELDS.iter().map(|(field, _)| {
            party.map_or(Cow::Borrowed(""), |party| {
                field.value(case, index, party, vendor)
            })
        }));
    }
    for index in 0..WIDE_SUBJECTS {
        let subject = case.subjects.get(index);
        row.extend(SUBJECT_FIELDS.iter().map(|(field, _)| {
            subject.map_or(Cow::Borrowed(""), |subject| field.value(subject, vendor))
        }));
    }
    row
}

/// The case's own columns as one row.
pub(super) fn case_row<'a>(case: &'a Case, office: &'a Office) -> Row<'a> {
    case_fields(office.vendor)
        .map(|(field, _)| field.value(case, office))
        .collect()
}

/// A table of a linked shape that hangs on the case's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Child {
    Party,
    Subject,
}

impl Child {
    pub(super) const ALL: [Child; 2] = [Child::Party, Child::Subject];

    /// Table or sheet.
    pub(super) fn table(self, vendor: Vendor) -> &'static str {
        match (self, vendor) {
            (Child::Party, Vendor::Workbook) => "当事人",
            (Child::Subject, Vendor::Workbook) => "标的",
            (Child::Party, _) => "case_party",
            (Child::Subject, _) => "case_subject",
        }
    }

    /// Name in the agent's mapping.
    pub(super) fn name(self) -> &'static str {
        match self {
            Child::Party => "parties",
            Child::Subject => "subjects",
        }
    }

    /// Column of the case's key, and the one that orders the rows.
    pub(super) fn key_columns(self, vendor: Vendor) -> [&'static str; 2] {
        match (self, vendor) {
            (_, Vendor::Workbook) => ["案件编号", "序号"],
            (Child::Party, _) => ["case_id", "party_no"],
            (Child::Subject, _) => ["case_id", "subject_no"],
        }
    }

    pub(super) fn columns(self, vendor: Vendor) -> Vec<&'static str> {
        let column = vendor.column();
        let fields: Vec<_> = match self {
            Child::Party => PARTY_FIELDS
                .iter()
                .map(|(_, names)| names[column])
                .collect(),
            Child::Subject => SUBJECT_FIELDS
                .iter()
                .map(|(_, names)| names[column])
                .collect(),
        };
        self.key_columns(vendor).into_iter().chain(fields).collect()
    }

    /// The case's rows in this table. A case whose parties have no name has no party rows at all.
    pub(super) fn rows<'a>(self, case: &'a Case, vendor: Vendor) -> Vec<Row<'a>> {
        let keys = |index: usize| {
            [
                Cow::Borrowed(case.source_case_id.as_str()),
                Cow::Owned((index + 1).to_string()),
            ]
        };
        match self {
            Child::Party if case.flaw == Some(Flaw::NameMissing) => Vec::new(),
            Child::Party => (case.parties.iter().enumerate())
                .map(|(index, party)| {
                    let fields = PARTY_FIELDS
                        .iter()
                        .map(|(field, _)| field.value(case, index, party, vendor));
                    keys(index).into_iter().chain(fields).collect()
                })
                .collect(),
            Child::Subject => (case.subjects.iter().enumerate())
                .map(|(index, subject)| {
                    let fields = SUBJECT_FIELDS
                        .iter()
                        .map(|(field, _)| field.value(subject, vendor));
                    keys(index).into_iter().chain(fields).collect()
                })
                .collect(),
        }
    }
}

/// Rows of one case with the position of their table among the vendor's.
pub(super) fn rows<'a>(case: &'a Case, office: &'a Office) -> Vec<(usize, Row<'a>)> {
    if office.vendor == Vendor::Flat {
        return vec![(0, wide_row(case, office))];
    }
    let mut rows = vec![(0, case_row(case, office))];
    for (position, child) in Child::ALL.into_iter().enumerate() {
        rows.extend(
            child
                .rows(case, office.vendor)
                .into_iter()
                .map(|row| (position + 1, row)),
        );
    }
    rows
}
