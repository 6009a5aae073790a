//! One PostgreSQL for the whole run, and hubs on databases of their own in it.

use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::Context;
use linkage::office::OfficeId;
use linkage::token::TokenAlgorithm;
use notary_hub::app::{Addresses, App};
use notary_hub::config::Config;
use notary_hub::embedded::{Durability, Postgres};
use notary_hub::identity::account::pepper::Pepper;
use notary_hub::identity::enrolment::make_join_token;
use notary_hub::identity::pki::Pki;
use notary_hub::store;
use notary_hub::store::office::{Level, NewOffice};
use serde::Serialize;
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};
use tempfile::TempDir;
use time::OffsetDateTime;

use crate::growth::multiply::multiply;
use crate::ingest;
use crate::load::Load;

/// Database that every measurement's is a copy of.
const TEMPLATE: &str = "bench_template";
/// Cases that are taken in to fill it; what is more is copied of them.
const TAKEN_IN: u32 = 100_000;
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Where everything runs.
#[derive(Debug)]
pub(crate) struct Site {
    folder: TempDir,
    postgres: Postgres,
    databases: AtomicU32,
}

/// A hub that serves in this process.
#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) url: String,
    pub(crate) ca_file: PathBuf,
    pub(crate) pool: PgPool,
    /// What passwords of this hub are hashed with.
    pub(crate) pepper: Pepper,
    app: App,
}

/// What the figures depend on.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Settings {
    /// Model of its processor.
    pub(crate) machine: String,
    pub(crate) memory_gb: u64,
    pub(crate) cores: usize,
    pub(crate) postgres: String,
    pub(crate) fsync: String,
    pub(crate) synchronous_commit: String,
    pub(crate) shared_buffers: String,
    pub(crate) max_wal_size: String,
}

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            machine,
            memory_gb,
            cores,
            postgres,
            fsync,
            synchronous_commit,
            shared_buffers,
            max_wal_size,
        } = self;
        write!(
            f,
            "{machine}, {memory_gb} GB; {cores} cores for clients, hub and PostgreSQL {postgres} (fsync {fsync}, synchronous_commit \
             {synchronous_commit}, shared_buffers {shared_buffers}, max_wal_size {max_wal_size})"
        )
    }
}

impl Site {
    /// Fully durable, as a hub runs. The template holds `on_top_of` cases.
    pub(crate) async fn start(on_top_of: u32) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        // PostgreSQL may run as another user, who must get there.
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755))?;
        let postgres = Postgres::start(&folder.path().join("postgres"), Durability::Full).await?;
        let site = Self {
            folder,
            postgres,
            databases: AtomicU32::new(0),
        };
        Pki::create(
            &site.config("", "")?,
            TokenAlgorithm::HmacSha256,
            OffsetDateTime::now_utc(),
        )?;
        site.make_template(on_top_of).await?;
        Ok(site)
    }

    async fn make_template(&self, on_top_of: u32) -> anyhow::Result<()> {
        let create = format!("CREATE DATABASE {TEMPLATE}");
        self.execute(create).await?;
        let hub = self.serve(self.postgres.url_of(TEMPLATE)).await?;
        if on_top_of > 0 {
            let first = on_top_of.min(TAKEN_IN);
            let fill = Load::make(first, 2)?.dealt_to("fill", 2, 1000);
            ingest::run(&hub, &fill).await?;
            hub.stop().await?;
            return multiply(&self.url_of(TEMPLATE), on_top_of / first).await;
        }
        hub.stop().await
    }

    /// URL of a fresh copy of the template; everything written so far is on disk.
    pub(crate) async fn database(&self) -> anyhow::Result<String> {
        self.copy_of(TEMPLATE).await
    }

    /// The same of another database, to which nobody may be connected.
    pub(crate) async fn copy_of(&self, other: &str) -> anyhow::Result<String> {
        Ok(self.url_of(&self.named_copy_of(other).await?))
    }

    async fn named_copy_of(&self, other: &str) -> anyhow::Result<String> {
        let name = format!("bench_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let create = format!("CREATE DATABASE {name} TEMPLATE {other}");
        self.execute(create).await?;
        self.execute("CHECKPOINT".to_owned()).await?;
        Ok(name)
    }

    pub(crate) fn url_of(&self, database: &str) -> String {
        self.postgres.url_of(database)
    }

    /// Name of a database that took a load in and linked none of it.
    pub(crate) async fn filled(&self, load: &Load) -> anyhow::Result<String> {
        let name = self.named_copy_of(TEMPLATE).await?;
        let hub = self.serve_unlinked(self.url_of(&name)).await?;
        ingest::run(&hub, &load.dealt_to("two", 2, 1000)).await?;
        hub.settle().await?;
        hub.stop().await?;
        Ok(name)
    }

    /// A hub on a fresh database.
    pub(crate) async fn hub(&self) -> anyhow::Result<Hub> {
        self.serve(self.database().await?).await
    }

    /// A hub on a database of one's own, whose persons stay unlinked.
    pub(crate) async fn serve_unlinked(&self, url: String) -> anyhow::Result<Hub> {
        self.serve_with(url, "linking.workers = 0\n").await
    }

    async fn serve(&self, url: String) -> anyhow::Result<Hub> {
        self.serve_with(url, "").await
    }

    async fn serve_with(&self, url: String, extra: &str) -> anyhow::Result<Hub> {
        let config = self.config(&url, extra)?;
        let ca_file = config.pki_dir().join("anchors.pem");
        let pepper = Pki::load(&config)?.account_keys.passwords;
        let app = App::start(config).await?;
        // Not the hub's: what is asked beside it may take as long as it takes.
        let pool = PgPoolOptions::new().max_connections(2).connect_lazy(&url)?;
        Ok(Hub {
            url,
            ca_file,
            pool,
            pepper,
            app,
        })
    }

    fn config(&self, url: &str, extra: &str) -> anyhow::Result<Config> {
        let listeners = ["agents", "people", "metrics"]
            .map(|listener| format!("{listener}.listen = '127.0.0.1:0'\n"))
            .concat();
        let database = match url {
            "" => String::new(),
            url => format!("database.url = '{url}'\n"),
        };
        let data_dir = self.folder.path().join("hub");
        let budget =
            "lookup.person_per_minute = 1000000000\nlookup.office_per_minute = 1000000000\n";
        let text = format!(
            "data_dir = '{}'\n{listeners}{database}{budget}{extra}",
            data_dir.display()
        );
        Ok(Config::parse(
            &text,
            &self.folder.path().join("bench.toml"),
            [],
        )?)
    }

    async fn execute(&self, sql: String) -> anyhow::Result<()> {
        let mut admin = PgConnection::connect(&self.postgres.url_of("postgres")).await?;
        sqlx::query(AssertSqlSafe(sql)).execute(&mut admin).await?;
        Ok(admin.close().await?)
    }

    pub(crate) async fn settings(&self) -> anyhow::Result<Settings> {
        let mut admin = PgConnection::connect(&self.postgres.url_of("postgres")).await?;
        let mut shown = Vec::new();
        for setting in [
            "server_version",
            "fsync",
            "synchronous_commit",
            "shared_buffers",
            "max_wal_size",
        ] {
            let value: String = sqlx::query_scalar("SELECT current_setting($1)")
                .bind(setting)
                .fetch_one(&mut admin)
                .await?;
            shown.push(value);
        }
        let [
            postgres,
            fsync,
            synchronous_commit,
            shared_buffers,
            max_wal_size,
        ] = shown.try_into().ok().context("five settings")?;
        Ok(Settings {
            machine: proc_line("/proc/cpuinfo", "model name")?,
            memory_gb: proc_line("/proc/meminfo", "MemTotal")?
                .trim_end_matches(" kB")
                .parse::<u64>()?
                .div_ceil(1 << 20),
            cores: std::thread::available_parallelism()?.get(),
            postgres,
            fsync,
            synchronous_commit,
            shared_buffers,
            max_wal_size,
        })
    }

    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        Ok(self.postgres.stop().await?)
    }
}

impl Hub {
    pub(crate) fn addresses(&self) -> &Addresses {
        self.app.addresses()
    }

    /// A join token of an office, which is added when it is not there yet.
    pub(crate) async fn join_token(&self, office_id: OfficeId) -> anyhow::Result<String> {
        let office = NewOffice {
            office_id,
            name: format!("{office_id}公证处"),
            level: Level::Municipal,
            district: "330102".parse()?,
        };
        store::office::insert(&self.pool, &office).await?;
        let token = make_join_token(&self.pool, office_id, DAY).await?;
        Ok(token.context("the office was just added")?.reveal())
    }

    /// Statistics for the planner, as autovacuum would make them.
    pub(crate) async fn settle(&self) -> anyhow::Result<()> {
        sqlx::query("VACUUM ANALYZE").execute(&self.pool).await?;
        Ok(())
    }

    /// Cases held, and records in quarantine.
    pub(crate) async fn held(&self) -> anyhow::Result<(i64, i64)> {
        let cases = sqlx::query_scalar("SELECT count(*) FROM case_record");
        let rejects = sqlx::query_scalar("SELECT count(*) FROM reject");
        Ok((
            cases.fetch_one(&self.pool).await?,
            rejects.fetch_one(&self.pool).await?,
        ))
    }

    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.pool.close().await;
        Ok(self.app.stop().await?)
    }
}

/// What a file of `/proc` says under a name.
fn proc_line(file: &str, name: &str) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(file)?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let value = line.with_context(|| format!("{file} has no {name}"))?;
    Ok(value.trim_start_matches([' ', '\t', ':']).to_owned())
}
