//! What ten times as many cases cost, and thirty times as many offices: the same questions to two hubs side by side,
//! one of which holds a city many times over.

mod duckdb;
mod month;
pub(crate) mod multiply;

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use anyhow::ensure;
use linkage::office::OfficeId;
use notary_hub::statistics::calendar::Calendar;
use notary_hub::statistics::verify;
use serde::Serialize;
use sqlx::PgPool;
use time::Date;

use crate::ingest;
use crate::load::Load;
use crate::lookup;
use crate::report::{Measure, Verdict, median, pass, print_verdicts, progress, sorted, verdicts};
use crate::site::{Hub, Settings, Site};
use duckdb::DuckDb;
pub(crate) use duckdb::Setup;
use month::{Analyst, busiest, grouped};
use multiply::multiply;

/// Cases by office and matter.
type Cells = BTreeMap<(String, String), i64>;

/// Cases that are taken in by a hub; all others are copies of theirs.
const FIRST: u32 = 100_000;
/// Offices of a city and of a large province.
const OFFICES: [usize; 2] = [15, 500];
/// Cases that so many offices send, all the same ones.
const SENT: u32 = 60_000;
/// Times that each side is asked in a round.
const ASKED: usize = 20;

/// How far it goes.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// Cases of the larger hub; the smaller one has a tenth.
    pub(crate) cases: u32,
    pub(crate) rounds: u32,
    pub(crate) time: Duration,
    pub(crate) duckdb: Setup,
}

/// What was measured.
#[derive(Debug, Serialize)]
struct Figures {
    cases: [i64; 2],
    parties: [i64; 2],
    /// What the tables that grew and their indexes take on disk.
    bytes: [i64; 2],
    month: Date,
    /// Cells of the month that both hubs, the cases themselves and DuckDB agree in.
    cells: usize,
    /// Counting all cases anew, and comparing them with what was counted.
    rebuild_seconds: [f64; 2],
    verify_seconds: [f64; 2],
    rounds: Vec<Round>,
}

/// Medians of a round.
#[derive(Clone, Copy, Debug, Serialize)]
struct Round {
    /// One month's figures, with the year and the month before, in ms; of the smaller and of the larger hub.
    figures_ms: [f64; 2],
    /// The month alone, of the larger hub's cases.
    group_by_ms: f64,
    duckdb_ms: f64,
    /// Exact look-ups of 16 clients.
    lookup_ms: [f64; 2],
    /// Cases in a second of so many offices as [`OFFICES`] has.
    offices: [f64; 2],
}

const MEASURES: [Measure<Round>; 3] = [
    Measure {
        id: "figures_grown",
        what: "one month's figures, ten times the cases / once",
        gate: 1.5,
        stretch: 1.2,
        less_is_better: true,
        ratio: |round| round.figures_ms[1] / round.figures_ms[0],
    },
    Measure {
        id: "lookup_grown",
        what: "look-up p50, ten times the parties / once",
        gate: 1.5,
        stretch: 1.2,
        less_is_better: true,
        ratio: |round| round.lookup_ms[1] / round.lookup_ms[0],
    },
    Measure {
        id: "offices_grown",
        what: "cases taken in from 500 agents / from 15, messages of 20",
        gate: 0.5,
        stretch: 0.75,
        less_is_better: false,
        ratio: |round| round.offices[1] / round.offices[0],
    },
];

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    settings: Settings,
    figures: Figures,
    results: Vec<Verdict>,
}

impl Report {
    pub(crate) async fn make(options: &Options) -> anyhow::Result<Self> {
        progress("making cases and a database")?;
        let site = Site::start(0).await?;
        let settings = site.settings().await?;
        let figures = measure(&site, options).await?;
        site.stop().await?;
        Ok(Self {
            results: verdicts(&figures.rounds, &MEASURES),
            settings,
            figures,
        })
    }

    /// Whether every gate is met.
    pub(crate) fn passes(&self) -> bool {
        pass(&self.results)
    }

    pub(crate) fn print(&self) -> io::Result<()> {
        let mut out = io::stdout().lock();
        writeln!(out, "\n{}\n{}", self.settings, self.figures)?;
        print_verdicts(&mut out, &self.results)
    }
}

/// Two hubs of one city, one of them ten times as full.
async fn measure(site: &Site, options: &Options) -> anyhow::Result<Figures> {
    let tenth = options.cases / 10;
    let load = Load::make(FIRST.min(tenth), 6)?;
    let first = site.filled(&load).await?;
    let office = load.dealt_to("two", 2, 1000)[0].office_id;
    drop(load);
    let mut sides = Vec::new();
    for cases in [tenth, options.cases] {
        sides.push(Side::grow(site, &first, cases).await?);
    }
    let sides: [Side; 2] = sides.try_into().expect("two were made");
    let month = busiest(&sides[0].hub.pool).await?;
    let mut asked = Asked::open(&sides, options, office, month).await?;
    let mut rounds = Vec::new();
    let mut cells = 0;
    for number in 1..=options.rounds.max(1) {
        let (counted, round) = asked.round(site, &sides).await?;
        cells = counted;
        progress(&format!("round {number} of {}: {round}", options.rounds))?;
        rounds.push(round);
    }
    drop(asked);
    let figures = Figures {
        cases: sides.each_ref().map(|side| side.cases),
        parties: sides.each_ref().map(|side| side.parties),
        bytes: sides.each_ref().map(|side| side.bytes),
        month,
        cells,
        rebuild_seconds: sides.each_ref().map(|side| side.rebuild_seconds),
        verify_seconds: sides.each_ref().map(|side| side.verify_seconds),
        rounds,
    };
    for side in sides {
        side.hub.stop().await?;
    }
    Ok(figures)
}

/// A hub that is as full as it should be, its figures counted.
#[derive(Debug)]
struct Side {
    hub: Hub,
    /// Copies of the first city.
    times: u32,
    cases: i64,
    parties: i64,
    bytes: i64,
    rebuild_seconds: f64,
    verify_seconds: f64,
}

impl Side {
    async fn grow(site: &Site, first: &str, cases: u32) -> anyhow::Result<Self> {
        progress(&format!("making a hub of {cases} cases"))?;
        let url = site.copy_of(first).await?;
        let pool = notary_hub::store::pool::general(&url, 1)?;
        let times =
            u32::try_from(i64::from(cases) / count(&pool, "case_record").await?.max(1))?.max(1);
        multiply(&url, times).await?;
        let calendar = Calendar::builtin();
        let begun = std::time::Instant::now();
        verify::rebuild(&pool, &calendar, &AtomicU64::default()).await?;
        let rebuild_seconds = begun.elapsed().as_secs_f64();
        let begun = std::time::Instant::now();
        let proof = verify::verify(&pool, &calendar).await?;
        let verify_seconds = begun.elapsed().as_secs_f64();
        ensure!(proof.differences.is_empty(), "figures and cases are equal");
        let (cases, parties) = (
            count(&pool, "case_record").await?,
            count(&pool, "party").await?,
        );
        let bytes = multiply::bytes(&pool).await?;
        pool.close().await;
        progress(&format!(
            "{cases} cases, {parties} parties, {} MB: counted in {rebuild_seconds:.1} s, verified in {verify_seconds:.1} s",
            bytes >> 20
        ))?;
        Ok(Self {
            hub: site.serve_unlinked(url).await?,
            times,
            cases,
            parties,
            bytes,
            rebuild_seconds,
            verify_seconds,
        })
    }
}

async fn count(pool: &PgPool, table: &str) -> anyhow::Result<i64> {
    let sql = format!("SELECT count(*) FROM {table}");
    let mut connection = pool.acquire().await?;
    sqlx::query("SET statement_timeout = 0")
        .execute(&mut *connection)
        .await?;
    let counted = sqlx::query_scalar(sqlx::AssertSqlSafe(sql));
    Ok(counted.fetch_one(&mut *connection).await?)
}

/// Everybody who asks.
struct Asked {
    analysts: [Analyst; 2],
    lookups: [lookup::Bench; 2],
    duckdb: DuckDb,
    month: Date,
    sent: Load,
}

impl Asked {
    async fn open(
        sides: &[Side; 2],
        options: &Options,
        office: OfficeId,
        month: Date,
    ) -> anyhow::Result<Self> {
        let [small, large] = sides.each_ref().map(|side| &side.hub);
        Ok(Self {
            analysts: [
                Analyst::sign_in(small, month).await?,
                Analyst::sign_in(large, month).await?,
            ],
            lookups: [
                lookup::Bench::open(small, office, options.time).await?,
                lookup::Bench::open(large, office, options.time).await?,
            ],
            duckdb: DuckDb::start(&options.duckdb, &large.pool, month).await?,
            month,
            sent: Load::make(SENT, 7)?,
        })
    }

    /// Everybody in turn, and whether all of them say the same. Returns the cells of the month.
    async fn round(&mut self, site: &Site, sides: &[Side; 2]) -> anyhow::Result<(usize, Round)> {
        let mut figures = [Vec::new(), Vec::new()];
        let (mut group_by, mut duckdb) = (Vec::new(), Vec::new());
        let mut cells = 0;
        for _ in 0..ASKED {
            let mut said = Vec::new();
            for (analyst, times) in self.analysts.iter().zip(&mut figures) {
                let (took, cells) = analyst.ask().await?;
                times.push(took);
                said.push(cells);
            }
            let (took, grouped) = grouped(&sides[1].hub.pool, self.month).await?;
            group_by.push(took);
            let (took, ducks) = self.duckdb.ask().await?;
            duckdb.push(took);
            ensure!(said[1] == grouped && grouped == ducks, "all count the same");
            ensure!(
                grown(&said[0], sides[1].times) == grown(&said[1], sides[0].times),
                "both hubs have the same cells"
            );
            cells = grouped.len();
        }
        let mut lookup_ms = [0.0; 2];
        for (bench, median) in self.lookups.iter().zip(&mut lookup_ms) {
            *median = middle(&bench.through_the_hub().await?.1);
        }
        let mut offices = [0.0; 2];
        for (count, rate) in OFFICES.iter().zip(&mut offices) {
            let hub = site.hub().await?;
            let parts = self.sent.dealt_to("many", *count, 20);
            *rate = self.sent.rate(ingest::run(&hub, &parts).await?);
            hub.stop().await?;
        }
        Ok((
            cells,
            Round {
                figures_ms: figures.each_ref().map(|times| middle(times)),
                group_by_ms: middle(&group_by),
                duckdb_ms: middle(&duckdb),
                lookup_ms,
                offices,
            },
        ))
    }
}

/// What a city so many times over would count.
fn grown(cells: &Cells, times: u32) -> Cells {
    let grown = cells.iter();
    let grown = grown.map(|(key, cases)| (key.clone(), cases * i64::from(times)));
    grown.collect()
}

/// Median in ms.
fn middle(times: &[Duration]) -> f64 {
    median(&sorted(times, |time| time.as_secs_f64() * 1e3))
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            figures_ms: [small, large],
            group_by_ms,
            duckdb_ms,
            lookup_ms: [few, many],
            offices: [city, province],
        } = self;
        write!(
            f,
            "figures {small:.2} and {large:.2} ms (GROUP BY {group_by_ms:.1} ms, DuckDB {duckdb_ms:.2} ms), look-ups \
             {few:.2} and {many:.2} ms, offices {city:.0} and {province:.0} cases/s"
        )
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            cases: [small, large],
            parties: [few, many],
            bytes,
            month,
            cells,
            rebuild_seconds: [rebuild, rebuild_large],
            verify_seconds: [verify, verify_large],
            rounds,
        } = self;
        writeln!(
            f,
            "{small} and {large} cases with {few} and {many} parties, {} and {} MB; {cells} cells of {month}\n\
             counted anew in {rebuild:.1} and {rebuild_large:.1} s, verified in {verify:.1} and {verify_large:.1} s",
            bytes[0] >> 20,
            bytes[1] >> 20,
        )?;
        for round in rounds {
            writeln!(f, "{round}")?;
        }
        Ok(())
    }
}
