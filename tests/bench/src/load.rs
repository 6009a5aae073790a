//! The cases that go in, the same ones every time, dealt to agents.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use anyhow::Context;
use linkage::office::OfficeId;
use linkage::token::{TokenAlgorithm, TokenKey};
use notary_proto::hub::v1::{Batch, CaseRecord, Record, record::Payload};
use synthetic_city::{CityPlan, wire};

/// Records of a synthetic city.
#[derive(Debug)]
pub(crate) struct Load {
    cases: Vec<CaseRecord>,
}

/// One agent's part.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) office_id: OfficeId,
    pub(crate) batches: Vec<Batch>,
}

impl Load {
    /// About `cases` cases of a city of its own; records that an agent would refuse are left out.
    pub(crate) fn make(cases: u32, seed: u64) -> anyhow::Result<Self> {
        let key = TokenKey::new(1, TokenAlgorithm::HmacSha256, [7; 32]);
        let plan = CityPlan::of_size(seed, cases);
        let cases = wire::records(&plan, &key)?
            .map(|(office_id, mut case)| {
                // Several offices' cases go over one stream.
                case.source_case_id = format!("{office_id}-{}", case.source_case_id);
                case
            })
            .collect();
        Ok(Self { cases })
    }

    pub(crate) fn cases(&self) -> usize {
        self.cases.len()
    }

    /// Parties of all cases.
    pub(crate) fn parties(&self) -> usize {
        self.cases.iter().map(|case| case.parties.len()).sum()
    }

    /// Cases in a second.
    pub(crate) fn rate(&self, took: Duration) -> f64 {
        self.cases() as f64 / took.as_secs_f64()
    }

    /// Deals the cases in turn to `agents` agents that send `records` in a message. Agents one after the other belong
    /// to different writers of the hub, so that two are served side by side.
    pub(crate) fn dealt_to(&self, name: &str, agents: usize, records: usize) -> Vec<Part> {
        let mut hands = vec![Vec::new(); agents];
        for (at, case) in self.cases.iter().enumerate() {
            hands[at % agents].push(Record {
                payload: Some(Payload::Case(case.clone())),
            });
        }
        let hands = hands.into_iter().zip(office_ids(name));
        hands
            .map(|(hand, office_id)| Part {
                office_id,
                batches: batches(hand, records),
            })
            .collect()
    }
}

/// Endless office ids whose writers take turns.
fn office_ids(name: &str) -> impl Iterator<Item = OfficeId> {
    let mut number = 0;
    (0..).map(move |turn: u64| {
        loop {
            number += 1;
            let office_id: OfficeId = format!("{name}-{number}")
                .parse()
                .expect("names and numbers make office ids");
            // As the hub chooses the writer.
            let mut hasher = DefaultHasher::new();
            office_id.hash(&mut hasher);
            if hasher.finish() % 2 == turn % 2 {
                return office_id;
            }
        }
    })
}

fn batches(records: Vec<Record>, size: usize) -> Vec<Batch> {
    let mut first_sequence = 1;
    records
        .chunks(size)
        .map(|chunk| {
            let batch = Batch {
                first_sequence,
                records: chunk.to_vec(),
                backlog: 0,
            };
            first_sequence += chunk.len() as u64;
            batch
        })
        .collect()
}

impl Part {
    /// Sequence of the last record.
    pub(crate) fn last_sequence(&self) -> anyhow::Result<u64> {
        let last = self.batches.last().context("each agent has cases")?;
        Ok(last.first_sequence + last.records.len() as u64 - 1)
    }
}
