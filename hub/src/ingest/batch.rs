//! One transaction: positions, rules, probe, plan, write, duplicates, commit.

use std::collections::HashMap;

use linkage::matter::RuleSet;
use linkage::office::OfficeId;
use linkage::vocabulary::{FoundBy, RejectRule};
use sqlx::PgConnection;
use uuid::Uuid;

use super::Context;
use super::decode::{self, Decoded};
use super::plan::{Batch, Incoming, Plan, Quarantined, Reason, Write};
use crate::duplicates::{self, watched};
use crate::store::case::child::{Keyed, rank};
use crate::store::duplicate::Sought;
use crate::store::feed::sync::{Position, Progress};
use crate::store::token_key::Standing;
use crate::store::{
    case, case::child, case::next_tokens, case::quality, case::reject, feed::sync, figures::rollup,
    linking, supervision, token_key, tx,
};

/// Consecutive records of one stream.
#[derive(Clone, Debug)]
pub struct Job {
    pub office_id: OfficeId,
    pub epoch: Uuid,
    pub first_sequence: u64,
    pub records: Vec<Decoded>,
    /// Records still waiting at the agent behind these.
    pub backlog: u64,
    /// Id of the key that their tokens are made with; `None` while that is the city's first.
    pub token_key: Option<u32>,
}

/// What became of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Durable up to this sequence; `rejects` stand in quarantine.
    Committed {
        committed_sequence: u64,
        rejects: Vec<HubReject>,
    },
    /// Records before the job are missing; nothing was taken.
    Gap { from_sequence: u64 },
    /// A newer epoch of the office's outbox is known; nothing was taken.
    EpochStale,
    /// The city went over to another token key; nothing was taken.
    TokenKeyChanged,
    /// A fault of the hub's keeps the office's records from being stored; the log says which. They are not at fault, so that
    /// nothing of them is put into quarantine.
    NotStored,
}

/// A record that the hub put into quarantine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubReject {
    pub sequence: u64,
    /// The case's key at the office; `None` for a record that has none.
    pub source_case_id: Option<String>,
    pub rule: RejectRule,
    pub field: String,
}

/// What was done, for the metrics.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub new: u64,
    pub changed: u64,
    pub unchanged: u64,
    /// Office, who refused, rule.
    pub rejected: Vec<(OfficeId, FoundBy, &'static str)>,
    /// Severities of the findings opened.
    pub findings: Vec<&'static str>,
}

/// How the records of a transaction are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Treatment {
    Store,
    /// They are known not to be storable, by the hub's rule that says why: keep their names alone.
    Quarantine(RejectRule),
}

/// Stores the jobs in one transaction; outcomes in the jobs' order. On an error nothing is stored.
pub(super) async fn store(
    context: &Context,
    jobs: &[Job],
    treatment: Treatment,
) -> Result<(Vec<Outcome>, Tally), sqlx::Error> {
    let name = match treatment {
        Treatment::Store => "ingest.batch",
        Treatment::Quarantine(_) => "ingest.quarantine",
    };
    tx::retried(name, || store_once(context, jobs, treatment)).await
}

async fn store_once(
    context: &Context,
    jobs: &[Job],
    treatment: Treatment,
) -> Result<(Vec<Outcome>, Tally), sqlx::Error> {
    let mut transaction = tx::begin(&context.pool).await?;
    let keys = token_key::enter(&mut transaction).await?;
    let mut offices: Vec<OfficeId> = jobs.iter().map(|job| job.office_id).collect();
    offices.sort_unstable();
    offices.dedup();
    let positions = sync::lock(&mut transaction, &offices).await?;
    // Behind the lock: an activation waits for it, so that what is in force now stays so until the commit.
    let rules = context.rules.refresh(&mut transaction).await?;
    let keyed_anew = keyed_anew(jobs, &rules);
    let jobs = keyed_anew.as_deref().unwrap_or(jobs);
    let mut admitted = admit(jobs, positions, &keys);
    let plan = match treatment {
        Treatment::Store => {
            let batch = Batch::of(admitted.records);
            let held = case::probe(&mut transaction, &batch).await?;
            batch.plan(held, &context.calendar)
        }
        Treatment::Quarantine(rule) => refused(&admitted.records, rule),
    };
    let mut tally = tally(&plan);
    tally.findings = write(context, &rules, &keys, &mut transaction, &plan).await?;
    keep_next_tokens(&mut transaction, &plan, keys.next).await?;
    sync::advance(&mut transaction, &admitted.progress).await?;
    tell_again(
        &mut transaction,
        jobs,
        &admitted.replayed,
        &mut admitted.outcomes,
    )
    .await?;
    transaction.commit().await?;
    Ok((outcomes(jobs, admitted.outcomes, &plan), tally))
}

/// What may be taken of the jobs, given where the feeds stand.
struct Admitted<'a> {
    records: Vec<Incoming<'a>>,
    outcomes: Vec<Outcome>,
    progress: Vec<Progress>,
    /// Jobs that begin with what was durable already, and up to which sequence.
    replayed: Vec<(usize, u64)>,
}

fn admit<'a>(
    jobs: &'a [Job],
    mut positions: HashMap<OfficeId, Position>,
    keys: &Standing,
) -> Admitted<'a> {
    let mut records = Vec::with_capacity(jobs.iter().map(|job| job.records.len()).sum());
    let mut outcomes = Vec::with_capacity(jobs.len());
    let (mut backlogs, mut replayed) = (HashMap::new(), Vec::new());
    for (at, job) in jobs.iter().enumerate() {
        if !keys.admits(job.token_key) {
            outcomes.push(Outcome::TokenKeyChanged);
            continue;
        }
        let position = positions.get_mut(&job.office_id);
        let Some(position) = position.filter(|position| position.epoch == job.epoch) else {
            outcomes.push(Outcome::EpochStale);
            continue;
        };
        let next = position.committed_sequence + 1;
        if job.first_sequence > next {
            outcomes.push(Outcome::Gap {
                from_sequence: next,
            });
            continue;
        }
        // What is durable already is not looked at again.
        let fresh = (job.first_sequence..)
            .zip(&job.records)
            .skip_while(|(sequence, _)| *sequence < next);
        for (sequence, decoded) in fresh {
            records.push(Incoming {
                office_id: job.office_id,
                epoch: job.epoch,
                sequence,
                decoded,
            });
            position.committed_sequence = sequence;
        }
        backlogs.insert(job.office_id, job.backlog);
        // More may be durable than the job's stream has sent, from an earlier stream; an ack must not run ahead of it.
        let sent = (job.first_sequence + job.records.len() as u64).saturating_sub(1);
        if job.first_sequence < next {
            replayed.push((at, sent.min(next - 1)));
        }
        outcomes.push(Outcome::Committed {
            committed_sequence: position.committed_sequence.min(sent),
            rejects: Vec::new(),
        });
    }
    let progress = backlogs
        .into_iter()
        .map(|(office_id, backlog)| Progress {
            office_id,
            committed_sequence: positions[&office_id].committed_sequence,
            backlog,
        })
        .collect();
    Admitted {
        records,
        outcomes,
        progress,
        replayed,
    }
}

/// What was durable already may have been refused in a transaction of which nobody heard: the connection to the
/// database broke at its commit, or the stream that the records came on had gone.
async fn tell_again(
    connection: &mut PgConnection,
    jobs: &[Job],
    replayed: &[(usize, u64)],
    outcomes: &mut [Outcome],
) -> Result<(), sqlx::Error> {
    for (at, up_to) in replayed {
        let job = &jobs[*at];
        let sequences = job.first_sequence..=*up_to;
        let most = job.records.len();
        let refused =
            reject::open_of(&mut *connection, job.office_id, job.epoch, sequences, most).await?;
        if let Outcome::Committed { rejects, .. } = &mut outcomes[*at] {
            rejects.extend(refused);
        }
    }
    Ok(())
}

/// Plans nothing but quarantine.
fn refused<'a>(records: &[Incoming<'a>], rule: RejectRule) -> Plan<'a> {
    let quarantined = records.iter().map(|record| {
        let (key, revision) = match record.decoded {
            Decoded::Case(case) => (Some(&case.source_case_id), Some(case.revision)),
            Decoded::Rejected(reject) => (Some(&reject.record_key), None),
            Decoded::Invalid(invalid) => (invalid.source_case_id.as_ref(), invalid.revision),
        };
        let reason = Reason::Hub { rule, field: "" };
        Quarantined::new(record, key.map(String::as_str), revision, reason)
    });
    Plan {
        quarantined: quarantined.collect(),
        ..Plan::default()
    }
}

/// Writes everything of the plan. Returns the severities of the findings opened.
async fn write(
    context: &Context,
    rules: &RuleSet,
    keys: &Standing,
    connection: &mut PgConnection,
    plan: &Plan<'_>,
) -> Result<Vec<&'static str>, sqlx::Error> {
    let token_key_id = match keys.present {
        Some(key) => i32::try_from(key.id).map_err(|error| sqlx::Error::Encode(error.into()))?,
        None => context.first_token_key,
    };
    case::renumber(connection, &plan.renumbered).await?;
    let mut left = Vec::new();
    for layer in &plan.layers {
        let replaced: Vec<_> = layer
            .iter()
            .filter(|write| write.replaces)
            .map(|write| write.key())
            .collect();
        case::keep_history(connection, &replaced).await?;
        left.extend(child::clear(connection, &replaced).await?);
        case::insert(connection, layer).await?;
        child::insert_parties(connection, layer, token_key_id).await?;
        child::insert_subjects(connection, layer).await?;
        child::insert_matter_keys(connection, layer.iter().map(keyed)).await?;
    }
    quality::replace(connection, &plan.newest, &plan.findings).await?;
    reject::resolve(connection, &plan.settled).await?;
    reject::record(connection, &plan.quarantined).await?;
    rollup::apply(connection, &plan.deltas, &context.basis).await?;
    let written: Vec<_> = plan.newest.iter().map(Write::key).collect();
    linking::work::add_cases(connection, &written).await?;
    supervision::work::add_cases(connection, &written).await?;
    let (sought, replaced) = sought(&plan.newest);
    let effect = duplicates::find(connection, rules, &sought, &replaced, &left).await?;
    // Behind the stripes that it holds now.
    watched::tell(connection, rules, &sought).await?;
    Ok(effect.opened)
}

/// Keeps the tokens under the key that is to follow, while one is. Those of a key that was taken back may still wait in
/// an outbox.
async fn keep_next_tokens(
    connection: &mut PgConnection,
    plan: &Plan<'_>,
    next_key: Option<u32>,
) -> Result<(), sqlx::Error> {
    let Some(next_key) = next_key else {
        return Ok(());
    };
    let written: Vec<_> = plan.newest.iter().filter(|write| write.replaces).collect();
    let written: Vec<_> = written.iter().map(|write| write.key()).collect();
    let tokens: Vec<_> = plan
        .next_tokens
        .iter()
        .filter(|(_, tokens)| u32::try_from(tokens.key_id) == Ok(next_key))
        .copied()
        .collect();
    next_tokens::replace(connection, &written, &tokens).await
}

fn keyed<'a>(write: &'a Write<'_>) -> Keyed<'a> {
    let figures = &write.case.figures;
    Keyed {
        office_id: write.office_id,
        source_case_id: &write.case.source_case_id,
        keys: &write.case.matter_keys,
        rank: rank(figures.state, figures.accepted_on),
    }
}

/// For what duplicates are sought, and which of it was here before.
fn sought<'a>(newest: &'a [Write<'_>]) -> (Vec<Sought<'a>>, Vec<(OfficeId, &'a str)>) {
    let sought = newest.iter().map(|write| Sought {
        office_id: write.office_id,
        source_case_id: &write.case.source_case_id,
        matter_type: write.case.matter_type(),
        state: write.case.state(),
        applied_on: write.case.figures.applied_on,
        accepted_on: write.case.figures.accepted_on,
        first_recorded_at: write.first_recorded_at,
        keys: &write.case.matter_keys,
    });
    let replaced = newest.iter().filter(|write| write.replaces);
    (sought.collect(), replaced.map(Write::key).collect())
}

/// The jobs with the keys of the rules in force, where some of their cases have keys of others: the rules changed after
/// the records were decoded.
fn keyed_anew(jobs: &[Job], rules: &RuleSet) -> Option<Vec<Job>> {
    let is_stale = |record: &Decoded| match record {
        Decoded::Case(case) => case.keyed_under != *rules.digest(),
        Decoded::Rejected(_) | Decoded::Invalid(_) => false,
    };
    if !jobs.iter().flat_map(|job| &job.records).any(is_stale) {
        return None;
    }
    let mut jobs = jobs.to_vec();
    for record in jobs.iter_mut().flat_map(|job| &mut job.records) {
        if let Decoded::Case(case) = record {
            decode::key(case, rules);
        }
    }
    Some(jobs)
}

fn tally(plan: &Plan<'_>) -> Tally {
    let writes = plan.layers.iter().flatten();
    let changed = writes.clone().filter(|write| write.replaces).count() as u64;
    Tally {
        new: writes.count() as u64 - changed,
        changed,
        unchanged: plan.unchanged as u64,
        rejected: plan
            .quarantined
            .iter()
            .map(|reject| match reject.reason {
                Reason::Agent(agent) => (reject.office_id, FoundBy::Agent, agent.rule_label()),
                Reason::Hub { rule, .. } => (reject.office_id, FoundBy::Hub, rule.code()),
            })
            .collect(),
        findings: Vec::new(),
    }
}

/// Hands each job the rejects that fall into its sequences.
fn outcomes(jobs: &[Job], mut outcomes: Vec<Outcome>, plan: &Plan<'_>) -> Vec<Outcome> {
    for reject in &plan.quarantined {
        let Reason::Hub { rule, field } = reject.reason else {
            continue;
        };
        let its_job = jobs.iter().position(|job| {
            job.office_id == reject.office_id
                && job.epoch == reject.epoch
                && job.first_sequence <= reject.sequence
                && reject.sequence - job.first_sequence < job.records.len() as u64
        });
        if let Some(Outcome::Committed { rejects, .. }) = its_job.map(|at| &mut outcomes[at]) {
            rejects.push(HubReject {
                sequence: reject.sequence,
                source_case_id: reject.source_case_id().map(str::to_owned),
                rule,
                field: field.to_owned(),
            });
        }
    }
    outcomes
}
