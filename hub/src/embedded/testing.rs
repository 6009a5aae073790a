//! Databases for tests: one private cluster for each test process, one migrated template in it, and a
//! fresh copy of that for every test.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection, PgConnection, PgPool};
use tokio::sync::OnceCell;

use super::{Durability, EmbeddedError, Postgres};
use crate::store;

const TEMPLATE: &str = "migrated";
const FOLDER: &str = "notary-test-pg-";

static CLUSTER: OnceCell<Postgres> = OnceCell::const_new();
static COUNT: AtomicU64 = AtomicU64::new(0);

/// A migrated database that no other test sees.
#[derive(Debug)]
pub struct TestDatabase {
    pub pool: PgPool,
    pub url: String,
}

/// Makes a database from the migrated template. The cluster ends with the test process.
pub async fn fresh_database() -> TestDatabase {
    let cluster = CLUSTER
        .get_or_try_init(start)
        .await
        .expect("tests need PostgreSQL; deploy/setup.sh test installs it");
    let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let mut admin = PgConnection::connect(&cluster.url_of("postgres"))
        .await
        .expect("the test cluster answers");
    let create = format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE}");
    sqlx::query(sqlx::AssertSqlSafe(create))
        .execute(&mut admin)
        .await
        .expect("a database from the template");
    let url = cluster.url_of(&name);
    let pool = PgPoolOptions::new()
        .max_connections(8)
        .connect(&url)
        .await
        .expect("the fresh database answers");
    TestDatabase { pool, url }
}

async fn start() -> Result<Postgres, EmbeddedError> {
    remove_leftovers();
    let folder = std::env::temp_dir().join(format!("{FOLDER}{}", std::process::id()));
    let cluster = Postgres::start(&folder, Durability::Relaxed).await?;
    let mut admin = PgConnection::connect(&cluster.url_of("postgres")).await?;
    sqlx::query("CREATE DATABASE migrated")
        .execute(&mut admin)
        .await?;
    let template = PgPoolOptions::new()
        .max_connections(1)
        .connect(&cluster.url_of(TEMPLATE))
        .await?;
    store::migrate(&template)
        .await
        .expect("the migrations run on an empty database");
    // As each start of a hub has it.
    store::reserved::keep(&template).await?;
    // A template must have nobody connected.
    template.close().await;
    Ok(cluster)
}

/// Folders of test processes that are gone: a test process has no moment to clean up after itself.
fn remove_leftovers() {
    let Ok(entries) = std::fs::read_dir(std::env::temp_dir()) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let owner = name
            .to_str()
            .and_then(|name| name.strip_prefix(FOLDER))
            .map(|name| name.trim_end_matches("-run"))
            .and_then(|id| id.parse::<u32>().ok());
        if owner.is_some_and(|id| !PathBuf::from(format!("/proc/{id}")).exists())
            && !super::server::is_alive(&entry.path())
        {
            // Another test process may be removing it at this moment.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}
