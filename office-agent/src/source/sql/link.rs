//! A connection with the queries that are read over it, checked against what the database says they give.

use std::collections::{BTreeMap, HashMap};

use super::Cells;
use super::cursor::{Position, Value};
use super::database::Database;
use super::keyset::{Range, Statement, Table};
use super::sqlite::Interrupt;
use crate::config::SqlSource;
use crate::source::SourceError;
use crate::source::row::{Columns, Found, Row};

const QUERY: &str = "the query";

pub(super) struct Link {
    database: Database,
    cases: Place,
    watermark: usize,
    key: usize,
    children: Vec<Child>,
    page_rows: usize,
}

/// A table, and what its rows are called.
struct Place {
    what: String,
    table: Table,
    columns: Columns,
    location: String,
}

struct Child {
    name: String,
    place: Place,
    parent_key: usize,
    order_by: Option<usize>,
}

impl Link {
    pub(super) async fn open(source: &SqlSource) -> Result<Self, SourceError> {
        let mut database = Database::connect(&source.url.reveal()?, source.encoding).await?;
        let location = format!("sql:{}", source.name);
        let cases = place(&mut database, QUERY.to_owned(), &source.query, location).await?;
        let watermark = cases.table.position(&source.watermark)?;
        let key = cases.table.position(&source.key)?;
        let mut children = Vec::new();
        for (name, child) in &source.children {
            let what = format!("the query of the child `{name}`");
            let location = format!("sql:{}:{name}", source.name);
            let place = place(&mut database, what, &child.query, location).await?;
            children.push(Child {
                name: name.clone(),
                parent_key: place.table.position(&child.parent_key)?,
                order_by: (child.order_by.as_deref())
                    .map(|column| place.table.position(column))
                    .transpose()?,
                place,
            });
        }
        Ok(Self {
            database,
            cases,
            watermark,
            key,
            children,
            page_rows: source.page_rows.into(),
        })
    }

    /// See [`Database::interrupt`].
    pub(super) fn interrupt(&self) -> Option<Interrupt> {
        self.database.interrupt()
    }

    /// See [`Database::is_replaced`].
    pub(super) fn is_replaced(&self) -> bool {
        self.database.is_replaced()
    }

    pub(super) async fn begin(&mut self) -> Result<(), SourceError> {
        self.database.begin().await
    }

    pub(super) async fn end(&mut self) -> Result<(), SourceError> {
        self.database.end().await
    }

    /// Rows of a page, and whether there are more behind it.
    pub(super) async fn page(&mut self, range: &Range) -> Result<(Vec<Cells>, bool), SourceError> {
        // One row more than a page tells whether this is the end.
        let statement = self
            .cases
            .table
            .page(self.watermark, self.key, range, self.page_rows + 1);
        let mut rows = self.rows(statement).await?;
        let same = |pair: &[Cells]| {
            let [a, b] = [&pair[0], &pair[1]];
            a[self.watermark] == b[self.watermark] && a[self.key] == b[self.key]
        };
        if rows.windows(2).any(same) {
            return Err(SourceError::KeyNotUnique {
                column: self.cases.table.fields[self.key].name.clone(),
            });
        }
        let more = rows.len() > self.page_rows;
        rows.truncate(self.page_rows);
        Ok((rows, more))
    }

    pub(super) async fn is_anything_after(&mut self, last: &Position) -> Result<bool, SourceError> {
        let range = Range::After(last.clone());
        let statement = self.cases.table.page(self.watermark, self.key, &range, 1);
        Ok(!self.rows(statement).await?.is_empty())
    }

    pub(super) async fn highest(&mut self) -> Result<Option<Value>, SourceError> {
        let statement = self.cases.table.highest(self.watermark);
        self.one(statement).await
    }

    /// Rows that have no key.
    pub(super) async fn keyless(&mut self) -> Result<u64, SourceError> {
        let statement = self.cases.table.count_keyless(self.key);
        let count = self.one(statement).await?;
        Ok(count
            .and_then(|count| count.text().parse().ok())
            .unwrap_or(0))
    }

    async fn one(&mut self, statement: Statement) -> Result<Option<Value>, SourceError> {
        let row = self.rows(statement).await?.into_iter().next();
        Ok(row.and_then(|cells| cells.into_iter().next().flatten()))
    }

    async fn rows(&mut self, statement: Statement) -> Result<Vec<Cells>, SourceError> {
        self.database.rows(&self.cases.what, statement).await
    }

    pub(super) fn position(&self, row: &Cells) -> Result<Position, SourceError> {
        Ok(Position {
            watermark: self.cases.value(row, self.watermark)?,
            key: self.cases.value(row, self.key)?,
        })
    }

    pub(super) fn key(&self, row: &Cells) -> Result<Value, SourceError> {
        self.cases.value(row, self.key)
    }

    /// Makes rows of a page, with their children.
    pub(super) async fn assemble(&mut self, page: Vec<Cells>) -> Result<Vec<Found>, SourceError> {
        let keys: Vec<Value> = page
            .iter()
            .map(|row| self.key(row))
            .collect::<Result<_, _>>()?;
        let mut families: Vec<BTreeMap<String, Vec<Row>>> = vec![BTreeMap::new(); page.len()];
        if !page.is_empty() {
            let parents = Parents::new(&keys);
            for child in &self.children {
                let statement = child
                    .place
                    .table
                    .children(child.parent_key, child.order_by, &keys);
                for cells in self.database.rows(&child.place.what, statement).await? {
                    let parent = cells[child.parent_key]
                        .as_ref()
                        .and_then(|key| parents.find(key));
                    if let Some(parent) = parent {
                        let siblings = families[parent].entry(child.name.clone()).or_default();
                        siblings.push(child.place.row(cells, BTreeMap::new()));
                    }
                }
            }
        }
        let rows = page.into_iter().zip(families);
        Ok(rows
            .map(|(cells, family)| Found::Row(self.cases.row(cells, family)))
            .collect())
    }
}

async fn place(
    database: &mut Database,
    what: String,
    query: &str,
    location: String,
) -> Result<Place, SourceError> {
    let described = database.describe(&what, query).await?;
    let table = Table::new(database.dialect(), &what, query, described)?;
    let columns = Columns::new(
        table
            .fields
            .iter()
            .map(|field| field.name.clone())
            .collect(),
    );
    Ok(Place {
        what,
        table,
        columns,
        location,
    })
}

impl Place {
    fn row(&self, cells: Cells, children: BTreeMap<String, Vec<Row>>) -> Row {
        let text = |(index, cell): (usize, Option<Value>)| {
            let text = cell?.text();
            let absent = self.table.fields[index].zero_is_absent && text.starts_with("0000-00-00");
            (!absent).then_some(text)
        };
        Row {
            location: self.location.clone(),
            columns: self.columns.clone(),
            cells: cells.into_iter().enumerate().map(text).collect(),
            children,
        }
    }

    /// A value that the order of reading rests on. Only bytes can be absent here: the statements ask for the rest.
    fn value(&self, row: &Cells, index: usize) -> Result<Value, SourceError> {
        row[index].clone().ok_or_else(|| SourceError::BinaryColumn {
            what: self.what.clone(),
            column: self.table.fields[index].name.clone(),
        })
    }
}

/// Finds a child's parent. The database may take keys for equal that are written in different ways (capitals, blanks at
/// the end), so the exact text comes first and its plain form second.
struct Parents {
    exact: HashMap<String, usize>,
    plain: HashMap<String, usize>,
}

impl Parents {
    fn new(keys: &[Value]) -> Self {
        let texts = || keys.iter().map(Value::text).enumerate();
        Self {
            exact: texts().map(|(index, text)| (text, index)).collect(),
            plain: texts().map(|(index, text)| (plain(&text), index)).collect(),
        }
    }

    fn find(&self, key: &Value) -> Option<usize> {
        let text = key.text();
        self.exact
            .get(&text)
            .or_else(|| self.plain.get(&plain(&text)))
            .copied()
    }
}

fn plain(key: &str) -> String {
    key.trim_end().to_lowercase()
}
