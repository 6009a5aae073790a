//! The agent against a hub that does what each test wants, over real TLS on loopback.
#![allow(clippy::unwrap_used, unreachable_pub, missing_debug_implementations)]

mod enrolment;
mod program;
mod restored;
mod stream;
mod support;
mod upgrade;
