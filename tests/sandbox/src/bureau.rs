//! The bureau: a folder with a hub's configuration and data, its command line, and the hub itself.

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use notary_hub::app::Addresses;
use notary_hub::embedded::Postgres;
use serde_json::Value;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use synthetic_city::{Level, Office};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::clock::Clock;
use crate::poll::{self, PATIENCE};
use crate::process::{Part, Running, kill_postgres};
use crate::rest::Rest;
use crate::{free_port, programs};

/// What differs from bureau to bureau.
#[derive(Clone, Debug, Default)]
pub struct BureauOptions {
    /// A database to use instead of the hub's private PostgreSQL.
    pub database_url: Option<String>,
    /// More of the hub's configuration.
    pub configuration: String,
}

/// An account for a person.
#[derive(Clone, Copy, Debug)]
pub struct NewAccount<'a> {
    pub login: &'a str,
    pub display_name: &'a str,
    pub role: &'a str,
    /// Of a notary.
    pub office: Option<&'a str>,
    pub password: &'a str,
}

/// A bureau in its folder.
#[derive(Debug)]
pub struct Bureau {
    folder: PathBuf,
    database_url: Option<String>,
    addresses: Addresses,
    running: Option<Running>,
    pool: Option<PgPool>,
    /// Its own, if it has one.
    clock: Option<Clock>,
}

impl Bureau {
    /// Writes the configuration and runs `notary-hub init`.
    ///
    /// # Errors
    /// When the folder cannot be written or `init` fails.
    pub async fn found(folder: &Path, options: &BureauOptions) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)?;
        let folder = folder.canonicalize()?;
        let address =
            || -> anyhow::Result<_> { Ok(SocketAddr::from(([127, 0, 0, 1], free_port()?))) };
        let addresses = Addresses {
            agents: address()?,
            people: address()?,
            metrics: address()?,
        };
        let database = match &options.database_url {
            Some(url) => format!("database.url = '{url}'\n"),
            None => String::new(),
        };
        let text = format!(
            "data_dir = 'data'\n{database}agents.listen = '{}'\npeople.listen = '{}'\nmetrics.listen = '{}'\n{}",
            addresses.agents, addresses.people, addresses.metrics, options.configuration
        );
        fs::write(folder.join("notary-hub.toml"), text)?;
        let bureau = Self {
            folder,
            database_url: options.database_url.clone(),
            addresses,
            running: None,
            pool: None,
            clock: None,
        };
        bureau.run(&["init"]).await.context("notary-hub init")?;
        Ok(bureau)
    }

    /// Where the hub listens, always the same.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    pub fn config_file(&self) -> PathBuf {
        self.folder.join("notary-hub.toml")
    }

    pub fn data_dir(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Where its private PostgreSQL has everything.
    pub fn postgres_dir(&self) -> PathBuf {
        self.data_dir().join("postgres")
    }

    pub fn ca_file(&self) -> PathBuf {
        self.data_dir().join("pki/anchors.pem")
    }

    /// What the hub said, over all its lives.
    pub fn log_file(&self) -> PathBuf {
        self.folder.join("notary-hub.log")
    }

    /// Hub and private PostgreSQL go by a clock of their own from their next start on.
    pub fn go_by(&mut self, clock: Clock) {
        self.clock = Some(clock);
    }

    /// A command that is not run yet.
    ///
    /// # Errors
    /// When the program is not there.
    pub fn command(&self, arguments: &[&str]) -> anyhow::Result<Command> {
        let mut command = Command::new(programs::notary_hub()?);
        command
            .args(arguments)
            .arg("--config")
            .arg(self.config_file())
            .env_remove("NOTARY_HUB_CONFIG");
        if let Some(clock) = &self.clock {
            clock.give(&mut command);
        }
        Ok(command)
    }

    /// Runs a command; returns what it prints as JSON.
    ///
    /// # Errors
    /// When it fails; the error is what it said.
    pub async fn run(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        self.run_with_input(arguments, "").await
    }

    async fn run_with_input(&self, arguments: &[&str], input: &str) -> anyhow::Result<Value> {
        let output = self.output(arguments, input).await?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("notary-hub {}: {}", arguments.join(" "), said.trim());
        }
        serde_json::from_slice(&output.stdout).with_context(|| {
            let said = String::from_utf8_lossy(&output.stdout);
            format!("notary-hub {} printed {said}", arguments.join(" "))
        })
    }

    async fn output(&self, arguments: &[&str], input: &str) -> anyhow::Result<Output> {
        let mut command = self.command(&[arguments, &["--json"]].concat())?;
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let input = input.to_owned();
        let output = tokio::task::spawn_blocking(move || {
            let mut child = command.spawn()?;
            if let Some(mut stdin) = child.stdin.take() {
                stdin.write_all(input.as_bytes())?;
            }
            child.wait_with_output()
        });
        Ok(output.await??)
    }

    /// `office add`.
    ///
    /// # Errors
    /// When the command fails.
    pub async fn add_office(&self, office: &Office) -> anyhow::Result<()> {
        let level = match office.level {
            Level::Municipal => "municipal",
            Level::County => "county",
        };
        self.run(&[
            "office",
            "add",
            office.id.as_str(),
            "--name",
            &office.name,
            "--level",
            level,
            "--district",
            office.district_code,
        ])
        .await?;
        Ok(())
    }

    /// `enroll-token`.
    ///
    /// # Errors
    /// When the command fails.
    pub async fn join_token(&self, office_id: &str) -> anyhow::Result<String> {
        let answer = self.run(&["enroll-token", office_id]).await?;
        let token = answer["join_token"].as_str();
        Ok(token.context("enroll-token prints a token")?.to_owned())
    }

    /// `user add`.
    ///
    /// # Errors
    /// When the command fails.
    pub async fn add_account(&self, account: NewAccount<'_>) -> anyhow::Result<()> {
        let mut arguments = vec!["user", "add", account.login, "--role", account.role];
        arguments.extend(["--display-name", account.display_name, "--password-stdin"]);
        if let Some(office) = account.office {
            arguments.extend(["--office", office]);
        }
        let password = format!("{}\n", account.password);
        self.run_with_input(&arguments, &password).await?;
        Ok(())
    }

    /// Runs the hub and waits until it serves.
    ///
    /// # Errors
    /// When it ends or does not serve in good time.
    pub async fn open(&mut self) -> anyhow::Result<()> {
        let command = self.command(&["serve"])?;
        let mut running = Running::start(command, &self.log_file())?;
        poll::holds("the hub serves", PATIENCE, async || {
            running.must_run().context("notary-hub serve")?;
            Ok(self.announced() && self.is_healthy().await)
        })
        .await?;
        self.running = Some(running);
        Ok(())
    }

    fn announced(&self) -> bool {
        self.data_dir().join("addresses.json").exists()
    }

    async fn is_healthy(&self) -> bool {
        let answer = self.ask_metrics("/healthz").await;
        answer.is_ok_and(|answer| answer.contains(" 200 ") && answer.ends_with("serving\n"))
    }

    /// GET from the metrics address, head and all.
    async fn ask_metrics(&self, path: &str) -> anyhow::Result<String> {
        let ask = async {
            let mut stream = TcpStream::connect(self.addresses.metrics).await?;
            let request = format!("GET {path} HTTP/1.0\r\n\r\n");
            stream.write_all(request.as_bytes()).await?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await?;
            std::io::Result::Ok(answer)
        };
        Ok(timeout(Duration::from_secs(5), ask).await??)
    }

    /// A metric of the hub, summed over its labels; `None` when it was never recorded.
    ///
    /// # Errors
    /// When the hub does not answer.
    pub async fn metric(&self, name: &str) -> anyhow::Result<Option<f64>> {
        let answer = self.ask_metrics("/metrics").await?;
        let values = answer.lines().filter_map(|line| {
            let rest = line.strip_prefix(name)?;
            rest.starts_with([' ', '{'])
                .then(|| rest.rsplit(' ').next()?.parse::<f64>().ok())?
        });
        Ok(values.reduce(|sum, value| sum + value))
    }

    /// kill -9.
    ///
    /// # Errors
    /// When it does not run.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        let running = self.running.take().context("no hub runs")?;
        running.kill().await.context("notary-hub")
    }

    /// kill -9 of its private PostgreSQL, which the hub has to bring back.
    ///
    /// # Errors
    /// When none runs.
    pub fn kill_database(&self, part: Part) -> anyhow::Result<()> {
        kill_postgres(&self.postgres_dir(), part)
    }

    /// The hub itself, without its private PostgreSQL.
    ///
    /// # Errors
    /// When it does not run.
    pub fn running(&mut self) -> anyhow::Result<&mut Running> {
        self.running.as_mut().context("no hub runs")
    }

    /// SIGTERM; returns how it ended.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn close(&mut self) -> anyhow::Result<ExitStatus> {
        if let Some(pool) = self.pool.take() {
            pool.close().await;
        }
        let running = self.running.take().context("no hub runs")?;
        running.terminate().await.context("notary-hub")
    }

    pub fn is_open(&self) -> bool {
        self.running.is_some()
    }

    /// Fails with the end of its log when the hub has ended by itself.
    ///
    /// # Errors
    /// When it does not run.
    pub fn must_run(&mut self) -> anyhow::Result<()> {
        self.running()?.must_run()
    }

    /// The hub's, as the operating system counts.
    ///
    /// # Errors
    /// When it does not run.
    pub fn process_id(&self) -> anyhow::Result<u32> {
        Ok(self.running.as_ref().context("no hub runs")?.id())
    }

    /// The hub's database, as nobody but a test sees it. It outlives the hub's restarts.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub async fn database(&mut self) -> anyhow::Result<PgPool> {
        if let Some(pool) = &self.pool {
            return Ok(pool.clone());
        }
        let url = match &self.database_url {
            Some(url) => url.clone(),
            None => Postgres::start_or_join(&self.postgres_dir())
                .await?
                .url()
                .to_owned(),
        };
        let pool = PgPoolOptions::new().max_connections(2).connect_lazy(&url)?;
        self.pool = Some(pool.clone());
        Ok(pool)
    }

    /// Connections that the hub has to its database.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn connections(&mut self) -> anyhow::Result<u64> {
        let pool = self.database().await?;
        let count: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'notary-hub%'",
        )
        .fetch_one(&pool)
        .await?;
        Ok(count.unsigned_abs())
    }

    /// Ends the file that its database logs to: the next commit needs room for another one of 16 MB.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn end_wal_file(&mut self) -> anyhow::Result<()> {
        let pool = self.database().await?;
        sqlx::query("SELECT pg_switch_wal()").execute(&pool).await?;
        Ok(())
    }

    /// Cells in which the rollup is not what a recomputation gives, by `stats verify`.
    ///
    /// # Errors
    /// When the command cannot answer.
    pub async fn statistics_differences(&self) -> anyhow::Result<usize> {
        let output = self.output(&["stats", "verify"], "").await?;
        // It fails when there are differences, and lists them all the same.
        let answer: Value = serde_json::from_slice(&output.stdout).with_context(|| {
            let said = String::from_utf8_lossy(&output.stderr);
            format!("notary-hub stats verify: {}", said.trim())
        })?;
        let differences = answer["differences"].as_array();
        Ok(differences.context("stats verify lists differences")?.len())
    }

    /// People's interface.
    ///
    /// # Errors
    /// When the CA cannot be read.
    pub fn rest(&self) -> anyhow::Result<Rest> {
        Rest::new(self.addresses.people, &self.ca_file())
    }
}
