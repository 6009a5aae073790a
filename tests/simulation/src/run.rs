//! One run: an office that works while its world breaks, then peace, then the reckoning.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use tokio::sync::watch;
use turmoil::Sim;

use crate::agent::{Office, enrol};
use crate::ledger::Shared;
use crate::{AGENT, HUB, hub};

/// How long things break.
const TROUBLE: Duration = Duration::from_secs(120);
/// How long everything may take to come right afterwards: the longest wait before connecting again, several times.
const PEACE: Duration = Duration::from_secs(400);

/// What breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Whatever is sent between the two is lost.
    Partition,
    /// Whatever is sent between the two waits.
    Hold,
    HubCrash,
    AgentCrash,
    /// Both, in one moment.
    BothCrash,
    /// The hub comes back as it was at its last backup.
    HubRestored,
}

impl Fault {
    pub const ALL: [Self; 6] = [
        Self::Partition,
        Self::Hold,
        Self::HubCrash,
        Self::AgentCrash,
        Self::BothCrash,
        Self::HubRestored,
    ];
}

/// What a run came to; all was well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub faults: BTreeMap<Fault, u64>,
    /// Streams that the agent opened.
    pub streams: u64,
    /// Changes that the hub took in.
    pub effects: u64,
    /// Simulated time until all was well.
    pub took: Duration,
}

/// Runs one seed.
///
/// # Errors
/// When something promised is not at the hub in the end, or one of the protocol's promises was broken on the way.
pub fn simulate(seed: u64) -> anyhow::Result<Outcome> {
    let folder = tempfile::tempdir()?;
    enrol(folder.path()).context("an identity")?;
    let ledger = Shared::new();
    let (work, working) = watch::channel(true);
    let settled = Arc::new(watch::Sender::new(false));
    let office = Office {
        folder: folder.path().to_owned(),
        ledger: ledger.clone(),
        seed,
        working,
        settled: Arc::clone(&settled),
    };
    let mut sim = turmoil::Builder::new()
        .simulation_duration(TROUBLE + PEACE + Duration::from_secs(60))
        .tick_duration(Duration::from_millis(5))
        .min_message_latency(Duration::from_millis(1))
        .max_message_latency(Duration::from_millis(200))
        .rng_seed(seed)
        .build();
    let of_hub = ledger.clone();
    sim.host(HUB, move || hub::serve(of_hub.clone(), seed));
    sim.host(AGENT, move || office.clone().run());

    let mut world = World {
        sim,
        dice: ChaCha8Rng::seed_from_u64(seed),
        ledger,
        faults: BTreeMap::new(),
    };
    world.break_down()?;
    work.send_replace(false);
    let until = world.sim.elapsed() + PEACE;
    while !*settled.borrow() && world.sim.elapsed() < until {
        world.step()?;
    }
    let ledger = world.ledger.lock();
    ensure!(
        ledger.violations().is_empty(),
        "seed {seed}: {:#?}",
        ledger.violations()
    );
    let lost = ledger.lost();
    ensure!(
        *settled.borrow(),
        "seed {seed}: {lost} lost, or not known to be there"
    );
    Ok(Outcome {
        streams: ledger.streams(),
        effects: ledger.effects(),
        took: world.sim.elapsed(),
        faults: world.faults.clone(),
    })
}

struct World<'a> {
    sim: Sim<'a>,
    dice: ChaCha8Rng,
    ledger: Shared,
    faults: BTreeMap<Fault, u64>,
}

impl World<'_> {
    fn break_down(&mut self) -> anyhow::Result<()> {
        while self.sim.elapsed() < TROUBLE {
            self.pass(50..4_000)?;
            if self.dice.random_bool(0.2) {
                self.ledger.lock().back_up();
            }
            let fault = Fault::ALL[self.dice.random_range(0..Fault::ALL.len())];
            *self.faults.entry(fault).or_default() += 1;
            self.throw(fault)?;
        }
        Ok(())
    }

    fn throw(&mut self, fault: Fault) -> anyhow::Result<()> {
        match fault {
            Fault::Partition => {
                self.sim.partition(AGENT, HUB);
                self.pass(100..45_000)?;
                self.sim.repair(AGENT, HUB);
            }
            Fault::Hold => {
                self.sim.hold(AGENT, HUB);
                self.pass(100..10_000)?;
                self.sim.release(AGENT, HUB);
            }
            Fault::HubCrash => self.down(&[HUB])?,
            Fault::AgentCrash => self.down(&[AGENT])?,
            Fault::BothCrash => self.down(&[HUB, AGENT])?,
            Fault::HubRestored => {
                let nth = u128::from(self.faults[&Fault::HubRestored]);
                self.sim.crash(HUB);
                self.ledger.lock().restore(nth);
                self.pass(10..2_000)?;
                self.sim.bounce(HUB);
            }
        }
        Ok(())
    }

    fn down(&mut self, hosts: &[&str]) -> anyhow::Result<()> {
        for host in hosts {
            self.sim.crash(*host);
        }
        self.pass(10..5_000)?;
        for host in hosts {
            self.sim.bounce(*host);
        }
        Ok(())
    }

    /// Lets so many milliseconds pass.
    fn pass(&mut self, milliseconds: std::ops::Range<u64>) -> anyhow::Result<()> {
        let wait = Duration::from_millis(self.dice.random_range(milliseconds));
        let until = self.sim.elapsed() + wait;
        while self.sim.elapsed() < until {
            self.step()?;
        }
        Ok(())
    }

    fn step(&mut self) -> anyhow::Result<()> {
        self.sim
            .step()
            .map_err(|error| anyhow::anyhow!("{error}"))?;
        Ok(())
    }
}
