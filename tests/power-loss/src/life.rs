//! An agent's life as far as its disk knows: the agent's own code takes cases in, hears the hub's acknowledgements, lets
//! old records go, renews its identity, is killed or ends, and has its outbox mended.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context;
use notary_proto::hub::v1::record::Payload;
use notary_proto::hub::v1::{Notice, Record};
use office_agent::config::SourceName;
use office_agent::identity;
use office_agent::outbox::{self, Clock, Cursor, Entry, FILE, Outbox};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use rusqlite::Connection;
use time::{Duration, OffsetDateTime};

use crate::DATA_DIR;
use crate::promise::{Mark, append_up_to, case, records_of, total};

/// Appends for which acknowledged records are kept; the clock goes on by an hour with each.
const RETENTION: u64 = 20;
/// Appends of one part of a life; the longest make SQLite move its log into the database by itself, and begin it anew.
const APPENDS: [u64; 4] = [10, 25, 40, 150];

/// One process of a life.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Part {
    #[arg(long)]
    pub seed: u64,
    /// Which of the life's processes it is, from 0.
    #[arg(long)]
    pub nth: u64,
}

impl Part {
    /// Processes of one life.
    pub(crate) const OF_A_LIFE: u64 = 4;

    /// Lives it, with a data directory below this folder, and says what it promises.
    ///
    /// # Errors
    /// When the agent's code fails.
    pub fn live(self, folder: &Path) -> anyhow::Result<()> {
        let data_dir = folder.join(DATA_DIR);
        let mut dice = ChaCha8Rng::seed_from_u64(self.seed * Self::OF_A_LIFE + self.nth);
        if self.nth == 0 {
            identity::make_dir(&data_dir)?;
            enrol(&data_dir)?;
        } else if self.nth == 2 {
            mend(&data_dir.join(FILE))?;
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let agent = Agent::start(&data_dir, &runtime)?;
        for _ in 0..APPENDS[dice.random_range(0..APPENDS.len())] {
            runtime.block_on(agent.append())?;
            runtime.block_on(agent.hear(&mut dice))?;
            if dice.random_bool(0.02) {
                enrol(&data_dir)?;
            }
        }
        if dice.random_bool(0.5) {
            // Killed, as far as the disk knows.
            std::process::exit(0);
        }
        Ok(())
    }
}

/// Stores a new identity in place of the one before, as enrolment and renewals do.
fn enrol(data_dir: &Path) -> anyhow::Result<()> {
    let elsewhere = tempfile::tempdir()?;
    identity::store(data_dir, &simulation::enrol(elsewhere.path())?)?;
    Mark::Enrolled.say()
}

/// Damages what is no record, as a disk would, and has it mended.
fn mend(file: &Path) -> anyhow::Result<()> {
    Mark::Damaged.say()?;
    let connection = Connection::open(file)?;
    connection.execute("UPDATE source SET seal = x'00'", [])?;
    drop(connection);
    outbox::mend(file, hour(0))?.context("there was damage")?;
    Mark::Mended.say()
}

/// What works on an outbox.
struct Agent {
    outbox: Outbox,
    source: SourceName,
    /// Appends so far.
    kept: Arc<AtomicU64>,
}

impl Agent {
    fn start(data_dir: &Path, runtime: &tokio::runtime::Runtime) -> anyhow::Result<Self> {
        let kept = Arc::new(AtomicU64::new(0));
        let hours = Arc::clone(&kept);
        let clock: Clock = Arc::new(move || hour(hours.load(Ordering::Relaxed)));
        let agent = Self {
            outbox: Outbox::open_in_simulation(data_dir.join(FILE), clock)?,
            source: source()?,
            kept,
        };
        runtime.block_on(agent.find_place())?;
        Ok(agent)
    }

    /// Finds how far it was, and greets the hub.
    async fn find_place(&self) -> anyhow::Result<()> {
        let last = self.outbox.position().await?.last;
        let window = self.outbox.read(last, 1, usize::MAX).await?;
        let last = window.records.first().map_or(Ok(0), number)?;
        let kept = append_up_to(last).context("appends are whole")?;
        self.kept.store(kept, Ordering::Relaxed);
        self.speak().await
    }

    async fn speak(&self) -> anyhow::Result<()> {
        let position = self.outbox.position().await?;
        Mark::Speaks {
            behind: total(self.kept.load(Ordering::Relaxed)) - position.last,
            epoch: position.epoch,
        }
        .say()
    }

    async fn append(&self) -> anyhow::Result<()> {
        let append = self.kept.load(Ordering::Relaxed) + 1;
        let entries = records_of(append).map(|n| Entry::Case(Box::new(case(n))));
        let cursor = Some(Cursor(append.to_string()));
        Mark::Begins(append).say()?;
        self.outbox
            .append(&self.source, entries.collect(), cursor)
            .await?;
        Mark::Keeps(append).say()?;
        self.kept.store(append, Ordering::Relaxed);
        Ok(())
    }

    /// What the hub says meanwhile, and what the agent does about the house.
    async fn hear(&self, dice: &mut ChaCha8Rng) -> anyhow::Result<()> {
        let position = self.outbox.position().await?;
        if dice.random_bool(0.6) {
            self.outbox.offer().await?;
            let acked = dice.random_range(position.acked..=position.last);
            self.outbox.acked(acked, Vec::new()).await?;
        }
        if dice.random_bool(0.1) {
            let kept = self.kept.load(Ordering::Relaxed);
            Mark::LetsGo(kept.saturating_sub(RETENTION + 1)).say()?;
            let retention = i64::try_from(RETENTION)?;
            self.outbox.trim(Duration::hours(retention)).await?;
        }
        if dice.random_bool(0.1) {
            let notice_id = format!("notice-{}", position.last);
            let notice = Notice {
                notice_id,
                ..Notice::default()
            };
            self.outbox.keep_notice(notice).await?;
        }
        if dice.random_bool(0.03) {
            self.outbox.reoffer("another hub").await?;
            self.speak().await?;
        }
        Ok(())
    }
}

/// The clock, so many appends after the beginning.
pub(crate) fn hour(appends: u64) -> OffsetDateTime {
    let hours = i64::try_from(appends).unwrap_or_default();
    OffsetDateTime::UNIX_EPOCH + Duration::days(20_000) + Duration::hours(hours)
}

/// The source that cases come from.
pub(crate) fn source() -> anyhow::Result<SourceName> {
    "cases".parse().map_err(anyhow::Error::msg)
}

/// The number of a record.
pub(crate) fn number(record: &Record) -> anyhow::Result<u64> {
    match &record.payload {
        Some(Payload::Case(case)) => Ok(case.fee_charged_fen.cast_unsigned()),
        other => anyhow::bail!("no case but {other:?}"),
    }
}
