//! One city that is broken while it works.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use sandbox::clock::Clock;
use sandbox::disk::SmallDisk;
use sandbox::process::end_leftovers;
use sandbox::{Agent, BureauOptions, Setting, Systems};
use synthetic_city::CityPlan;
use tokio::time::{Instant, sleep};

use crate::fault::{Fault, Means, SHORT_LIFE, Time, pause};
use crate::report::Outcome;

/// Offices of a round's city; the first six have every vendor's shape.
pub const OFFICES: u32 = 6;
/// After so many faults the offices' cases move on, so that there is always something on its way.
const FAULTS_PER_MONTH: u64 = 3;
/// After so many faults the city may settle, and how long that takes is measured.
const FAULTS_PER_REST: u64 = 6;
/// How long a city may take until it has settled; agents that found no hub may wait a minute.
const SETTLE_LIMIT: Duration = Duration::from_secs(180);
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// A city and its faults.
#[derive(Clone, Copy, Debug)]
pub struct Round {
    pub seed: u64,
    pub cases: u32,
    pub faults: u64,
}

impl Round {
    /// Builds the city in `folder`, breaks it, lets it settle and counts.
    ///
    /// # Errors
    /// When the city cannot be built or broken; what the faults came to is in the outcome.
    pub async fn play(self, folder: &Path) -> anyhow::Result<Outcome> {
        prepare(folder).await?;
        let plan = CityPlan {
            offices: OFFICES,
            ..CityPlan::of_size(self.seed, self.cases)
        };
        let offices: Vec<usize> = (0..OFFICES as usize).collect();
        let mut options = BureauOptions::default();
        if self.has_short_lives() {
            let life = SHORT_LIFE.as_secs();
            options.configuration = format!("[identity]\ncertificate_ttl = '{life}s'\n");
        }
        let mut setting =
            Setting::build(folder, &plan, Systems::Postgres, &options, &offices).await?;
        let means = self.means(folder, &mut setting).await?;
        setting.start_agents()?;
        let mut dice = ChaCha8Rng::seed_from_u64(self.seed);
        let mut outcome = Outcome::of(self.seed);
        // Not waiting for anything: faults come at any moment, but for those whose end is measured.
        for nth in 1..=self.faults {
            let rests = nth % FAULTS_PER_REST == 0;
            let fault = match rests {
                true => Fault::nth(self.seed + nth / FAULTS_PER_REST * 5),
                false => Fault::draw(&mut dice),
            };
            if nth % FAULTS_PER_MONTH == 0 {
                outcome.changes += setting.town.live_on().await?;
            }
            pause(&mut dice, 50..900).await;
            if !fault.is_at_hand(&means) {
                continue;
            }
            fault.throw(&mut setting, &means, &mut dice).await?;
            let thrown = outcome.faults.entry(fault).or_default();
            thrown.cycles += 1;
            if rests {
                let recovered = settle(&mut setting, &mut outcome.complaints).await;
                let thrown = outcome.faults.entry(fault).or_default();
                thrown.recovered_ms.push(recovered.as_millis() as u64);
            }
        }
        outcome.settled_in_seconds = settle(&mut setting, &mut outcome.complaints)
            .await
            .as_secs_f64();
        let reckoning = setting.reckon().await?;
        let differences = setting.bureau.statistics_differences().await?;
        outcome.cases = reckoning.at_sources();
        outcome.lost = reckoning.lost();
        outcome.duplicated = reckoning.repeated() + differences as u64;
        outcome.acked = acked(&setting).await?;
        outcome.complaints.extend(drift(&setting).await?);
        outcome.complaints.extend(defects(&setting)?);
        setting.close().await?;
        Ok(outcome)
    }

    fn has_short_lives(self) -> bool {
        self.seed % 2 == 1
    }

    async fn means(self, folder: &Path, setting: &mut Setting) -> anyhow::Result<Means> {
        let proxy = setting.behind_a_proxy().await?;
        let [first, second, ..] = setting.agents.as_mut_slice() else {
            anyhow::bail!("a city has two offices at least");
        };
        let disk = SmallDisk::under(&first.data_dir(), "64m").ok();
        let time = match (self.has_short_lives(), Clock::beside(folder)?) {
            (true, _) => Time::ShortLives,
            (false, None) => Time::Right,
            (false, Some(clock)) => {
                second.go_by(clock.clone());
                Time::Clock(clock)
            }
        };
        Ok(Means { proxy, disk, time })
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
    end_leftovers(&folder).await?;
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
