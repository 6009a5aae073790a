//! All SQL of the hub: one file for each aggregate, and the pools and transactions they run in.

pub mod account;
pub mod alarm;
pub mod assessment;
pub mod audit;
pub mod case;
pub mod certificate;
pub mod child;
pub(crate) mod copy;
pub(crate) mod decode;
pub mod details;
pub mod digest;
pub mod duplicate;
pub mod feed;
pub mod feed_day;
pub mod figures;
pub mod filing;
pub mod filing_missing;
pub mod finding;
pub mod intent;
pub mod job;
pub mod linking;
pub mod lookup;
pub mod next_tokens;
pub mod notice;
pub mod office;
pub mod overview;
pub mod person_month;
pub mod pool;
pub mod quality;
pub mod reject;
pub mod replay;
pub mod report;
pub mod review;
pub mod revocation;
pub mod rollup;
pub mod rules;
pub mod scope;
pub mod second_factor;
pub mod set_aside;
pub mod structure;
pub mod supervision;
pub mod sync;
pub mod token_key;
pub mod token_key_move;
pub mod tx;
pub mod watch;

use linkage::office::OfficeId;
use sqlx::PgPool;
use sqlx::migrate::MigrateError;

/// Brings the database to this version's schema; forward only. An index on millions of rows may take its time.
pub async fn migrate(pool: &PgPool) -> Result<(), MigrateError> {
    let mut connection = pool.acquire().await?;
    sqlx::query("SET statement_timeout = 0")
        .execute(&mut *connection)
        .await?;
    sqlx::migrate!("../migrations")
        .run(&mut *connection)
        .await?;
    // To what the pool's connections begin with.
    sqlx::query("RESET statement_timeout")
        .execute(&mut *connection)
        .await?;
    Ok(())
}

/// Pairs that begin with an office as two columns.
fn columns<'a>(pairs: &'a [(OfficeId, &'a str)]) -> (Vec<&'a str>, Vec<&'a str>) {
    pairs
        .iter()
        .map(|(office_id, other)| (office_id.as_str(), *other))
        .unzip()
}
