//! What is thrown at a city.

use std::time::Duration;

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use sandbox::Setting;
use sandbox::clock::Clock;
use sandbox::disk::SmallDisk;
use sandbox::process::Part;
use sandbox::proxy::{Proxy, Weather};
use tokio::time::sleep;

/// Certificates live so long in every other city, so that they are renewed all the time.
pub(crate) const SHORT_LIFE: Duration = Duration::from_secs(20);

/// What is thrown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    KillHub,
    KillAgent,
    KillPostgres,
    KillConnection,
    KillEverything,
    CutNetwork,
    ResetNetwork,
    DropAnswers,
    OneWayNetwork,
    DarkNetwork,
    LossyNetwork,
    LateNetwork,
    TrickleNetwork,
    FullDisk,
    ClockStep,
    ClockOffByDays,
    ExpiredCertificate,
}

/// What a city is broken with. A disk that fills up takes root, a clock that steps libfaketime.
#[derive(Debug)]
pub struct Means {
    pub proxy: Proxy,
    /// The first agent's.
    pub disk: Option<SmallDisk>,
    pub time: Time,
}

/// What goes wrong with time in a city: a clock that is off by an hour leaves nothing of a life of seconds.
#[derive(Debug)]
pub enum Time {
    /// Certificates live [`SHORT_LIFE`] and end while an agent is away.
    ShortLives,
    /// Certificates live as they do, and the second agent's clock is set.
    Clock(Clock),
    /// Nothing.
    Right,
}

impl Fault {
    /// Each with how often it comes in a hundred.
    const OFTEN: [(Self, u32); 17] = [
        (Self::KillHub, 18),
        (Self::KillAgent, 20),
        (Self::KillPostgres, 9),
        (Self::KillConnection, 4),
        (Self::KillEverything, 5),
        (Self::CutNetwork, 7),
        (Self::ResetNetwork, 6),
        (Self::DropAnswers, 8),
        (Self::OneWayNetwork, 3),
        (Self::DarkNetwork, 5),
        (Self::LossyNetwork, 3),
        (Self::LateNetwork, 2),
        (Self::TrickleNetwork, 2),
        (Self::FullDisk, 3),
        (Self::ClockStep, 3),
        (Self::ClockOffByDays, 1),
        (Self::ExpiredCertificate, 1),
    ];

    pub(crate) fn draw(dice: &mut ChaCha8Rng) -> Self {
        let all: u32 = Self::OFTEN.iter().map(|(_, often)| often).sum();
        let mut at = dice.random_range(0..all);
        for (fault, often) in Self::OFTEN {
            match at.checked_sub(often) {
                Some(rest) => at = rest,
                None => return fault,
            }
        }
        unreachable!("the dice show less than all of them")
    }

    pub(crate) fn all() -> impl Iterator<Item = Self> {
        Self::OFTEN.into_iter().map(|(fault, _)| fault)
    }

    /// Every kind, in turn.
    pub(crate) fn nth(nth: u64) -> Self {
        let count = Self::OFTEN.len() as u64;
        Self::OFTEN[(nth % count) as usize].0
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::KillHub => "hub killed",
            Self::KillAgent => "agent killed",
            Self::KillPostgres => "PostgreSQL killed",
            Self::KillConnection => "connection of PostgreSQL killed",
            Self::KillEverything => "all killed",
            Self::CutNetwork => "network cut",
            Self::ResetNetwork => "network reset",
            Self::DropAnswers => "answers dropped",
            Self::OneWayNetwork => "network one way",
            Self::DarkNetwork => "network dark",
            Self::LossyNetwork => "network lossy",
            Self::LateNetwork => "network late",
            Self::TrickleNetwork => "network trickling",
            Self::FullDisk => "disk full",
            Self::ClockStep => "clock stepped",
            Self::ClockOffByDays => "clock off by days",
            Self::ExpiredCertificate => "certificate expired",
        }
    }

    /// Processes that die of it by SIGKILL at the least, of a city with so many agents.
    pub(crate) const fn kills(self, agents: u64) -> u64 {
        match self {
            Self::KillHub
            | Self::KillAgent
            | Self::KillPostgres
            | Self::KillConnection
            | Self::ExpiredCertificate => 1,
            Self::KillEverything => 1 + agents,
            _ => 0,
        }
    }

    fn weather(self) -> Option<Weather> {
        match self {
            Self::LossyNetwork => Some(Weather::Lossy),
            Self::LateNetwork => Some(Weather::Late),
            Self::TrickleNetwork => Some(Weather::Trickle),
            _ => None,
        }
    }

    /// Whether it can be thrown with these means.
    pub(crate) fn is_at_hand(self, means: &Means) -> bool {
        match self {
            Self::FullDisk => means.disk.is_some(),
            Self::ClockStep | Self::ClockOffByDays => matches!(means.time, Time::Clock(_)),
            Self::ExpiredCertificate => matches!(means.time, Time::ShortLives),
            _ => true,
        }
    }

    /// Throws it. All but a clock that stepped by an hour is over at the end.
    pub(crate) async fn throw(
        self,
        setting: &mut Setting,
        means: &Means,
        dice: &mut ChaCha8Rng,
    ) -> anyhow::Result<()> {
        match self {
            Self::KillHub => {
                setting.bureau.kill().await?;
                pause(dice, 0..500).await;
                setting.bureau.open().await?;
            }
            Self::KillAgent => {
                let at = dice.random_range(0..setting.agents.len());
                restart(
                    setting,
                    at,
                    Duration::from_millis(dice.random_range(0..500)),
                )
                .await?;
            }
            Self::KillPostgres => setting.bureau.kill_database(Part::Server)?,
            Self::KillConnection => setting.bureau.kill_database(Part::Connection)?,
            Self::KillEverything => {
                setting.bureau.kill().await?;
                for agent in &mut setting.agents {
                    agent.kill().await?;
                }
                setting.bureau.open().await?;
                setting.start_agents()?;
            }
            Self::ExpiredCertificate => {
                let at = dice.random_range(0..setting.agents.len());
                restart(setting, at, SHORT_LIFE + Duration::from_secs(1)).await?;
            }
            Self::FullDisk => {
                if let Some(disk) = &means.disk {
                    disk.fill()?;
                    // What arrives meanwhile finds no room.
                    setting.town.live_on().await?;
                    pause(dice, 500..2_000).await;
                    disk.clear()?;
                }
            }
            Self::ClockStep => step(means, dice, 3_600)?,
            Self::ClockOffByDays => {
                step(means, dice, 30 * 3_600)?;
                pause(dice, 1_000..3_000).await;
                step(means, dice, 1)?;
            }
            _ => self.befall(&means.proxy, dice).await,
        }
        Ok(())
    }

    /// What happens to the network.
    async fn befall(self, proxy: &Proxy, dice: &mut ChaCha8Rng) {
        if let Some(weather) = self.weather() {
            proxy.turn(weather);
            pause(dice, 1_000..4_000).await;
            return proxy.turn(Weather::Fair);
        }
        match self {
            Self::ResetNetwork => {
                // In the middle of a message, as its bytes are counted.
                proxy.hold_requests_after(dice.random_range(0..20_000));
                pause(dice, 0..500).await;
                proxy.reset();
            }
            Self::DropAnswers => {
                // The next kilobytes of requests arrive; what the hub answers does not.
                proxy.hold_answers_after(dice.random_range(0..20_000));
                pause(dice, 100..1_500).await;
                proxy.cut();
            }
            Self::OneWayNetwork => {
                match dice.random_range(0..2) {
                    0 => proxy.hold_requests_after(0),
                    _ => proxy.hold_answers_after(0),
                }
                pause(dice, 100..2_000).await;
            }
            Self::DarkNetwork => {
                proxy.close();
                pause(dice, 100..2_000).await;
            }
            _ => proxy.cut(),
        }
        proxy.open();
    }
}

/// An agent that dies and is away for a while.
async fn restart(setting: &mut Setting, at: usize, away: Duration) -> anyhow::Result<()> {
    let agent = &mut setting.agents[at];
    agent.kill().await?;
    sleep(away).await;
    agent.start()
}

/// Sets the clock somewhere less than so many seconds off, ahead or behind.
fn step(means: &Means, dice: &mut ChaCha8Rng, seconds: i64) -> anyhow::Result<()> {
    match &means.time {
        Time::Clock(clock) => clock.set(dice.random_range(-seconds..=seconds)),
        Time::ShortLives | Time::Right => Ok(()),
    }
}

pub(crate) async fn pause(dice: &mut ChaCha8Rng, milliseconds: std::ops::Range<u64>) {
    sleep(Duration::from_millis(dice.random_range(milliseconds))).await;
}
