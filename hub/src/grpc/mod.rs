//! What offices' agents call. A handler parses, calls one use case and maps the error.

pub mod error;
