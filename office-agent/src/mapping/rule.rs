//! One column's rule: where a value stands and how it is read. Rules are valid once the mapping file is read.

use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;

use linkage::vocabulary::RejectRule;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use time::{Date, OffsetDateTime};

use super::code::{Canonical, Code};
use super::date::{self, DateFormat};
use super::reject::Fault;
use super::value::{Fen, Unit, trim};
use crate::source::row::Row;

/// A column's name in the office's system; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column(String);

impl Column {
    pub(super) fn name(&self) -> &str {
        &self.0
    }

    /// The trimmed cell; blank is absent.
    pub(super) fn cell<'r>(&self, row: &'r Row) -> Option<&'r str> {
        row.get(&self.0).map(trim).filter(|cell| !cell.is_empty())
    }
}

impl<'de> Deserialize<'de> for Column {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        match name.is_empty() {
            false => Ok(Self(name)),
            true => Err(D::Error::custom("expected a column's name")),
        }
    }
}

/// What every rule can tell about itself.
pub(super) trait ColumnRule {
    /// The column it reads; `None` when the value is the same for all rows.
    fn column(&self) -> Option<&Column>;

    /// The cell, when it is a code that the rule does not know.
    fn unknown_code<'r>(&self, _row: &'r Row) -> Option<&'r str> {
        None
    }
}

/// A rule that gives a value of its own type.
pub(super) trait Reads: ColumnRule {
    type Value;

    fn read(&self, row: &Row) -> Result<Option<Self::Value>, Fault>;
}

/// Reads a field that has to be there.
pub(super) fn required<R: Reads>(rule: &R, row: &Row, field: &str) -> Result<R::Value, Fault> {
    rule.read(row)
        .and_then(|value| {
            value.ok_or_else(|| Fault::absent(RejectRule::FieldMissing, rule.column(), row))
        })
        .map_err(|fault| fault.at(field))
}

/// Reads a field that may be absent, in the row or in the mapping.
pub(super) fn optional<R: Reads>(
    rule: Option<&R>,
    row: &Row,
    field: &str,
) -> Result<Option<R::Value>, Fault> {
    match rule {
        Some(rule) => rule.read(row).map_err(|fault| fault.at(field)),
        None => Ok(None),
    }
}

/// Reads a text by a parser of its own.
pub(super) fn parsed<T>(
    rule: Option<&TextRule>,
    row: &Row,
    field: &str,
    parse: impl Fn(&str) -> Result<Option<T>, RejectRule>,
) -> Result<Option<T>, Fault> {
    match rule.and_then(|rule| rule.0.column.cell(row)) {
        Some(raw) => parse(raw).map_err(|rule| Fault::of(rule, raw).at(field)),
        None => Ok(None),
    }
}

/// A rule as the file writes it: a column's name alone, or a table.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ColumnOr<T>(pub(super) T);

impl<'de, T: Deserialize<'de> + From<Column>> Deserialize<'de> for ColumnOr<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RuleVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de> + From<Column>> Visitor<'de> for RuleVisitor<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a column's name, or a table with `column`")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<T, E> {
                match name.is_empty() {
                    false => Ok(Column(name.to_owned()).into()),
                    true => Err(E::custom("expected a column's name")),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }

        deserializer
            .deserialize_any(RuleVisitor(PhantomData))
            .map(Self)
    }
}

/// A text as it stands.
#[derive(Clone, Debug, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TextTable {
    column: Column,
}

pub(super) type TextRule = ColumnOr<TextTable>;

impl From<Column> for TextTable {
    fn from(column: Column) -> Self {
        Self { column }
    }
}

impl ColumnRule for TextRule {
    fn column(&self) -> Option<&Column> {
        Some(&self.0.column)
    }
}

/// A code: by the column's own words, by the canonical codes, or the same for all rows.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum CodeTable<T> {
    Mapped {
        column: Column,
        codes: HashMap<String, Code<T>>,
    },
    Plain(Column),
    Same(Option<T>),
}

pub(super) type CodeRule<T> = ColumnOr<CodeTable<T>>;

impl<T> From<Column> for CodeTable<T> {
    fn from(column: Column) -> Self {
        Self::Plain(column)
    }
}

impl<'de, T: Canonical> Deserialize<'de> for CodeTable<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields, bound = "T: Canonical")]
        struct Table<T> {
            column: Option<Column>,
            codes: Option<HashMap<String, Code<T>>>,
            value: Option<Code<T>>,
        }

        let table = Table::deserialize(deserializer)?;
        match (table.column, table.codes, table.value) {
            (Some(column), Some(codes), None) => {
                let trimmed = |(word, code): (String, Code<T>)| (trim(&word).to_owned(), code);
                Ok(Self::Mapped {
                    column,
                    codes: codes.into_iter().map(trimmed).collect(),
                })
            }
            (Some(column), None, None) => Ok(Self::Plain(column)),
            (None, None, Some(value)) => Ok(Self::Same(value.0)),
            _ => Err(D::Error::custom(
                "expected `column`, with `codes` if they are not the canonical ones, or `value` alone",
            )),
        }
    }
}

impl<T: Canonical> CodeTable<T> {
    /// `Err` holds a code that is not known.
    fn look_up<'r>(&self, row: &'r Row) -> Result<Option<T>, &'r str> {
        match self {
            Self::Mapped { column, codes } => {
                let cell = column.cell(row).unwrap_or_default();
                match codes.get(cell) {
                    Some(code) => Ok(code.0.clone()),
                    None if cell.is_empty() => Ok(None),
                    None => Err(cell),
                }
            }
            Self::Plain(column) => column
                .cell(row)
                .map(|cell| T::from_cell(cell).ok_or(cell))
                .transpose(),
            Self::Same(value) => Ok(value.clone()),
        }
    }
}

impl<T: Canonical> ColumnRule for CodeRule<T> {
    fn column(&self) -> Option<&Column> {
        match &self.0 {
            CodeTable::Mapped { column, .. } | CodeTable::Plain(column) => Some(column),
            CodeTable::Same(_) => None,
        }
    }

    fn unknown_code<'r>(&self, row: &'r Row) -> Option<&'r str> {
        self.0.look_up(row).err()
    }
}

impl<T: Canonical> Reads for CodeRule<T> {
    type Value = T;

    fn read(&self, row: &Row) -> Result<Option<T>, Fault> {
        self.0
            .look_up(row)
            .map_err(|code| Fault::of(RejectRule::CodeUnknown, code))
    }
}

/// A day.
#[derive(Clone, Debug, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DateTable {
    column: Column,
    #[serde(default, deserialize_with = "format")]
    format: Option<DateFormat>,
}

pub(super) type DateRule = ColumnOr<DateTable>;

fn format<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateFormat>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(D::Error::custom)
}

impl From<Column> for DateTable {
    fn from(column: Column) -> Self {
        Self {
            column,
            format: None,
        }
    }
}

impl ColumnRule for DateRule {
    fn column(&self) -> Option<&Column> {
        Some(&self.0.column)
    }
}

impl Reads for DateRule {
    type Value = Date;

    fn read(&self, row: &Row) -> Result<Option<Date>, Fault> {
        let Some(raw) = self.0.column.cell(row) else {
            return Ok(None);
        };
        date::day(raw, self.0.format.as_ref()).map_err(|_| Fault::of(RejectRule::DateIllegal, raw))
    }
}

impl DateRule {
    /// Reads the day of a birth.
    pub(super) fn birth(&self, row: &Row) -> Result<Option<Date>, Fault> {
        let Some(raw) = self.0.column.cell(row) else {
            return Ok(None);
        };
        date::birth_day(raw, self.0.format.as_ref())
            .map_err(|_| Fault::of(RejectRule::DateIllegal, raw))
    }

    /// Reads a moment instead of a day.
    pub(super) fn moment(&self, row: &Row) -> Result<Option<OffsetDateTime>, Fault> {
        let Some(raw) = self.0.column.cell(row) else {
            return Ok(None);
        };
        date::moment(raw, self.0.format.as_ref())
            .map_err(|_| Fault::of(RejectRule::DateIllegal, raw))
    }
}

/// An amount of money.
#[derive(Clone, Debug, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MoneyTable {
    column: Column,
    #[serde(default)]
    unit: Unit,
}

pub(super) type MoneyRule = ColumnOr<MoneyTable>;

impl From<Column> for MoneyTable {
    fn from(column: Column) -> Self {
        Self {
            column,
            unit: Unit::default(),
        }
    }
}

impl ColumnRule for MoneyRule {
    fn column(&self) -> Option<&Column> {
        Some(&self.0.column)
    }
}

impl Reads for MoneyRule {
    type Value = Fen;

    fn read(&self, row: &Row) -> Result<Option<Fen>, Fault> {
        let Some(raw) = self.0.column.cell(row) else {
            return Ok(None);
        };
        match self.0.unit.read(raw) {
            Some(fen) => Ok(Some(fen)),
            None => Err(Fault::of(RejectRule::NumberIllegal, raw)),
        }
    }
}
