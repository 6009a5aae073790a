//! What is thrown at a city.

mod network;
mod throw;

use std::str::FromStr;

use rand::RngExt;
use rand::rngs::ChaCha8Rng;

use crate::means::{Absence, Lives, Means};

pub(crate) use throw::pause;

/// What is thrown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    KillHub,
    KillAgent,
    KillPostgres,
    KillConnection,
    KillEverything,
    PauseHub,
    PauseAgent,
    CutNetwork,
    ResetNetwork,
    DropAnswers,
    OneWayNetwork,
    DarkNetwork,
    LossyNetwork,
    LateNetwork,
    TrickleNetwork,
    FullAgentDisk,
    FullHubDisk,
    AgentClockStep,
    AgentClockOffByDays,
    HubClockStep,
    ExpiredCertificate,
}

impl Fault {
    /// Each with how often it comes in a hundred or so.
    const OFTEN: [(Self, u32); 21] = [
        (Self::KillHub, 18),
        (Self::KillAgent, 20),
        (Self::KillPostgres, 9),
        (Self::KillConnection, 4),
        (Self::KillEverything, 5),
        (Self::PauseHub, 3),
        (Self::PauseAgent, 3),
        (Self::CutNetwork, 7),
        (Self::ResetNetwork, 6),
        (Self::DropAnswers, 8),
        (Self::OneWayNetwork, 3),
        (Self::DarkNetwork, 5),
        (Self::LossyNetwork, 3),
        (Self::LateNetwork, 2),
        (Self::TrickleNetwork, 2),
        (Self::FullAgentDisk, 3),
        (Self::FullHubDisk, 4),
        (Self::AgentClockStep, 3),
        (Self::AgentClockOffByDays, 1),
        (Self::HubClockStep, 4),
        (Self::ExpiredCertificate, 1),
    ];

    /// Every kind.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::OFTEN.into_iter().map(|(fault, _)| fault)
    }

    /// One of `kinds`, as often as it comes.
    pub(crate) fn draw(dice: &mut ChaCha8Rng, kinds: &[Self]) -> Self {
        let often = || {
            let all = Self::OFTEN.into_iter();
            all.filter(|(fault, _)| kinds.contains(fault))
        };
        let mut at = dice.random_range(0..often().map(|(_, often)| often).sum::<u32>());
        for (fault, often) in often() {
            match at.checked_sub(often) {
                Some(rest) => at = rest,
                None => return fault,
            }
        }
        unreachable!("the dice show less than all of them")
    }

    /// Those of `kinds` that a city of this seed may have, in the order in which its rests take them: first what every
    /// other city alone has, then the others, from the front where the seed is odd and from the back where it is even. So
    /// a few rounds have thrown each.
    pub(crate) fn in_turn(seed: u64, kinds: &[Self]) -> Vec<Self> {
        let lives = Lives::of(seed);
        let (everywhere, mut turn): (Vec<Self>, Vec<Self>) = kinds
            .iter()
            .copied()
            .partition(|fault| fault.lives().is_none());
        turn.retain(|fault| fault.lives() == Some(lives));
        match lives {
            Lives::Short => turn.extend(everywhere),
            Lives::Long => turn.extend(everywhere.into_iter().rev()),
        }
        turn
    }

    /// Which cities have what it takes, if not all.
    const fn lives(self) -> Option<Lives> {
        match self {
            Self::ExpiredCertificate | Self::FullHubDisk => Some(Lives::Short),
            Self::AgentClockStep | Self::AgentClockOffByDays | Self::HubClockStep => {
                Some(Lives::Long)
            }
            _ => None,
        }
    }

    /// Why it cannot be thrown with these means, if so.
    pub(crate) fn absence(self, means: &Means) -> Option<Absence> {
        match self {
            Self::FullAgentDisk => means.agent_disk.as_ref().err().copied(),
            Self::FullHubDisk => means.hub_disk.as_ref().err().copied(),
            Self::AgentClockStep | Self::AgentClockOffByDays | Self::HubClockStep => {
                means.clocks.as_ref().err().copied()
            }
            Self::ExpiredCertificate if means.lives == Lives::Long => Some(Absence::InOtherCities),
            _ => None,
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::KillHub => "hub killed",
            Self::KillAgent => "agent killed",
            Self::KillPostgres => "PostgreSQL killed",
            Self::KillConnection => "connection of PostgreSQL killed",
            Self::KillEverything => "all killed",
            Self::PauseHub => "hub paused",
            Self::PauseAgent => "agent paused",
            Self::CutNetwork => "network cut",
            Self::ResetNetwork => "network reset",
            Self::DropAnswers => "answers dropped",
            Self::OneWayNetwork => "network one way",
            Self::DarkNetwork => "network dark",
            Self::LossyNetwork => "network lossy",
            Self::LateNetwork => "network late",
            Self::TrickleNetwork => "network trickling",
            Self::FullAgentDisk => "agent's disk full",
            Self::FullHubDisk => "hub's disk full",
            Self::AgentClockStep => "agent's clock stepped",
            Self::AgentClockOffByDays => "agent's clock off by days",
            Self::HubClockStep => "hub's clock stepped",
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
}

/// A name of no kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownKind(String);

impl std::fmt::Display for UnknownKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let known: Vec<_> = Fault::all().map(Fault::name).collect();
        write!(
            f,
            "no kind of fault is called {:?}; there are: {}",
            self.0,
            known.join(", ")
        )
    }
}

impl std::error::Error for UnknownKind {}

impl FromStr for Fault {
    type Err = UnknownKind;

    fn from_str(name: &str) -> Result<Self, UnknownKind> {
        let mut all = Self::all();
        let found = all.find(|fault| fault.name() == name);
        found.ok_or_else(|| UnknownKind(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_kind_is_known_by_its_name() {
        for fault in Fault::all() {
            assert_eq!(fault.name().parse(), Ok(fault));
        }
        let unknown = "rain".parse::<Fault>().expect_err("no kind");
        assert!(unknown.to_string().contains("hub paused"));
    }

    #[test]
    fn four_rounds_rest_behind_every_kind() {
        let kinds: Vec<Fault> = Fault::all().collect();
        let rested: BTreeSet<Fault> = (1..=4)
            .flat_map(|seed| {
                let rests = crate::round::rests(seed, 30, &kinds);
                rests.collect::<Vec<_>>()
            })
            .collect();
        assert_eq!(rested.len(), kinds.len());
    }
}
