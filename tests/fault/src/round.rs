//! One city that is broken while it works.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use sandbox::{Agent, BureauOptions, Setting, Systems};
use sandbox::{disk, process};
use synthetic_city::CityPlan;
use tokio::time::{Instant, sleep};

use crate::fault::{Fault, pause};
use crate::means::{Lives, Means};
use crate::report::Outcome;
use crate::witness::{self, Witness};

/// Offices of a round's city; the first six have every vendor's shape.
pub const OFFICES: u32 = 6;
/// After so many faults the offices' cases move on, so that there is always something on its way.
const FAULTS_PER_MONTH: u64 = 3;
/// After so many faults the city may settle, and how long that takes is measured.
const FAULTS_PER_REST: u64 = 5;
/// How long a city may take until it has settled; agents that found no hub may wait a minute.
const SETTLE_LIMIT: Duration = Duration::from_secs(180);
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// A city and its faults.
#[derive(Clone, Debug)]
pub struct Round {
    pub seed: u64,
    pub cases: u32,
    pub faults: u64,
    /// What is thrown.
    pub kinds: Vec<Fault>,
}

/// A city that is being broken.
struct Broken {
    setting: Setting,
    means: Means,
    outcome: Outcome,
}

/// Faults behind which a round rests, in their order.
pub(crate) fn rests(seed: u64, faults: u64, kinds: &[Fault]) -> impl Iterator<Item = Fault> {
    let rests = faults / FAULTS_PER_REST;
    let before = seed.saturating_sub(1) / 2 * rests;
    let turn = Fault::in_turn(seed, kinds).into_iter().cycle();
    turn.skip(before as usize).take(rests as usize)
}

impl Round {
    /// Builds the city in `folder`, breaks it, lets it settle and counts.
    ///
    /// # Errors
    /// When the city cannot be built or broken; what the faults came to is in the outcome.
    pub async fn play(self, folder: &Path) -> anyhow::Result<Outcome> {
        prepare(folder).await?;
        let lives = Lives::of(self.seed);
        let mut setting = self.build(folder, lives).await?;
        let means = Means::put_into(&mut setting, folder, lives).await?;
        let hub = means.proxy.address();
        let witness = Witness::call(&setting.bureau, hub, lives.length()).await?;
        setting.start_agents()?;
        let mut broken = Broken {
            setting,
            means,
            outcome: Outcome::of(self.seed),
        };
        broken.throw_all(&self).await?;
        let settled = broken.rest().await?;
        broken.outcome.settled_in_seconds = settled.as_secs_f64();
        broken.outcome.hear(witness.dismiss().await?);
        broken.count().await?;
        let Broken {
            setting, outcome, ..
        } = broken;
        setting.close().await?;
        Ok(outcome)
    }

    async fn build(&self, folder: &Path, lives: Lives) -> anyhow::Result<Setting> {
        let plan = CityPlan {
            offices: OFFICES,
            ..CityPlan::of_size(self.seed, self.cases)
        };
        let offices: Vec<usize> = (0..OFFICES as usize).collect();
        let life = lives.length().as_secs();
        let options = BureauOptions {
            configuration: format!(
                "identity.certificate_ttl = '{life}s'\n{}",
                witness::CONFIGURATION
            ),
            ..BureauOptions::default()
        };
        Setting::build(folder, &plan, Systems::Postgres, &options, &offices).await
    }
}

impl Broken {
    /// Does not wait for anything: faults come at any moment, but for those whose end is measured.
    async fn throw_all(&mut self, round: &Round) -> anyhow::Result<()> {
        let absent = |fault: Fault| Some((fault, fault.absence(&self.means)?));
        self.outcome.absent = round.kinds.iter().copied().filter_map(absent).collect();
        let mut dice = ChaCha8Rng::seed_from_u64(round.seed);
        let mut rests = rests(round.seed, round.faults, &round.kinds);
        for nth in 1..=round.faults {
            let rest = match nth % FAULTS_PER_REST {
                0 => rests.next(),
                _ => None,
            };
            let fault = rest.unwrap_or_else(|| Fault::draw(&mut dice, &round.kinds));
            if nth % FAULTS_PER_MONTH == 0 {
                self.outcome.changes += self.setting.town.live_on().await?;
            }
            pause(&mut dice, 50..900).await;
            if self.outcome.absent.contains_key(&fault) {
                continue;
            }
            fault
                .throw(&mut self.setting, &self.means, &mut dice)
                .await?;
            self.outcome.thrown(fault).cycles += 1;
            if rest.is_some() {
                let recovered = self.rest().await?.as_millis() as u64;
                self.outcome.thrown(fault).recovered_ms.push(recovered);
            }
        }
        Ok(())
    }

    /// Lets the city settle, and looks at what its programs hold then.
    async fn rest(&mut self) -> anyhow::Result<Duration> {
        let Self {
            setting, outcome, ..
        } = self;
        let took = settle(setting, &mut outcome.complaints).await;
        // Nothing was made of it if it did not come to that.
        if outcome.complaints.is_empty() {
            outcome.usage.look(setting).await?;
        }
        Ok(took)
    }

    /// What a city that has settled came to.
    async fn count(&mut self) -> anyhow::Result<()> {
        let Self {
            setting, outcome, ..
        } = self;
        let reckoning = setting.reckon().await?;
        let differences = setting.bureau.statistics_differences().await?;
        outcome.cases = reckoning.at_sources();
        outcome.lost = reckoning.lost();
        outcome.duplicated = reckoning.repeated() + differences as u64;
        outcome.acked = acked(setting).await?;
        outcome.complaints.extend(outcome.usage.complaints());
        outcome.complaints.extend(drift(setting).await?);
        outcome.complaints.extend(defects(setting)?);
        Ok(())
    }
}

/// How long it takes until everything is at the hub, once; complains if it does not come to that.
async fn settle(setting: &mut Setting, complaints: &mut Vec<String>) -> Duration {
    let began = Instant::now();
    loop {
        let left = SETTLE_LIMIT.saturating_sub(began.elapsed());
        match setting.settled_within(left).await {
            Ok(_) => break,
            // Our own look at the database dies with a PostgreSQL that was killed, and may look again.
            Err(_) if !left.is_zero() => sleep(BETWEEN_LOOKS).await,
            Err(error) => {
                let said = format!("{error:#}");
                complaints.extend(said.lines().take(20).map(str::to_owned));
                break;
            }
        }
    }
    began.elapsed()
}

/// Records of which agents know that the hub has them.
async fn acked(setting: &Setting) -> anyhow::Result<u64> {
    let mut acked = 0;
    for agent in &setting.agents {
        acked += agent.status().await?.acked_sequence()?;
    }
    Ok(acked)
}

/// Offices of which the hub does not hold every case with the content that was sent, whole: parties, subjects and tokens
/// too, of which the reckoning does not know.
async fn drift(setting: &Setting) -> anyhow::Result<Vec<String>> {
    let mut complaints = Vec::new();
    for agent in &setting.agents {
        let found = agent.run(&["reconcile", "--json"]).await?;
        if found.code != Some(0) {
            complaints.push(format!("{}: {}", agent.office_id(), found.err.trim()));
            continue;
        }
        let found = found.json()?;
        let kinds = ["missing", "differing", "only_at_hub", "unavailable"];
        if kinds.iter().any(|kind| found[kind] != 0) {
            complaints.push(format!("{}: drift {found}", agent.office_id()));
        }
    }
    Ok(complaints)
}

/// Lines of the logs that tell of a defect, which the city may have got over.
fn defects(setting: &Setting) -> anyhow::Result<Vec<String>> {
    let agents = setting.agents.iter().map(Agent::log_file);
    let mut complaints = Vec::new();
    for log in agents.chain([setting.bureau.log_file()]) {
        let text = fs::read(&log).with_context(|| format!("read {}", log.display()))?;
        complaints.extend(defects_in(&String::from_utf8_lossy(&text)));
    }
    Ok(complaints)
}

/// As the programs tell of them, in the log and without one.
fn defects_in(log: &str) -> impl Iterator<Item = String> {
    let tells = |line: &&str| line.contains("a defect");
    log.lines().filter(tells).map(str::to_owned)
}

async fn prepare(folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    let folder = folder.canonicalize()?;
    process::end_leftovers(&folder).await?;
    disk::end_leftovers(&folder)?;
    fs::remove_dir_all(&folder)?;
    fs::create_dir_all(&folder)?;
    // The private PostgreSQL may run as another user, who must get there.
    Ok(fs::set_permissions(&folder, Permissions::from_mode(0o755))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_tells_of_a_defect_is_a_complaint() {
        let log = "{\"message\":\"connected to the hub\"}\n\
                   {\"message\":\"a defect of notary-hub; what it did ended there\",\"place\":\"a.rs:1\"}\n\
                   office-agent: a defect at b.rs:2\n";
        let told: Vec<_> = defects_in(log).collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[1].ends_with("b.rs:2"));
    }
}
