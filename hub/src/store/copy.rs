//! `COPY … FROM STDIN (FORMAT BINARY)`: rows straight into their table. Nothing is planned, no array is built of each
//! column and taken apart again, and the database puts many rows on a page at once.

use sqlx::PgConnection;
use time::{Date, OffsetDateTime};

/// Bytes that are sent at once.
pub(crate) const PIECE: usize = 1 << 18;
/// 2000-01-01, from which PostgreSQL counts days and microseconds.
const EPOCH: Date = time::macros::date!(2000 - 01 - 01);

/// A row of a table as it is copied.
pub(crate) trait Row: Sized {
    const TABLE: &'static str;

    /// The columns in the order in which they are sent.
    fn columns() -> Vec<Column<Self>>;
}

/// A column's name, and how a row's value goes into it: a value of the column's very type.
pub(crate) type Column<R> = (&'static str, fn(&mut Rows, &R));

/// For lists of columns: a closure in a tuple would not become a function by itself.
pub(crate) fn column<R>(name: &'static str, put: fn(&mut Rows, &R)) -> Column<R> {
    (name, put)
}

/// Rows on their way into their table.
#[derive(Debug)]
pub(crate) struct Copied {
    statement: String,
    rows: Rows,
}

impl Copied {
    pub(crate) fn of<R: Row>(given: impl IntoIterator<Item = R>) -> Self {
        let columns = R::columns();
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        let (table, names) = (R::TABLE, names.join(", "));
        let fields = i16::try_from(columns.len()).expect("a table has at most 1600 columns");
        let mut rows = Rows::first();
        for row in given {
            rows.row(fields);
            for (_, put) in &columns {
                put(&mut rows, &row);
            }
        }
        Self {
            statement: format!("COPY {table} ({names}) FROM STDIN (FORMAT BINARY)"),
            rows,
        }
    }

    /// Sends them, if there are any.
    pub(crate) async fn send(mut self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        if self.rows.len() == HEADER.len() {
            return Ok(());
        }
        self.rows.end();
        let mut copy = connection.copy_in_raw(&self.statement).await?;
        for piece in self.rows.take().chunks(PIECE) {
            copy.send(piece).await?;
        }
        copy.finish().await?;
        Ok(())
    }
}

/// A growing piece of a stream of rows.
#[derive(Debug, Default)]
pub(crate) struct Rows(Vec<u8>);

/// Begins every stream: signature, no flags, no extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

impl Rows {
    /// The first piece of a stream.
    pub(crate) fn first() -> Self {
        Self(HEADER.to_vec())
    }

    /// Begins a row of so many fields.
    pub(crate) fn row(&mut self, fields: i16) {
        self.0.extend(fields.to_be_bytes());
    }

    /// The next field of the row.
    pub(crate) fn put(&mut self, value: impl Value) {
        value.put(self);
    }

    /// A field by the bytes of its type.
    fn field(&mut self, bytes: &[u8]) {
        let length = i32::try_from(bytes.len()).expect("a field is shorter than two gigabytes");
        self.0.extend(length.to_be_bytes());
        self.0.extend(bytes);
    }

    /// Ends the stream.
    pub(crate) fn end(&mut self) {
        self.0.extend((-1i16).to_be_bytes());
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }
}

/// A value in the form that PostgreSQL has for its type. Another type than the column's is refused, or read as another
/// value where both are as long.
pub(crate) trait Value {
    fn put(self, rows: &mut Rows);
}

/// `text`.
impl Value for &str {
    fn put(self, rows: &mut Rows) {
        rows.field(self.as_bytes());
    }
}

/// `bytea`, and `uuid` by its 16 bytes.
impl Value for &[u8] {
    fn put(self, rows: &mut Rows) {
        rows.field(self);
    }
}

/// `bytea` or `uuid` as well.
impl<const N: usize> Value for &[u8; N] {
    fn put(self, rows: &mut Rows) {
        rows.field(self);
    }
}

/// `smallint`.
impl Value for i16 {
    fn put(self, rows: &mut Rows) {
        rows.field(&self.to_be_bytes());
    }
}

/// `integer`.
impl Value for i32 {
    fn put(self, rows: &mut Rows) {
        rows.field(&self.to_be_bytes());
    }
}

/// `bigint`.
impl Value for i64 {
    fn put(self, rows: &mut Rows) {
        rows.field(&self.to_be_bytes());
    }
}

/// `boolean`.
impl Value for bool {
    fn put(self, rows: &mut Rows) {
        rows.field(&[u8::from(self)]);
    }
}

/// `date`.
impl Value for Date {
    fn put(self, rows: &mut Rows) {
        rows.put(self.to_julian_day() - EPOCH.to_julian_day());
    }
}

/// `timestamptz`, to the microsecond.
impl Value for OffsetDateTime {
    fn put(self, rows: &mut Rows) {
        let since = self - EPOCH.midnight().assume_utc();
        let microseconds = i64::try_from(since.whole_microseconds());
        rows.put(microseconds.expect("years have four digits"));
    }
}

/// NULL for `None`.
impl<V: Value> Value for Option<V> {
    fn put(self, rows: &mut Rows) {
        match self {
            Some(value) => value.put(rows),
            None => rows.0.extend((-1i32).to_be_bytes()),
        }
    }
}
