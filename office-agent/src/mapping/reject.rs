//! Why a row is no case. Holds places and shapes, never a value.

use linkage::{shape, vocabulary::RejectRule};

use super::rule::Column;
use super::value::Text;
use crate::source::row::Row;

/// A row that could not become a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// The case's key, when the row has a usable one.
    pub source_case_id: Option<Text<64>>,
    /// Where the row stands, as [`crate::source::row::Row::location`].
    pub location: String,
    /// The rule that refused it.
    pub rule: RejectRule,
    /// Path of the canonical field at fault, e.g. `parties[0].name`; empty when it is the whole row.
    pub field: String,
    /// Shape of the value at fault, or the column or the numbers of fields that are; empty when there is none.
    pub value_shape: String,
}

/// What is wrong with one field; [`Reject`] without the row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) rule: RejectRule,
    pub(super) field: String,
    pub(super) shape: String,
}

impl Fault {
    /// A rule broken by a value, of which the shape is kept.
    pub(super) fn of(rule: RejectRule, value: &str) -> Self {
        Self {
            rule,
            field: String::new(),
            shape: shape::of(value),
        }
    }

    /// Nothing where something has to be.
    pub(super) fn missing() -> Self {
        Self::of(RejectRule::FieldMissing, "")
    }

    /// Nothing in this column where something has to be, for which `rule` stands when the source has the column.
    pub(super) fn absent(rule: RejectRule, column: Option<&Column>, row: &Row) -> Self {
        match column.filter(|column| row.columns.lack(column.name())) {
            Some(column) => Self {
                rule: RejectRule::ColumnMissing,
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
