//! Stored codes to types.

use std::{error::Error, str::FromStr};

/// What stands in the database is not what this hub writes.
pub(crate) fn decode_error(error: impl Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}

/// Reads a stored code.
pub(crate) fn parse<T: FromStr<Err: Error + Send + Sync + 'static>>(
    code: &str,
) -> Result<T, sqlx::Error> {
    code.parse().map_err(decode_error)
}
