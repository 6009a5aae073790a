//! One city that is broken while it works.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use sandbox::process::end_leftovers;
use sandbox::proxy::Proxy;
use sandbox::{BureauOptions, Setting, Systems};
use synthetic_city::CityPlan;
use tokio::time::{Instant, sleep};

use crate::report::Outcome;

/// Offices of a round's city; the first six have every vendor's shape.
const OFFICES: u32 = 6;
const FAULTS: u32 = 25;
/// After so many faults the offices' cases move on, so that there is always something on its way.
const FAULTS_PER_MONTH: u32 = 3;
/// How long a city may take until it has settled; agents that found no hub may wait a minute.
const SETTLE_LIMIT: Duration = Duration::from_secs(180);

/// What is thrown.
#[derive(Clone, Copy, Debug)]
enum Fault {
    KillHub,
    KillAgent,
    KillEverything,
    CutNetwork,
    DropAnswers,
    DarkNetwork,
}

impl Fault {
    fn draw(dice: &mut ChaCha8Rng) -> Self {
        match dice.random_range(0..100) {
            0..25 => Self::KillHub,
            25..50 => Self::KillAgent,
            50..55 => Self::KillEverything,
            55..75 => Self::CutNetwork,
            75..90 => Self::DropAnswers,
            _ => Self::DarkNetwork,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::KillHub => "hub killed",
            Self::KillAgent => "agent killed",
            Self::KillEverything => "all killed",
            Self::CutNetwork => "network cut",
            Self::DropAnswers => "answers dropped",
            Self::DarkNetwork => "network dark",
        }
    }
}

/// A city and its faults.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Round {
    pub(crate) seed: u64,
    pub(crate) cases: u32,
}

impl Round {
    /// Builds the city in `folder`, breaks it, lets it settle and counts.
    pub(crate) async fn play(self, folder: &Path) -> anyhow::Result<Outcome> {
        prepare(folder).await?;
        let plan = CityPlan {
            offices: OFFICES,
            ..CityPlan::of_size(self.seed, self.cases)
        };
        let offices: Vec<usize> = (0..OFFICES as usize).collect();
        let options = BureauOptions::default();
        let mut setting =
            Setting::build(folder, &plan, Systems::Postgres, &options, &offices).await?;
        let proxy = setting.behind_a_proxy().await?;
        setting.start_agents()?;
        let mut dice = ChaCha8Rng::seed_from_u64(self.seed);
        let mut faults = BTreeMap::new();
        let mut changes = 0;
        for nth in 1..=FAULTS {
            // Not waiting for anything: faults come at any moment.
            pause(&mut dice, 50..900).await;
            let fault = Fault::draw(&mut dice);
            *faults.entry(fault.name()).or_default() += 1;
            throw(fault, &mut setting, &proxy, &mut dice).await?;
            if nth % FAULTS_PER_MONTH == 0 {
                changes += setting.town.live_on().await?;
            }
        }
        proxy.open();
        let began = Instant::now();
        let settled = setting.settled_within(SETTLE_LIMIT).await;
        let settled_in_seconds = began.elapsed().as_secs_f64();
        let reckoning = setting.reckon().await?;
        let differences = setting.bureau.statistics_differences().await?;
        let complaints = match settled {
            Ok(_) => Vec::new(),
            Err(error) => format!("{error:#}")
                .lines()
                .take(20)
                .map(str::to_owned)
                .collect(),
        };
        setting.close().await?;
        Ok(Outcome {
            seed: self.seed,
            cases: reckoning.at_sources(),
            changes,
            faults,
            settled_in_seconds,
            lost: reckoning.lost(),
            duplicated: reckoning.repeated() + differences as u64,
            complaints,
        })
    }
}

async fn prepare(folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    let folder = folder.canonicalize()?;
    end_leftovers(&folder).await?;
    fs::remove_dir_all(&folder)?;
    fs::create_dir_all(&folder)?;
    // The private PostgreSQL may run as another user, who must get there.
    Ok(fs::set_permissions(&folder, Permissions::from_mode(0o755))?)
}

async fn pause(dice: &mut ChaCha8Rng, milliseconds: std::ops::Range<u64>) {
    sleep(Duration::from_millis(dice.random_range(milliseconds))).await;
}

async fn throw(
    fault: Fault,
    setting: &mut Setting,
    proxy: &Proxy,
    dice: &mut ChaCha8Rng,
) -> anyhow::Result<()> {
    match fault {
        Fault::KillHub => {
            setting.bureau.kill().await?;
            pause(dice, 0..500).await;
            setting.bureau.open().await?;
        }
        Fault::KillAgent => {
            let at = dice.random_range(0..setting.agents.len());
            let agent = &mut setting.agents[at];
            agent.kill().await?;
            pause(dice, 0..500).await;
            agent.start()?;
        }
        Fault::KillEverything => {
            setting.bureau.kill().await?;
            for agent in &mut setting.agents {
                agent.kill().await?;
            }
            setting.bureau.open().await?;
            setting.start_agents()?;
        }
        Fault::CutNetwork => proxy.cut(),
        Fault::DropAnswers => {
            // The next kilobytes of requests arrive; what the hub answers does not.
            proxy.hold_answers_after(dice.random_range(0..20_000));
            pause(dice, 100..1_500).await;
            proxy.cut();
            proxy.open();
        }
        Fault::DarkNetwork => {
            proxy.close();
            pause(dice, 100..2_000).await;
            proxy.open();
        }
    }
    Ok(())
}
