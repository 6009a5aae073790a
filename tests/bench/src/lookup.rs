//! Look-ups over gRPC and mutual TLS, each with its audit entry, against pgbench running the same statement on the same
//! database: 16 clients each, in rounds that interleave.

use std::fmt;
use std::fmt::Write as _;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use linkage::office::OfficeId;
use notary_hub::identity::Role;
use notary_hub::identity::account::{self, NewAccount};
use notary_hub::store::lookup::{FIND, MOST_BEHIND_A_TOKEN};
use notary_proto::hub::v1::lookup_service_client::LookupServiceClient;
use sandbox::client;
use serde::Serialize;
use sqlx::PgPool;
use tempfile::TempDir;
use tokio::process::Command;
use tokio::task::JoinSet;
use tonic::transport::Channel;

use crate::agent;
use crate::report::Measure;
use crate::site::Hub;

/// Clients of either side.
const CLIENTS: usize = 16;
/// Persons looked up in turn; pgbench takes no more scripts than 128.
const PERSONS: i64 = 100;
/// As the hub's own pool of look-ups has it.
const PLANNER: &str =
    "-c enable_hashjoin=off -c enable_mergejoin=off -c enable_seqscan=off -c jit=off";

/// Look-ups in a second, and how long the hub's took.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Round {
    pub(crate) pgbench: f64,
    pub(crate) hub: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
}

pub(crate) const MEASURES: [Measure<Round>; 2] = [
    Measure {
        id: "lookup_to_pgbench",
        what: "exact look-up (mTLS, audit included) / pgbench -M prepared, 16 clients each",
        gate: 0.30,
        stretch: 0.50,
        less_is_better: false,
        ratio: |round| round.hub / round.pgbench,
    },
    Measure {
        id: "lookup_p99_to_p50",
        what: "look-up p99 / p50, 16 clients",
        gate: 4.0,
        stretch: 3.0,
        less_is_better: true,
        ratio: |round| round.p99_ms / round.p50_ms,
    },
];

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            pgbench,
            hub,
            p50_ms,
            p99_ms,
        } = self;
        write!(
            f,
            "pgbench {pgbench:.0}/s, hub {hub:.0}/s, p50 {p50_ms:.2} ms, p99 {p99_ms:.2} ms"
        )
    }
}

/// Tokens of persons that the database knows.
async fn persons(pool: &PgPool) -> anyhow::Result<Vec<Vec<u8>>> {
    let persons: Vec<Vec<u8>> = sqlx::query_scalar(
        "SELECT DISTINCT id_token FROM (SELECT id_token FROM party WHERE id_token IS NOT NULL AND kind = 'natural'
          ORDER BY md5(id_token) LIMIT 1000) AS sample LIMIT $1",
    )
    .bind(PERSONS)
    .fetch_all(pool)
    .await?;
    anyhow::ensure!(!persons.is_empty(), "the database knows persons");
    Ok(persons)
}

/// Everything that a round needs.
#[derive(Debug)]
pub(crate) struct Bench {
    channels: Vec<Channel>,
    session: String,
    persons: Vec<Vec<u8>>,
    scripts: TempDir,
    time: Duration,
}

impl Bench {
    /// Clients with the office's certificate and the session of one of its notaries.
    pub(crate) async fn open(
        hub: &Hub,
        office_id: OfficeId,
        time: Duration,
    ) -> anyhow::Result<Self> {
        let (chain, key) = agent::enrol(hub, office_id).await?;
        let tls = client::config(&hub.ca_file, Some((chain, key)))?;
        let address = hub.addresses().agents;
        let channels = (0..CLIENTS).map(|_| agent::channel(address, Arc::clone(&tls)));
        let scripts = tempfile::tempdir()?;
        Ok(Self {
            channels: channels.collect(),
            session: sign_in(hub, office_id).await?,
            persons: persons(&hub.pool).await?,
            scripts,
            time,
        })
    }

    /// pgbench, then the hub.
    pub(crate) async fn round(&self, hub: &Hub) -> anyhow::Result<Round> {
        let pgbench = self.pgbench(&hub.url).await?;
        let (hub, mut latencies) = self.through_the_hub().await?;
        latencies.sort_unstable();
        let at = |percent: usize| {
            let index = latencies.len() * percent / 100;
            let latency = latencies.get(index);
            latency.map_or(f64::NAN, |latency| latency.as_secs_f64() * 1000.0)
        };
        Ok(Round {
            pgbench,
            hub,
            p50_ms: at(50),
            p99_ms: at(99),
        })
    }

    /// Look-ups in a second, and how long each took.
    pub(crate) async fn through_the_hub(&self) -> anyhow::Result<(f64, Vec<Duration>)> {
        let begun = Instant::now();
        let mut clients = JoinSet::new();
        for (number, channel) in self.channels.iter().enumerate() {
            let client = LookupServiceClient::new(channel.clone());
            let (session, persons) = (self.session.clone(), self.persons.clone());
            let until = begun + self.time;
            clients.spawn(client_runs(client, session, persons, number, until));
        }
        let mut latencies = Vec::new();
        while let Some(taken) = clients.join_next().await {
            latencies.extend(taken??);
        }
        let rate = latencies.len() as f64 / begun.elapsed().as_secs_f64();
        Ok((rate, latencies))
    }

    /// Transactions in a second, by pgbench's own word.
    async fn pgbench(&self, url: &str) -> anyhow::Result<f64> {
        let mut command = Command::new(program()?);
        command
            .args(["--no-vacuum", "--protocol=prepared", "--jobs=2"])
            .arg(format!("--client={CLIENTS}"))
            .arg(format!("--time={}", self.time.as_secs()))
            .env("PGOPTIONS", PLANNER);
        for (number, token) in self.persons.iter().enumerate() {
            let file = self.scripts.path().join(format!("lookup-{number}.sql"));
            std::fs::write(&file, statement(token)?)?;
            command.arg("--file").arg(file);
        }
        let output = command
            .arg(url)
            .stderr(Stdio::piped())
            .output()
            .await
            .context("run pgbench")?;
        let said = String::from_utf8_lossy(&output.stdout);
        let rate = said
            .lines()
            .find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
        rate.with_context(|| {
            let complaint = String::from_utf8_lossy(&output.stderr);
            format!("pgbench said no rate: {said}{complaint}")
        })
    }
}

async fn sign_in(hub: &Hub, office_id: OfficeId) -> anyhow::Result<String> {
    let login = format!("bench-{office_id}");
    let password = "correct horse battery";
    let notary = NewAccount {
        login: &login,
        display_name: "bench",
        role: Role::Notary(office_id),
    };
    account::add(&hub.pool, &hub.pepper, notary, password).await?;
    let people = agent::channel(hub.addresses().people, client::config(&hub.ca_file, None)?);
    client::sign_in(people, &login, password).await
}

async fn client_runs(
    mut client: LookupServiceClient<Channel>,
    session: String,
    persons: Vec<Vec<u8>>,
    number: usize,
    until: Instant,
) -> anyhow::Result<Vec<Duration>> {
    let mut latencies = Vec::new();
    let mut turn = number;
    while Instant::now() < until {
        let question = client::question("bench", &persons[turn % persons.len()]);
        let request = client::signed(question, &session)?;
        let asked = Instant::now();
        let answer = client.check_application(request).await?.into_inner();
        latencies.push(asked.elapsed());
        if answer.receipt.is_none() {
            bail!("an answer has a receipt");
        }
        turn += CLIENTS - 1;
    }
    Ok(latencies)
}

/// The hub's statement with one person's token in the place of its parameters.
fn statement(token: &[u8]) -> anyhow::Result<String> {
    let mut hex = String::new();
    for byte in token {
        write!(hex, "{byte:02x}")?;
    }
    let statement: Vec<&str> = FIND
        .lines()
        .filter(|line| !line.starts_with("--"))
        .collect();
    Ok(statement
        .join("\n")
        .replace("$10", "'{}'")
        .replace("$11", &format!("ARRAY['\\x{hex}']"))
        .replace("$12", "'bench'")
        .replace("$13", "'{will,safekeeping}'")
        .replace("$1", &format!("ARRAY['\\x{hex}']"))
        .replace("$2", "'{}'")
        .replace("$3", &MOST_BEHIND_A_TOKEN.to_string())
        .replace("$4", "'{will,safekeeping}'")
        .replace("$5", "'{}'")
        .replace("$6", "'{}'")
        .replace("$7", "'{}'")
        .replace("$8", "101")
        .replace("$9", "'{}'")
        + ";\n")
}

fn program() -> anyhow::Result<std::path::PathBuf> {
    let folders = std::fs::read_dir("/usr/lib/postgresql").context("PostgreSQL is installed")?;
    let mut found: Vec<_> = folders
        .filter_map(|folder| Some(folder.ok()?.path().join("bin/pgbench")))
        .filter(|program| program.exists())
        .collect();
    found.sort();
    found.pop().context("pgbench comes with PostgreSQL")
}
