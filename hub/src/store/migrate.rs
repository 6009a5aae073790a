//! The schema brought to this version, forward only, beside hubs that serve.
//!
//! While hubs of one database are upgraded one after the other, those of the version before go on and may start again: a
//! migration that they do not know is none of their business, unless `schema_floor` says that they can no longer work
//! with what it made. A table that others read is not waited for long: whoever waits for it keeps all behind it from
//! reading.

use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{PgConnection, PgPool, query, query_scalar};
use tokio::time::{Instant, sleep};

/// How long a statement of a migration waits for a table; others wait behind it.
const LOCK_TIMEOUT: &str = "SET lock_timeout = '1s'";
/// How long migrations are tried again that did not get a table, or wait for another hub's.
const PATIENCE: Duration = Duration::from_secs(600);
const PAUSE: Duration = Duration::from_millis(500);

/// Why the schema is not this version's.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(
        "the database belongs to a newer version of notary-hub: it wants a program that knows migration {wanted}, and \
         this one knows {known}; start the newer program"
    )]
    TooOld { wanted: i64, known: i64 },
}

/// Brings the database to this version's schema. An index on millions of rows may take its time.
pub async fn migrate(pool: &PgPool) -> Result<(), SchemaError> {
    let mut migrations = sqlx::migrate!("../migrations");
    migrations.set_ignore_missing(true);
    let mut connection = pool.acquire().await?;
    query("SET statement_timeout = 0")
        .execute(&mut *connection)
        .await?;
    query(LOCK_TIMEOUT).execute(&mut *connection).await?;
    let migrated = patiently(&mut connection, &migrations).await;
    // To what the pool's connections begin with.
    query("RESET statement_timeout")
        .execute(&mut *connection)
        .await?;
    query("RESET lock_timeout")
        .execute(&mut *connection)
        .await?;
    migrated?;
    let known = migrations.iter().map(|one| one.version).max();
    admitted(&mut connection, known.unwrap_or_default()).await
}

async fn patiently(
    connection: &mut PgConnection,
    migrations: &Migrator,
) -> Result<(), MigrateError> {
    let begun = Instant::now();
    loop {
        let Err(error) = migrations.run(&mut *connection).await else {
            return Ok(());
        };
        // A run that failed keeps others from migrating as long as its connection lives.
        query("SELECT pg_advisory_unlock_all()")
            .execute(&mut *connection)
            .await?;
        match was_locked(&error) && begun.elapsed() < PATIENCE {
            true => sleep(PAUSE).await,
            false => return Err(error),
        }
    }
}

/// `lock_not_available`: somebody else has the table, or migrates.
fn was_locked(error: &MigrateError) -> bool {
    let error = match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error,
        _ => return false,
    };
    let code = error.as_database_error().and_then(|error| error.code());
    code.as_deref() == Some("55P03")
}

/// Whether a program whose last migration is `known` can work with what newer ones have made.
async fn admitted(connection: &mut PgConnection, known: i64) -> Result<(), SchemaError> {
    let wanted = query_scalar!("SELECT least_migration FROM schema_floor")
        .fetch_one(connection)
        .await?;
    match known >= wanted {
        true => Ok(()),
        false => Err(SchemaError::TooOld { wanted, known }),
    }
}
