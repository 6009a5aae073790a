//! The statements: the office's own query as a derived table, with condition, order and limit around it.

use super::cursor::{Position, Value};
use crate::source::SourceError;

/// Name of the derived table.
const ROWS: &str = "office_rows";

/// How a database writes names and parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Postgres,
    MySql,
    Sqlite,
}

impl Dialect {
    fn quote(self, name: &str) -> String {
        match self {
            Self::MySql => format!("`{}`", name.replace('`', "``")),
            Self::Postgres | Self::Sqlite => format!("\"{}\"", name.replace('"', "\"\"")),
        }
    }

    /// A column of the derived table.
    pub(super) fn column(self, name: &str) -> String {
        format!("{ROWS}.{}", self.quote(name))
    }
}

/// A column of the office's query.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) name: String,
    /// Expression that gives its value as text (or as it is, in SQLite); `None` for bytes, which are not read.
    pub(super) read: Option<String>,
    /// What to put around a parameter so that it has the column's type.
    pub(super) bind: [String; 2],
    /// MySQL writes "no date" as a date of zeros.
    pub(super) zero_is_absent: bool,
}

/// SQL with the parameters for it.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) sql: String,
    pub(super) parameters: Vec<Value>,
}

/// Which rows of a table.
#[derive(Clone, Debug)]
pub(super) enum Range {
    /// All that have a watermark.
    All,
    /// From a watermark on, that one included.
    From(Value),
    /// Behind a row.
    After(Position),
    /// Rows without a watermark, behind a key.
    Unmarked(Option<Value>),
}

/// One of the office's queries, described by the database.
#[derive(Clone, Debug)]
pub(super) struct Table {
    dialect: Dialect,
    /// For people: `the query` or `the query of the child "parties"`.
    what: String,
    query: String,
    /// Readable columns.
    pub(super) fields: Vec<Field>,
    /// Names of columns that hold bytes.
    binary: Vec<String>,
}

impl Table {
    /// # Errors
    /// When a column's name is there twice.
    pub(super) fn new(
        dialect: Dialect,
        what: &str,
        query: &str,
        described: Vec<Field>,
    ) -> Result<Self, SourceError> {
        for (index, field) in described.iter().enumerate() {
            if described[..index]
                .iter()
                .any(|other| other.name == field.name)
            {
                return Err(SourceError::SameColumn {
                    what: what.to_owned(),
                    column: field.name.clone(),
                });
            }
        }
        let (fields, binary): (Vec<_>, Vec<_>) = described
            .into_iter()
            .partition(|field| field.read.is_some());
        Ok(Self {
            dialect,
            what: what.to_owned(),
            query: strip(query).to_owned(),
            fields,
            binary: binary.into_iter().map(|field| field.name).collect(),
        })
    }

    /// Where a configured column stands: by its name, else by its name in other letters' case.
    ///
    /// # Errors
    /// When there is none, or it holds bytes.
    pub(super) fn position(&self, column: &str) -> Result<usize, SourceError> {
        let exact = self.fields.iter().position(|field| field.name == column);
        let similar = || {
            let mut places = (self.fields.iter().enumerate())
                .filter(|(_, field)| field.name.to_lowercase() == column.to_lowercase());
            places
                .next()
                .filter(|_| places.next().is_none())
                .map(|(index, _)| index)
        };
        exact.or_else(similar).ok_or_else(|| {
            let (what, column) = (self.what.clone(), column.to_owned());
            if self.binary.contains(&column) {
                return SourceError::BinaryColumn { what, column };
            }
            let given: Vec<&str> = self
                .fields
                .iter()
                .map(|field| field.name.as_str())
                .collect();
            let given = given.join(", ");
            SourceError::NoColumn {
                what,
                column,
                given,
            }
        })
    }

    /// A page in the order of reading.
    pub(super) fn page(
        &self,
        watermark: usize,
        key: usize,
        range: &Range,
        limit: usize,
    ) -> Statement {
        let mut text = Text::new(self.dialect);
        let [mark, id] = [watermark, key].map(|index| self.column(index));
        let condition = match range {
            Range::All => format!("{mark} IS NOT NULL AND {id} IS NOT NULL"),
            Range::From(from) => {
                let from = text.bind(&self.fields[watermark], from);
                format!("{mark} >= {from} AND {id} IS NOT NULL")
            }
            Range::After(at) => {
                // The first comparison alone is what an index serves in MySQL.
                let [low, above, same] =
                    [(); 3].map(|()| text.bind(&self.fields[watermark], &at.watermark));
                let after = text.bind(&self.fields[key], &at.key);
                format!(
                    "{mark} >= {low} AND ({mark} > {above} OR ({mark} = {same} AND {id} > {after}))"
                )
            }
            Range::Unmarked(None) => format!("{mark} IS NULL AND {id} IS NOT NULL"),
            Range::Unmarked(Some(after)) => {
                let after = text.bind(&self.fields[key], after);
                format!("{mark} IS NULL AND {id} > {after}")
            }
        };
        let order = match range {
            Range::Unmarked(_) => id,
            _ => format!("{mark}, {id}"),
        };
        text.finish(format!(
            "{} WHERE {condition} ORDER BY {order} LIMIT {limit}",
            self.select()
        ))
    }

    /// The highest watermark there is.
    pub(super) fn highest(&self, watermark: usize) -> Statement {
        let mark = self.column(watermark);
        let read = self.fields[watermark].read.as_deref().unwrap_or(&mark);
        let from = self.from();
        Text::new(self.dialect).finish(format!(
            "SELECT {read} FROM {from} WHERE {mark} IS NOT NULL ORDER BY {mark} DESC LIMIT 1"
        ))
    }

    /// How many rows have no key; as text.
    pub(super) fn count_keyless(&self, key: usize) -> Statement {
        let count = match self.dialect {
            Dialect::Postgres => "CAST(count(*) AS text)",
            Dialect::MySql => "CAST(count(*) AS CHAR)",
            Dialect::Sqlite => "count(*)",
        };
        let (from, id) = (self.from(), self.column(key));
        Text::new(self.dialect).finish(format!("SELECT {count} FROM {from} WHERE {id} IS NULL"))
    }

    /// The children of some parents, parent by parent.
    pub(super) fn children(
        &self,
        parent_key: usize,
        order_by: Option<usize>,
        parents: &[Value],
    ) -> Statement {
        let mut text = Text::new(self.dialect);
        let field = &self.fields[parent_key];
        let keys: Vec<String> = parents.iter().map(|key| text.bind(field, key)).collect();
        let id = self.column(parent_key);
        let order = order_by.map_or(String::new(), |index| format!(", {}", self.column(index)));
        let (select, keys) = (self.select(), keys.join(", "));
        text.finish(format!(
            "{select} WHERE {id} IN ({keys}) ORDER BY {id}{order}"
        ))
    }

    fn column(&self, index: usize) -> String {
        self.dialect.column(&self.fields[index].name)
    }

    fn select(&self) -> String {
        let columns: Vec<&str> = self
            .fields
            .iter()
            .filter_map(|field| field.read.as_deref())
            .collect();
        format!("SELECT {} FROM {}", columns.join(", "), self.from())
    }

    /// The line break ends a comment at the end of the query.
    fn from(&self) -> String {
        format!("({}\n) {ROWS}", self.query)
    }
}

/// A query without what may not stand inside another.
pub(super) fn strip(query: &str) -> &str {
    query.trim_end_matches(|c: char| c == ';' || c.is_whitespace())
}

/// Statement in the making.
struct Text {
    dialect: Dialect,
    parameters: Vec<Value>,
}

impl Text {
    fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            parameters: Vec::new(),
        }
    }

    fn bind(&mut self, field: &Field, value: &Value) -> String {
        self.parameters.push(value.clone());
        let [before, after] = &field.bind;
        match self.dialect {
            Dialect::Postgres => format!("{before}${}{after}", self.parameters.len()),
            Dialect::MySql | Dialect::Sqlite => format!("{before}?{after}"),
        }
    }

    fn finish(self, sql: String) -> Statement {
        Statement {
            sql,
            parameters: self.parameters,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str) -> Field {
        Field {
            name: name.into(),
            read: Some(Dialect::Postgres.column(name)),
            bind: ["CAST(".into(), " AS text)".into()],
            zero_is_absent: false,
        }
    }

    fn table(names: &[&str]) -> Result<Table, SourceError> {
        let fields = names.iter().map(|name| field(name)).collect();
        Table::new(
            Dialect::Postgres,
            "the query",
            "SELECT * FROM t -- all ;\n; ",
            fields,
        )
    }

    #[test]
    fn names_are_quoted_as_each_database_wants_it() {
        assert_eq!(Dialect::Postgres.column("a\"b"), "office_rows.\"a\"\"b\"");
        assert_eq!(Dialect::MySql.column("a`b"), "office_rows.`a``b`");
        assert_eq!(
            Dialect::Sqlite.column("更新时间"),
            "office_rows.\"更新时间\""
        );
    }

    #[test]
    fn a_query_may_end_in_a_comment_or_a_semicolon() {
        let table = table(&["w", "k"]).expect("two columns");
        let statement = table.page(0, 1, &Range::All, 5);
        assert!(
            statement
                .sql
                .contains("(SELECT * FROM t -- all\n) office_rows"),
            "{}",
            statement.sql
        );
    }

    #[test]
    fn the_condition_goes_on_behind_a_row_and_binds_every_value() {
        let at = Position {
            watermark: Value::Text("w1".into()),
            key: Value::Text("k1".into()),
        };
        let statement = table(&["w", "k"])
            .expect("two columns")
            .page(0, 1, &Range::After(at), 5);
        insta::assert_snapshot!(statement.sql, @r#"
        SELECT office_rows."w", office_rows."k" FROM (SELECT * FROM t -- all
        ) office_rows WHERE office_rows."w" >= CAST($1 AS text) AND (office_rows."w" > CAST($2 AS text) OR (office_rows."w" = CAST($3 AS text) AND office_rows."k" > CAST($4 AS text))) ORDER BY office_rows."w", office_rows."k" LIMIT 5
        "#);
        assert_eq!(statement.parameters.len(), 4);
    }

    #[test]
    fn a_column_is_found_in_other_case_only_when_that_is_clear() {
        let one = table(&["updated_at"]).expect("one column");
        assert_eq!(one.position("UPDATED_AT").expect("one fits"), 0);
        let two = table(&["A", "a"]).expect("two columns");
        assert_eq!(two.position("a").expect("exact"), 1);
        let error = one.position("gxsj").expect_err("no such column");
        assert_eq!(
            error.to_string(),
            "the query gives no column `gxsj`; it gives: updated_at"
        );
    }

    #[test]
    fn a_column_given_twice_is_refused() {
        let error = table(&["w", "k", "w"]).expect_err("twice");
        assert!(error.to_string().contains("`w` twice"), "{error}");
    }
}
