//! The hub's database, configured or embedded, with its pools.

use sqlx::PgPool;

use crate::config::Config;
use crate::embedded::{Durability, EmbeddedError, Postgres};
use crate::store;
use crate::store::SchemaError;
use crate::store::pool::Lookups;
use crate::store::reserved::Locks;

/// Why there is no database.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    #[error("start the private PostgreSQL: {0}")]
    Embedded(#[from] EmbeddedError),
    #[error("connect to the database; check [database] url: {0}")]
    Connect(#[from] sqlx::Error),
    #[error("bring the database to this version's schema: {0}")]
    Migrate(#[from] SchemaError),
    #[error(
        "take the roles that people's reads run as; see \"The database's roles\" in docs/operator.md: {0}"
    )]
    Scope(#[source] sqlx::Error),
    #[error("keep the hub's locks to the hub: {0}")]
    Reserved(#[source] sqlx::Error),
}

/// Open pools, and the private PostgreSQL when there is one.
#[derive(Debug)]
pub struct Database {
    /// Of the writers of cases.
    pub writers: PgPool,
    /// Of look-ups.
    pub lookups: Lookups,
    /// Of person linkage.
    pub linking: PgPool,
    /// Of the worker of supervision.
    pub supervision: PgPool,
    /// Of the audit log.
    pub audit: PgPool,
    /// Of what is revoked.
    pub revocations: PgPool,
    /// Of what offices' streams ask beside handing over.
    pub feeds: PgPool,
    /// Of everything else.
    pub general: PgPool,
    embedded: Option<Postgres>,
}

impl Database {
    /// For `serve`: the private PostgreSQL is this process's own. Migrated.
    pub async fn open_as_owner(config: &Config) -> Result<Self, DatabaseError> {
        let embedded = match config.database.url {
            Some(_) => None,
            None => Some(Postgres::start(&config.postgres_dir(), Durability::Full).await?),
        };
        Self::open(config, embedded).await
    }

    /// For `init`: as [`Self::open_or_join`], and makes the private PostgreSQL where there is none yet.
    pub async fn make_or_join(config: &Config) -> Result<Self, DatabaseError> {
        match config.database.url.is_none() && !Postgres::is_made(&config.postgres_dir())? {
            true => Self::open_as_owner(config).await,
            false => Self::open_or_join(config).await,
        }
    }

    /// For commands: joins the private PostgreSQL of a hub that serves, or starts it for the time being. A command makes
    /// none: a shell that lacks the service's `database.url` would change another database in silence. Migrated.
    pub async fn open_or_join(config: &Config) -> Result<Self, DatabaseError> {
        let embedded = match config.database.url {
            Some(_) => None,
            None => Some(Postgres::start_or_join(&config.postgres_dir()).await?),
        };
        Self::open(config, embedded).await
    }

    async fn open(config: &Config, embedded: Option<Postgres>) -> Result<Self, DatabaseError> {
        let url = match (&config.database.url, &embedded) {
            (Some(url), _) => url.secret(),
            (None, Some(postgres)) => postgres.url(),
            (None, None) => unreachable!("without a url the database is the embedded one"),
        };
        // Each writer probes on one connection and may retry on another; look-ups get half of what is left, feeds a
        // quarter.
        let of_writers = config.ingest.writers * 2;
        // One for each worker, and one to measure by.
        let of_linking = config.linking.workers + 1;
        let of_one_task = store::pool::AUDIT_CONNECTIONS
            + store::pool::REVOCATION_CONNECTIONS
            + store::pool::SUPERVISION_CONNECTIONS;
        let taken = of_writers + of_linking + of_one_task;
        let others = config.database.max_connections.saturating_sub(taken).max(3);
        let (of_lookups, of_feeds) = (others / 2, (others / 4).max(1));
        let database = Self {
            writers: store::pool::writers(url, of_writers)?,
            lookups: store::pool::lookups(url, of_lookups)?,
            linking: store::pool::linking(url, of_linking)?,
            supervision: store::pool::supervision(url)?,
            audit: store::pool::audit(url)?,
            revocations: store::pool::revocations(url)?,
            feeds: store::pool::feeds(url, of_feeds)?,
            general: store::pool::general(url, others - of_lookups - of_feeds)?,
            embedded,
        };
        store::migrate(&database.general).await?;
        let scopes = store::scope::check(&database.general).await;
        scopes.map_err(DatabaseError::Scope)?;
        Ok(database)
    }

    /// Keeps what others could stop the hub with to the hub, or says who has to.
    pub async fn reserve(&self) -> Result<(), DatabaseError> {
        let locks = store::reserved::keep(&self.general).await;
        if locks.map_err(DatabaseError::Reserved)? == Locks::OfEverybody {
            tracing::warn!(
                "whoever may connect to the database can take the hub's locks and so stop look-ups and ingest; an \
                 administrator of it has to run what \"The database's roles\" in docs/operator.md says"
            );
        }
        Ok(())
    }

    /// The pools by name, the general one first.
    pub fn pools(&self) -> [(&'static str, PgPool); 10] {
        [
            ("general", self.general.clone()),
            ("feeds", self.feeds.clone()),
            ("lookups", self.lookups.hub.clone()),
            ("held_lookups", self.lookups.held.clone()),
            ("searches", self.lookups.searches.pool().clone()),
            ("linking", self.linking.clone()),
            ("supervision", self.supervision.clone()),
            ("audit", self.audit.clone()),
            ("revocations", self.revocations.clone()),
            ("writers", self.writers.clone()),
        ]
    }

    /// Closes the pools, then stops the private PostgreSQL if it is ours.
    pub async fn close(self) -> Result<(), DatabaseError> {
        for (_, pool) in self.pools() {
            pool.close().await;
        }
        match self.embedded {
            Some(postgres) => Ok(postgres.stop().await?),
            None => Ok(()),
        }
    }
}
