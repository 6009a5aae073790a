//! The rules of supervision at work on what offices sent, against a real PostgreSQL.
#![allow(clippy::unwrap_used, unreachable_pub)]

mod calendar;
#[path = "../ingest/city.rs"]
#[allow(dead_code)]
mod city;
mod decided;
mod facts;
mod interleave;
mod looks;
#[path = "../ingest/record.rs"]
#[allow(dead_code)]
mod record;
#[path = "../support/mod.rs"]
mod support;
mod work;

use notary_hub::statistics::calendar::Calendar;
use notary_hub::supervision::edition::Current;
use notary_hub::supervision::rule::Rules;
use notary_hub::supervision::worker::Supervision;
use time::Date;
use time::macros::date;

use city::Hub;
use record::{Case, case};

const TODAY: Date = date!(2024 - 09 - 02);

fn supervision(hub: &Hub) -> Supervision {
    Supervision::new(
        hub.pool.clone(),
        Current::new(Rules::builtin()),
        Calendar::builtin(),
    )
}

/// A will that took longer than fifteen working days.
fn late(source_case_id: &str) -> Case {
    case(source_case_id).issued("2024-04-30")
}
