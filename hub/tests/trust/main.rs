//! Who is believed, for how long, and how that ends. Over real TLS, against a real database.
#![allow(clippy::unwrap_used, unreachable_pub)]

#[path = "../support/mod.rs"]
mod support;

mod agent;
mod approval;
mod enrolment;
mod forgery;
mod methods;
mod provider;
#[path = "../ingest/record.rs"]
#[allow(dead_code)]
mod record;
mod requests;
mod revocation;
mod second_factor;
mod session;
mod succession;
mod token;
mod token_key;
mod unchecked;
