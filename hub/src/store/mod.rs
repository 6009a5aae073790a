//! All SQL of the hub: one file for each aggregate, and the pools and transactions they run in.

pub mod account;
pub mod certificate;
pub mod office;
pub mod pool;
pub mod tx;

use sqlx::PgPool;
use sqlx::migrate::MigrateError;

/// Brings the database to this version's schema; forward only.
pub async fn migrate(pool: &PgPool) -> Result<(), MigrateError> {
    sqlx::migrate!("../migrations").run(pool).await
}
