//! Pushed values as cells.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use crate::source::row::{Columns, Row};

/// A pushed row as JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct JsonRow {
    columns: BTreeMap<String, Value>,
    #[serde(default)]
    children: BTreeMap<String, Vec<BTreeMap<String, Value>>>,
}

/// A value that no column has, named by its column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoValue {
    /// The column, which holds nothing personal.
    pub column: String,
    /// What is wrong.
    pub reason: Reason,
}

/// What is wrong with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A list or an object.
    Nested,
    /// A number with more digits than JSON programs keep.
    Inexact,
}

impl fmt::Display for NoValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = match self.reason {
            Reason::Nested => {
                "holds a list or an object; values are texts, numbers, true, false or null"
            }
            Reason::Inexact => "holds a number with more digits than are kept; send it as text",
        };
        let column: String = self.column.chars().take(64).collect();
        write!(f, "column {column:?} {reason}")
    }
}

impl JsonRow {
    pub(super) fn row(self, location: &str) -> Result<Row, NoValue> {
        let mut row = cells(self.columns, location)?;
        for (child, rows) in self.children {
            let rows = rows.into_iter().map(|columns| cells(columns, location));
            row.children.insert(child, rows.collect::<Result<_, _>>()?);
        }
        Ok(row)
    }
}

fn cells(columns: BTreeMap<String, Value>, location: &str) -> Result<Row, NoValue> {
    let mut names = Vec::with_capacity(columns.len());
    let mut cells = Vec::with_capacity(columns.len());
    for (column, value) in columns {
        match cell(value) {
            Ok(cell) => cells.push(cell),
            Err(reason) => return Err(NoValue { column, reason }),
        }
        names.push(column);
    }
    Ok(Row {
        location: location.to_owned(),
        columns: Columns::of_filled(names),
        cells,
        children: BTreeMap::new(),
    })
}

fn cell(value: Value) -> Result<Option<String>, Reason> {
    /// Above 2^53 not every whole number is a double.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    Ok(match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => match number.as_f64() {
            Some(double) if number.is_f64() && double.abs() >= EXACT => {
                return Err(Reason::Inexact);
            }
            _ => Some(number.to_string()),
        },
        Value::Array(_) | Value::Object(_) => return Err(Reason::Nested),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_values_become_cells() {
        for (value, expected) in [
            (json!(null), None),
            (json!("张三"), Some("张三")),
            (json!(true), Some("true")),
            (json!(120), Some("120")),
            (json!(120.5), Some("120.5")),
            (
                json!(110_105_194_912_310_021_u64),
                Some("110105194912310021"),
            ),
        ] {
            assert_eq!(cell(value), Ok(expected.map(str::to_owned)));
        }
    }

    #[test]
    fn what_would_lose_digits_or_has_no_column_is_refused() {
        assert_eq!(cell(json!(1e20)), Err(Reason::Inexact));
        assert_eq!(cell(json!(["a"])), Err(Reason::Nested));
        assert_eq!(cell(json!({"a": 1})), Err(Reason::Nested));
    }
}
