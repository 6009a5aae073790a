//! What the agent finds on a disk after the power has failed, held against what it had promised.

use std::collections::BTreeSet;
use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use notary_proto::hub::v1::record::Payload;
use notary_proto::hub::v1::{CaseRecord, Record};
use office_agent::identity;
use office_agent::outbox::{Checkup, FILE, Outbox, Position};
use tokio::runtime::Runtime;

use crate::DATA_DIR;
use crate::life::{hour, source};
use crate::promise::{Promises, case, total};

/// The identity's file in the data directory.
pub(crate) const IDENTITY: &str = "identity.json";

/// What a disk came to.
#[derive(Debug)]
pub(crate) struct Found {
    /// Promised records that are not there, or not whole.
    pub(crate) lost: u64,
    /// What else the agent had promised or needs and is not so; nothing, when all is well.
    pub(crate) wrong: Option<anyhow::Error>,
    pub(crate) opened: bool,
}

/// The identities that may be stored at a moment: the last one that was promised, and the one put in its place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Identities {
    pub(crate) promised: Option<Vec<u8>>,
    pub(crate) seen: Option<Vec<u8>>,
}

/// Looks at what is left in a folder, as the agent does when it is started.
pub(crate) fn look(
    folder: &Path,
    promises: &Promises,
    identities: &Identities,
    runtime: &Runtime,
) -> Found {
    let data_dir = folder.join(DATA_DIR);
    let file = data_dir.join(FILE);
    let promised = promises.records();
    let beside = enrolled(&data_dir, identities).and_then(|()| sound(&file, promises));
    let found = |lost, wrong: anyhow::Result<()>| Found {
        lost,
        wrong: wrong.err(),
        opened: true,
    };
    if !data_dir.exists() {
        return found(promised.count() as u64, beside);
    }
    match Outbox::open_in_simulation(&file, Arc::new(|| hour(0))) {
        Err(error) => Found {
            opened: false,
            ..found(0, Err(error.into()))
        },
        Ok(outbox) => match runtime.block_on(Held::of(&outbox)) {
            Ok(held) => found(held.lost(promised), beside.and(held.keeps(promises))),
            Err(error) => found(0, Err(error)),
        },
    }
}

/// The identity's file is one that was stored, from its beginning to its end, and not one that was replaced.
fn enrolled(data_dir: &Path, identities: &Identities) -> anyhow::Result<()> {
    let left = fs::read(data_dir.join(IDENTITY)).ok();
    ensure!(
        left == identities.promised || left == identities.seen,
        "the identity is neither the promised one nor the one that was put in its place"
    );
    if left.is_some() {
        identity::load(data_dir)?;
    }
    Ok(())
}

/// As `office-agent outbox check` says, once there is something that it must not lose.
fn sound(file: &Path, promises: &Promises) -> anyhow::Result<()> {
    if promises.kept == 0 || promises.damaged {
        return Ok(());
    }
    let checkup = Checkup::of(file)?.unwrap_or_default();
    ensure!(checkup.is_sound(), "{:?}", checkup.findings);
    Ok(())
}

/// What the outbox holds.
struct Held {
    position: Position,
    /// Numbers of the whole records, in order.
    records: Vec<u64>,
    /// The append up to which the source has been read.
    cursor: Option<u64>,
}

impl Held {
    async fn of(outbox: &Outbox) -> anyhow::Result<Self> {
        let position = outbox.position().await?;
        let window = outbox
            .read(position.first_kept, u32::MAX, usize::MAX)
            .await?;
        let cursor = outbox.cursor(&source()?).await?;
        Ok(Self {
            position,
            records: window.records.into_iter().filter_map(whole).collect(),
            cursor: cursor.map(|cursor| cursor.0.parse()).transpose()?,
        })
    }

    fn lost(&self, promised: RangeInclusive<u64>) -> u64 {
        let there: BTreeSet<_> = self.records.iter().copied().collect();
        promised.filter(|record| !there.contains(record)).count() as u64
    }

    /// Records and cursor are of one moment, and sequences mean what the hub was told.
    fn keeps(&self, promises: &Promises) -> anyhow::Result<()> {
        let appends = promises.kept..=promises.begun.max(promises.kept);
        let last = self.records.last().copied().unwrap_or_default();
        let at = appends.clone().find(|append| total(*append) == last);
        let at =
            at.with_context(|| format!("record {last} ends none of the appends {appends:?}"))?;
        match self.cursor {
            Some(cursor) => ensure!(
                cursor == at,
                "the cursor is at {cursor}, the records at {at}"
            ),
            None => ensure!(at == 0 || promises.read_anew, "the cursor is gone"),
        }
        let follow = self.records.windows(2).all(|two| two[0] + 1 == two[1]);
        ensure!(follow, "records do not follow one another");
        let Some((epoch, behind)) = &promises.spoken else {
            return Ok(());
        };
        ensure!(
            *epoch <= self.position.epoch,
            "the epoch is older than the one that the hub heard"
        );
        if *epoch == self.position.epoch && self.position.last + behind != last {
            bail!("record {last} has another sequence than before");
        }
        Ok(())
    }
}

/// The number of a record that is as it was put in.
fn whole(record: Record) -> Option<u64> {
    let Some(Payload::Case(found)) = record.payload else {
        return None;
    };
    let number = found.fee_charged_fen.cast_unsigned();
    let revision = found.revision;
    (found
        == CaseRecord {
            revision,
            ..case(number)
        })
    .then_some(number)
}
