//! Weights from what the hub holds, without its truth, and how well they do where verified numbers tell the truth.

use std::collections::HashMap;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Instant;

use linkage::block::Blocks;
use linkage::bulk::{Collection, Scope, share_names};
use linkage::compare::{Mention, VerifiedNumber};
use linkage::name::NameShare;
use linkage::node::{MentionId, NodeId};
use linkage::train::{Quality, TrainingRun};
use linkage::vocabulary::PartyKind;
use linkage::weights::{Provenance, Weights};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use serde::Serialize;
use sqlx::PgPool;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::mpsc;

use super::LinkingError;
use super::everyone::Everyone;
use super::model::Model;
use super::run::{Run, Runs, Step, workers};
use crate::jobs::Begun;
use crate::jobs::Lane;
use crate::store::job;
use crate::store::linking::block::MOST_IN_BLOCK;
use crate::store::linking::exclude_others;
use crate::store::linking::model::{self as store, StoredWeights};
use crate::store::tx;

/// Mentions of which every block is trained on; of more, a share of the blocks.
const MENTIONS_IN_FULL: u64 = 60_000;
/// Pairs at random for each mention: together they tell a u of one in a million where there are many.
const RANDOM_PAIRS_PER_MENTION: usize = 50;
const RANDOM_PAIRS: std::ops::RangeInclusive<usize> = 100_000..=10_000_000;
/// Mentions of one number that quality is measured on: a notary's clerk has thousands.
const MOST_OF_NUMBER: u32 = 8;
/// Mentions that quality is measured on.
const MOST_MEASURED: usize = 200_000;

/// What training came to. The weights wait until they are put in force.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trained {
    pub version: String,
    /// Mentions of natural persons.
    pub mentions: u64,
    /// Pairs compared.
    pub pairs: u64,
    /// Names whose shares were counted.
    pub names: u64,
    /// Mentions with verified numbers that were linked without these, for the measurement.
    pub measured_mentions: u64,
    pub quality: Quality,
    /// Of the weights in force, on the same mentions.
    pub present: Quality,
    pub seconds: f64,
}

/// Trains weights and writes them down to wait. The same data and seed give the same weights.
pub async fn train(
    runs: &Runs<'_>,
    seed: u64,
    now: OffsetDateTime,
) -> Result<Trained, LinkingError> {
    runs.run(Begun::Train, async |run| train_once(run, seed, now).await)
        .await
}

/// Puts the weights that wait in force, once nobody changes persons. Returns their version; none when none wait.
pub async fn activate(pool: &PgPool) -> Result<Option<String>, LinkingError> {
    let mut transaction = tx::begin(pool).await?;
    // A relinking under way began with the weights in force, and has to end with them.
    if !job::enter(&mut transaction, Lane::Persons).await? {
        return Err(LinkingError::RunUnderWay);
    }
    exclude_others(&mut transaction).await?;
    let version = store::activate(&mut transaction).await?;
    transaction.commit().await?;
    Ok(version)
}

async fn train_once(
    run: &Run<'_>,
    seed: u64,
    now: OffsetDateTime,
) -> Result<Trained, LinkingError> {
    let begun = Instant::now();
    let (present, everyone) = {
        let mut moment = tx::snapshot(run.long).await?;
        let present = Model::in_force(&mut moment).await?;
        // How common names are is counted here: the shares in force have no part in it.
        let without_shares = Arc::new(Model::builtin());
        (
            present,
            Everyone::read(&mut moment, &without_shares, run).await?,
        )
    };
    let (sender, mut steps) = mpsc::channel(1);
    let training =
        tokio::task::spawn_blocking(move || make(everyone, &present, seed, now, &sender));
    while let Some(step) = steps.recv().await {
        run.at(step, 0, 0).await?;
    }
    let made = training.await??;
    run.at(Step::Write, 0, 0).await?;
    let stored = StoredWeights {
        content: made.weights.to_toml(),
        mentions: made.mentions,
    };
    let version = made.weights.version().to_owned();
    let mut transaction = tx::begin(run.long).await?;
    store::propose(&mut transaction, &version, &stored, &made.shares).await?;
    transaction.commit().await?;
    let provenance = made.weights.provenance();
    Ok(Trained {
        version,
        mentions: made.mentions,
        pairs: provenance.pairs,
        names: made.shares.len() as u64,
        measured_mentions: provenance.measured_mentions,
        quality: made.quality,
        present: made.present,
        seconds: begun.elapsed().as_secs_f64(),
    })
}

struct Made {
    weights: Weights,
    shares: HashMap<u64, NameShare>,
    mentions: u64,
    quality: Quality,
    present: Quality,
}

fn make(
    everyone: Everyone,
    present: &Model,
    seed: u64,
    now: OffsetDateTime,
    steps: &mpsc::Sender<Step>,
) -> Result<Made, LinkingError> {
    let at = |step| {
        // Whoever waited for it has gone: nothing comes of the run.
        let _ = steps.blocking_send(step);
    };
    at(Step::Count);
    let is_natural = |(_, mention): &(MentionId, Mention)| mention.kind == PartyKind::Natural;
    let (ids, mut mentions): (Vec<_>, Vec<_>) = everyone
        .ids
        .into_iter()
        .zip(everyone.mentions)
        .filter(is_natural)
        .unzip();
    share_names(&mut mentions, workers());
    let shares = mentions
        .iter()
        .filter_map(|mention| Some((mention.name.fingerprint(), mention.name_share?)))
        .collect();
    at(Step::Train);
    let all = mentions.len() as u64;
    let one_in = NonZeroU64::new(all / MENTIONS_IN_FULL).unwrap_or(NonZeroU64::MIN);
    let blocks = Blocks::sample(&mentions, MOST_IN_BLOCK, one_in, workers());
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let wanted = mentions.len().saturating_mul(RANDOM_PAIRS_PER_MENTION);
    let weights = TrainingRun {
        version: version(now),
        data: "the parties of this hub's cases, natural persons".to_owned(),
        seed,
        random_pairs: wanted.clamp(*RANDOM_PAIRS.start(), *RANDOM_PAIRS.end()),
        workers: workers(),
        dice: |below| dice.random_range(0..below),
    }
    .train(&mentions, &blocks)?;
    drop(blocks);
    at(Step::Measure);
    let sample = Sample::of(&ids, &mentions);
    let quality = sample.measure(&weights);
    let provenance = Provenance {
        measured_seed: seed,
        measured_mentions: sample.mentions.len() as u64,
        precision: quality.precision,
        recall: quality.recall,
        f1: quality.f1,
        b_cubed_f1: quality.b_cubed_f1,
        ..weights.provenance().clone()
    };
    Ok(Made {
        weights: weights.with_provenance(provenance),
        shares,
        mentions: all,
        quality,
        present: sample.measure(present.weights()),
    })
}

fn version(now: OffsetDateTime) -> String {
    // To the millisecond: two trainings of one second are two versions.
    let now = now
        .replace_nanosecond(now.millisecond().into())
        .unwrap_or(now);
    let at = now.format(&Rfc3339);
    format!(
        "hub-{}",
        at.unwrap_or_else(|_| now.unix_timestamp().to_string())
    )
}

/// Mentions with verified numbers as if they had none, each on its own, and what the numbers say.
#[derive(Default)]
struct Sample {
    ids: Vec<MentionId>,
    mentions: Vec<Mention>,
    truth: Vec<u64>,
}

impl Sample {
    fn of(ids: &[MentionId], mentions: &[Mention]) -> Self {
        let mut numbers: HashMap<VerifiedNumber, (u64, u32)> = HashMap::new();
        let mut sample = Self::default();
        for (id, mention) in ids.iter().zip(mentions) {
            let Some(number) = mention.verified() else {
                continue;
            };
            // Of too many, the first numbers that come, with all their mentions.
            let is_full = sample.mentions.len() >= MOST_MEASURED;
            if is_full && !numbers.contains_key(&number) {
                continue;
            }
            let next = numbers.len() as u64;
            let (person, count) = numbers.entry(number).or_insert((next, 0));
            *count += 1;
            if *count <= MOST_OF_NUMBER {
                sample.ids.push(*id);
                sample.truth.push(*person);
                sample.mentions.push(Mention {
                    identifier: None,
                    ..mention.clone()
                });
            }
        }
        sample
    }

    /// Harder than what a hub has to do: there most mentions do have a number.
    fn measure(&self, weights: &Weights) -> Quality {
        let nodes: Vec<NodeId> = self.ids.iter().copied().map(NodeId::of_mention).collect();
        let weights = weights.clone().scaled_to(self.mentions.len() as u64);
        let collection = Collection::new(&self.ids, &nodes, &self.mentions);
        let candidates = collection.candidates(MOST_IN_BLOCK, Scope::Reviewable, workers());
        let links = collection.score(&candidates, &weights, workers());
        Quality::of(&collection.persons(&links, weights.link()), &self.truth)
    }
}
