//! Why a row is no case. Holds places and shapes, never a value.

use std::fmt;

use linkage::shape;

use super::rule::Column;
use super::value::Text;
use crate::source::row::Row;

/// Rules of mapping. The ids are stable: `docs/integrator.md` says what each asks of the office.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// The row has no case key.
    KeyMissing,
    /// A field that this state needs is empty.
    FieldMissing,
    /// A field that this state needs cannot be filled: the source has no such column.
    ColumnMissing,
    /// Longer, or more of it, than the contract allows.
    FieldTooLong,
    /// A code that the mapping does not know.
    CodeUnknown,
    /// No such day.
    DateIllegal,
    /// No amount, or no number of its kind.
    NumberIllegal,
    /// The line is no row.
    RowMalformed,
    /// A document number that is empty, too long or has control characters.
    IdentifierUnreadable,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 9] = [
        Self::KeyMissing,
        Self::FieldMissing,
        Self::ColumnMissing,
        Self::FieldTooLong,
        Self::CodeUnknown,
        Self::DateIllegal,
        Self::NumberIllegal,
        Self::RowMalformed,
        Self::IdentifierUnreadable,
    ];

    /// The stable id.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::KeyMissing => "KEY_MISSING",
            Self::FieldMissing => "FIELD_MISSING",
            Self::ColumnMissing => "COLUMN_MISSING",
            Self::FieldTooLong => "FIELD_TOO_LONG",
            Self::CodeUnknown => "CODE_UNKNOWN",
            Self::DateIllegal => "DATE_ILLEGAL",
            Self::NumberIllegal => "NUMBER_ILLEGAL",
            Self::RowMalformed => "ROW_MALFORMED",
            Self::IdentifierUnreadable => "IDENTIFIER_UNREADABLE",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

/// A row that could not become a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// The case's key, when the row has a usable one.
    pub source_case_id: Option<Text<64>>,
    /// Where the row stands, as [`crate::source::row::Row::location`].
    pub location: String,
    /// The rule that refused it.
    pub rule: Rule,
    /// Path of the canonical field at fault, e.g. `parties[0].name`; empty when it is the whole row.
    pub field: String,
    /// Shape of the value at fault, or the column or the numbers of fields that are; empty when there is none.
    pub value_shape: String,
}

/// What is wrong with one field; [`Reject`] without the row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) rule: Rule,
    pub(super) field: String,
    pub(super) shape: String,
}

impl Fault {
    /// A rule broken by a value, of which the shape is kept.
    pub(super) fn of(rule: Rule, value: &str) -> Self {
        Self {
            rule,
            field: String::new(),
            shape: shape::of(value),
        }
    }

    /// Nothing where something has to be.
    pub(super) fn missing() -> Self {
        Self::of(Rule::FieldMissing, "")
    }

    /// Nothing in this column where something has to be, for which `rule` stands when the source has the column.
    pub(super) fn absent(rule: Rule, column: Option<&Column>, row: &Row) -> Self {
        match column.filter(|column| row.columns.lack(column.name())) {
            Some(column) => Self {
                rule: Rule::ColumnMissing,
                field: String::new(),
                shape: column.name().chars().take(shape::MAX_CHARS).collect(),
            },
            None => Self::of(rule, ""),
        }
    }

    /// The fault at a field, or at a field's inner one.
    pub(super) fn at(mut self, field: &str) -> Self {
        self.field = match self.field.as_str() {
            "" => field.to_owned(),
            inner => format!("{field}.{inner}"),
        };
        self
    }
}
