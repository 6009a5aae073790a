//! A report as it is published: what stands here is what its digest is of, and holds no figure that was left out.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::column::Guard;
use crate::statistics::dimension::Dimension;
use crate::statistics::measure::{Number, Unit};

/// A report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = Report)]
pub struct Document {
    /// e.g. 2024-03, 2024-Q1, 2024-H1, 2024.
    pub period: String,
    pub title_zh: String,
    /// The moment that all of it was read at.
    #[serde(with = "time::serde::rfc3339")]
    pub as_of: OffsetDateTime,
    /// The day whose offices and districts it is by: the first of its year, so that the tables of a year add up.
    pub structure_on: String,
    /// The text, paragraph by paragraph.
    pub summary_zh: Vec<String>,
    /// What stands in the cells of every row.
    pub columns: Vec<Head>,
    pub total: Row,
    /// The total beside what was published of earlier periods, column by column.
    pub compared: Vec<Comparison>,
    pub tables: Vec<Table>,
}

/// What a column is called.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ReportColumn)]
pub struct Head {
    pub code: String,
    pub name_zh: String,
    pub unit: Unit,
    /// What it is about; columns of one subject stand together. Empty in reports of before there were subjects.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject_zh: String,
    /// Of the total and the table of offices alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub offices_only: bool,
}

/// A table by one dimension; its rows add up to the report's total.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ReportTable)]
pub struct Table {
    /// Code of the dimension.
    pub by: String,
    pub name_zh: String,
    pub rows: Vec<Row>,
}

/// A row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ReportRow)]
pub struct Row {
    pub code: String,
    pub name_zh: String,
    pub cells: Vec<Cell>,
    /// The numbers of cases that are left out.
    pub withheld: Vec<Guard>,
}

/// A figure, or why there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ReportCell)]
pub struct Cell {
    /// Null where it is left out, and where nothing can be said, e.g. a share of nothing. Money in fen, shares of 1.
    #[schema(value_type = Option<f64>)]
    pub value: Option<Number>,
    /// Left out because it is small, or because a small one would follow from it.
    pub withheld: bool,
}

/// A total of earlier periods, as it was published, and how the report's own differs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ReportComparison)]
pub struct Comparison {
    /// The same period of the year before; null when there is no report of it, or it leaves the figure out.
    #[schema(value_type = Option<f64>)]
    pub year_before: Option<Number>,
    /// The period before.
    #[schema(value_type = Option<f64>)]
    pub period_before: Option<Number>,
    /// 同比: relative, or for shares and days the difference.
    pub year_on_year: Option<f64>,
    /// 环比.
    pub period_on_period: Option<f64>,
}

impl Cell {
    pub const WITHHELD: Self = Self {
        value: None,
        withheld: true,
    };
}

impl Table {
    /// The columns that it has, each with its place in the rows, subject by subject.
    pub fn subjects<'a>(&self, heads: &'a [Head]) -> Vec<Vec<(usize, &'a Head)>> {
        let mut subjects: Vec<Vec<(usize, &Head)>> = Vec::new();
        for (at, head) in heads.iter().enumerate().filter(|(_, head)| self.has(head)) {
            match subjects.last_mut() {
                Some(last) if last[0].1.subject_zh == head.subject_zh => last.push((at, head)),
                _ => subjects.push(vec![(at, head)]),
            }
        }
        subjects
    }

    /// Whether the table has that column.
    pub fn has(&self, column: &Head) -> bool {
        !column.offices_only || self.by == Dimension::Office.code()
    }
}

impl Document {
    /// The form in which it is kept.
    pub fn content(&self) -> String {
        serde_json::to_string(self).expect("numbers and texts have a JSON form")
    }

    /// The total's cell of a column, by its code.
    pub fn total_of(&self, code: &str) -> Option<Cell> {
        cell_of(&self.columns, &self.total, code)
    }
}

/// A row's cell of a column, by its code.
pub fn cell_of(columns: &[Head], row: &Row, code: &str) -> Option<Cell> {
    let at = columns.iter().position(|column| column.code == code)?;
    row.cells.get(at).copied()
}

/// SHA-256 of a content.
pub fn digest(content: &str) -> [u8; 32] {
    Sha256::digest(content).into()
}
