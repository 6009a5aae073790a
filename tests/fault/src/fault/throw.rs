//! Throwing it.

use std::ops::Range;
use std::time::Duration;

use anyhow::Context;
use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use sandbox::Setting;
use sandbox::clock::Clock;
use sandbox::disk::SmallDisk;
use sandbox::process::{Part, Running};
use tokio::time::sleep;

use super::Fault;
use crate::means::{Lives, Means};

/// How long the hub stands still, milliseconds, each as often as the others.
const PAUSES_OF_HUB: [Range<u64>; 8] = [
    500..2_000,
    500..2_000,
    2_000..6_000,
    2_000..6_000,
    2_000..6_000,
    // The database ends a transaction of a writer that stood for 15 seconds.
    16_000..22_000,
    // Agents wait 20 seconds before they ask for a sign of life, and 20 for the answer.
    41_000..46_000,
    // Work that a worker took up is another's after 120 seconds.
    121_000..124_000,
];
/// The same of an agent.
const PAUSES_OF_AGENT: [Range<u64>; 6] = [
    500..2_000,
    500..2_000,
    2_000..6_000,
    2_000..6_000,
    2_000..6_000,
    // The hub waits 30 seconds before it asks for a sign of life, and 20 for the answer.
    51_000..55_000,
];

/// Clocks step by less than so many seconds, ahead or back.
const AGENT_STEP: i64 = 3_600;
const AGENT_DAYS: i64 = 30 * 3_600;
const HUB_STEP: i64 = 300;

impl Fault {
    /// Throws it. All but a clock that stepped is over at the end.
    pub(crate) async fn throw(
        self,
        setting: &mut Setting,
        means: &Means,
        dice: &mut ChaCha8Rng,
    ) -> anyhow::Result<()> {
        match self {
            Self::KillHub
            | Self::KillAgent
            | Self::KillPostgres
            | Self::KillConnection
            | Self::KillEverything
            | Self::ExpiredCertificate => self.kill(setting, dice).await,
            Self::PauseHub => {
                let still = one_of(dice, &PAUSES_OF_HUB);
                stand_still(setting.bureau.running()?, dice, still).await
            }
            Self::PauseAgent => {
                let at = dice.random_range(0..setting.agents.len());
                let still = one_of(dice, &PAUSES_OF_AGENT);
                stand_still(setting.agents[at].running()?, dice, still).await
            }
            Self::FullAgentDisk => fill(&means.agent_disk, setting, dice, 500..2_000).await,
            Self::FullHubDisk => {
                if dice.random_range(0..2) == 0 {
                    // A database that is away, as right after it was killed, has none to end.
                    let _ = setting.bureau.end_wal_file().await;
                }
                fill(&means.hub_disk, setting, dice, 1_000..8_000).await
            }
            Self::AgentClockStep | Self::AgentClockOffByDays | Self::HubClockStep => {
                self.set_clock(means, dice).await
            }
            _ => {
                self.befall(&means.proxy, dice).await;
                Ok(())
            }
        }
    }

    async fn kill(self, setting: &mut Setting, dice: &mut ChaCha8Rng) -> anyhow::Result<()> {
        match self {
            Self::KillHub => {
                setting.bureau.kill().await?;
                pause(dice, 0..500).await;
                setting.bureau.open().await
            }
            Self::KillPostgres => setting.bureau.kill_database(Part::Server),
            Self::KillConnection => setting.bureau.kill_database(Part::Connection),
            Self::KillEverything => {
                setting.bureau.kill().await?;
                for agent in &mut setting.agents {
                    agent.kill().await?;
                }
                setting.bureau.open().await?;
                setting.start_agents()
            }
            _ => {
                let at = dice.random_range(0..setting.agents.len());
                let away = match self {
                    Self::ExpiredCertificate => Lives::Short.length() + Duration::from_secs(1),
                    _ => Duration::from_millis(dice.random_range(0..500)),
                };
                let agent = &mut setting.agents[at];
                agent.kill().await?;
                sleep(away).await;
                agent.start()
            }
        }
    }

    async fn set_clock(self, means: &Means, dice: &mut ChaCha8Rng) -> anyhow::Result<()> {
        let clocks = means
            .clocks
            .as_ref()
            .ok()
            .context("clocks that can be set")?;
        match self {
            Self::HubClockStep => step(&clocks.hub, dice, HUB_STEP),
            Self::AgentClockStep => step(&clocks.agent, dice, AGENT_STEP),
            _ => {
                step(&clocks.agent, dice, AGENT_DAYS)?;
                pause(dice, 1_000..3_000).await;
                step(&clocks.agent, dice, 1)
            }
        }
    }
}

/// A program that does nothing for a while and does not know.
async fn stand_still(
    program: &mut Running,
    dice: &mut ChaCha8Rng,
    milliseconds: Range<u64>,
) -> anyhow::Result<()> {
    program.pause()?;
    pause(dice, milliseconds).await;
    program.go_on()
}

/// A disk that has no room for a while in which cases change.
async fn fill<E>(
    disk: &Result<SmallDisk, E>,
    setting: &mut Setting,
    dice: &mut ChaCha8Rng,
    milliseconds: Range<u64>,
) -> anyhow::Result<()> {
    let disk = disk.as_ref().ok().context("a disk that can be filled")?;
    disk.fill()?;
    // What arrives meanwhile finds no room.
    setting.town.live_on().await?;
    pause(dice, milliseconds).await;
    disk.clear()
}

fn one_of(dice: &mut ChaCha8Rng, ranges: &[Range<u64>]) -> Range<u64> {
    ranges[dice.random_range(0..ranges.len())].clone()
}

/// Sets the clock somewhere less than so many seconds off, ahead or behind.
fn step(clock: &Clock, dice: &mut ChaCha8Rng, seconds: i64) -> anyhow::Result<()> {
    clock.set(dice.random_range(-seconds..=seconds))
}

pub(crate) async fn pause(dice: &mut ChaCha8Rng, milliseconds: Range<u64>) {
    sleep(Duration::from_millis(dice.random_range(milliseconds))).await;
}
