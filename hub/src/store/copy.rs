//! Rows for `COPY … FROM STDIN (FORMAT BINARY)`.

use time::Date;

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

    /// A field by the bytes of its type: those of a text or a number in network order.
    pub(crate) fn field(&mut self, bytes: &[u8]) {
        let length = i32::try_from(bytes.len()).expect("a field is shorter than two gigabytes");
        self.0.extend(length.to_be_bytes());
        self.0.extend(bytes);
    }

    /// A field that may be missing.
    pub(crate) fn optional(&mut self, bytes: Option<&[u8]>) {
        match bytes {
            Some(bytes) => self.field(bytes),
            None => self.0.extend((-1i32).to_be_bytes()),
        }
    }

    /// A day, which PostgreSQL counts from the first of 2000.
    pub(crate) fn date(&mut self, day: Date) {
        const EPOCH: i32 = 2_451_545; // 2000-01-01, a Julian day
        self.field(&(day.to_julian_day() - EPOCH).to_be_bytes());
    }

    /// A yes or no.
    pub(crate) fn flag(&mut self, flag: bool) {
        self.field(&[u8::from(flag)]);
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
