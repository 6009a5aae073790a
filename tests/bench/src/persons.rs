//! Person linkage in PostgreSQL: everything linked anew, the candidates of one look-up among all of it, and how fast
//! the workers drain what ingest puts down.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::Context;
use linkage::compare::{Mention, RelatedParties};
use linkage::node::MentionId;
use notary_hub::linking::Linking;
use notary_hub::linking::candidates::candidates;
use notary_hub::linking::model::Models;
use notary_hub::linking::relink::{Relinked, relink};
use notary_hub::linking::run::Runs;
use notary_hub::linking::train::{activate, train};
use notary_hub::rules::Rules;
use notary_hub::store;
use notary_hub::store::linking::compared;
use serde::Serialize;
use sqlx::PgPool;
use time::OffsetDateTime;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::load::Load;
use crate::report::{Measure, progress};
use crate::site::Site;

/// Look-ups of a round.
const LOOKUPS: usize = 1_000;
/// Parties of a case of the synthetic city, about.
const PARTIES_PER_CASE: f64 = 1.47;

/// What was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    parties: u64,
    /// Under the weights of the program, into empty tables.
    first_load: Relinked,
    train_seconds: f64,
    /// The same parties again under their own weights.
    again: Relinked,
    pub(crate) rounds: Vec<Round>,
    drains: Vec<Drain>,
}

/// Scored candidates of so many look-ups one after the other.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Round {
    p50_ms: f64,
    p99_ms: f64,
    /// Persons found at each, on average.
    found: f64,
}

/// The work table from full to empty.
#[derive(Clone, Copy, Debug, Serialize)]
struct Drain {
    workers: usize,
    cases: usize,
    cases_per_second: f64,
}

pub(crate) const MEASURES: [Measure<Round>; 1] = [Measure {
    id: "candidates_p99_ms",
    what: "scored candidates of one look-up among all parties, p99 in ms",
    gate: 20.0,
    stretch: 10.0,
    less_is_better: true,
    ratio: |round| round.p99_ms,
}];

/// Measures on about so many parties, and how fast workers drain so many cases.
pub(crate) async fn measure(
    site: &Site,
    parties: u32,
    drained: u32,
    rounds: u32,
) -> anyhow::Result<Figures> {
    let mut drains = Vec::new();
    if drained > 0 {
        let load = Load::make(drained, 4)?;
        let name = site.filled(&load).await?;
        for workers in [1, 2] {
            let drain = drain(&site.copy_of(&name).await?, workers, load.cases()).await?;
            progress(&drain.to_string())?;
            drains.push(drain);
        }
    }
    let load = Load::make((f64::from(parties) / PARTIES_PER_CASE) as u32, 5)?;
    progress(&format!("taking {} parties in", load.parties()))?;
    let name = site.filled(&load).await?;
    let held = load.parties() as u64;
    drop(load);
    let url = site.url_of(&name);
    let (long, short) = (
        store::pool::general(&url, 1)?,
        store::pool::linking(&url, 2)?,
    );
    let runs = Runs {
        long: &long,
        short: &short,
        tell: &|_| {},
    };
    let first_load = relink(&runs).await?;
    progress(&format!("linked all in {:.1} s", first_load.seconds))?;
    let trained = train(&runs, 2012, OffsetDateTime::now_utc()).await?;
    activate(&long)
        .await?
        .context("weights were just trained")?;
    let again = relink(&runs).await?;
    progress(&format!(
        "trained in {:.1} s and linked again in {:.1} s",
        trained.seconds, again.seconds
    ))?;
    sqlx::query("SET statement_timeout = 0")
        .execute(&long)
        .await?;
    sqlx::query("VACUUM ANALYZE").execute(&long).await?;
    let asked = asked(&long).await?;
    let pool = store::pool::lookups(&url, 1)?.hub;
    let models = Models::default();
    // Whatever a hub has in memory and in its connections once it runs.
    lookups(&pool, &models, &asked[..LOOKUPS / 10]).await?;
    let mut taken = Vec::new();
    for _ in 0..rounds.max(1) {
        taken.push(lookups(&pool, &models, &asked).await?);
    }
    for pool in [&pool, &long, &short] {
        pool.close().await;
    }
    Ok(Figures {
        parties: held,
        first_load,
        train_seconds: trained.seconds,
        again,
        rounds: taken,
        drains,
    })
}

/// Natural persons as somebody at the counter would give them who has no document about them.
async fn asked(pool: &PgPool) -> anyhow::Result<Vec<Mention>> {
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "SELECT m.mention_id FROM mention m JOIN party p USING (office_id, source_case_id, ordinal)
          WHERE p.kind = 'natural' ORDER BY md5(m.mention_id::text) LIMIT $1",
    )
    .bind(i64::try_from(LOOKUPS)?)
    .fetch_all(pool)
    .await?;
    let ids: Vec<MentionId> = ids
        .into_iter()
        .map(|id| MentionId::from(id.into_bytes()))
        .collect();
    let mut connection = pool.acquire().await?;
    let model = Models::default().in_force(&mut connection).await?;
    let mentions = compared::mentions(&mut connection, &ids, &model).await?;
    anyhow::ensure!(mentions.len() == LOOKUPS, "there are enough parties");
    let without_document = |mention| Mention {
        identifier: None,
        related: RelatedParties::default(),
        ..mention
    };
    Ok(mentions.into_values().map(without_document).collect())
}

async fn lookups(pool: &PgPool, models: &Models, asked: &[Mention]) -> anyhow::Result<Round> {
    let mut times = Vec::with_capacity(asked.len());
    let mut found = 0;
    for mention in asked {
        let begun = Instant::now();
        let mut connection = pool.acquire().await?;
        let model = models.in_force(&mut connection).await?;
        let candidates = candidates(&mut connection, mention, &model).await?;
        found += candidates.persons.len();
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    let ms = |share: usize| times[times.len() * share / 100].as_secs_f64() * 1e3;
    Ok(Round {
        p50_ms: ms(50),
        p99_ms: ms(99),
        found: found as f64 / asked.len() as f64,
    })
}

async fn drain(url: &str, workers: usize, cases: usize) -> anyhow::Result<Drain> {
    let pool = store::pool::linking(url, 4)?;
    let linking = Linking::new(pool.clone(), Models::default(), Rules::shipped());
    let begun = Instant::now();
    let mut draining = JoinSet::new();
    for _ in 0..workers {
        let linking = linking.clone();
        draining.spawn(async move { linking.drain().await });
    }
    while let Some(drained) = draining.join_next().await {
        drained??;
    }
    // What was found to be compared again after one of them had looked.
    linking.drain().await?;
    let took: Duration = begun.elapsed();
    anyhow::ensure!(
        store::linking::work::is_drained(&pool).await?,
        "nothing waits"
    );
    pool.close().await;
    Ok(Drain {
        workers,
        cases,
        cases_per_second: cases as f64 / took.as_secs_f64(),
    })
}

impl fmt::Display for Drain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            workers,
            cases,
            cases_per_second,
        } = self;
        write!(
            f,
            "{workers} workers drain {cases} cases at {cases_per_second:.0} cases/s"
        )
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            parties,
            first_load,
            train_seconds,
            again,
            rounds,
            drains,
        } = self;
        writeln!(
            f,
            "persons    {parties} parties linked in {:.1} s, trained on in {train_seconds:.1} s, linked again in {:.1} s",
            first_load.seconds, again.seconds,
        )?;
        for Round {
            p50_ms,
            p99_ms,
            found,
        } in rounds
        {
            writeln!(
                f,
                "candidates p50 {p50_ms:.2} ms, p99 {p99_ms:.2} ms, {found:.1} persons each"
            )?;
        }
        for drain in drains {
            writeln!(f, "drain      {drain}")?;
        }
        Ok(())
    }
}
