//! What a city is broken with.

use std::path::Path;
use std::time::Duration;

use anyhow::ensure;
use sandbox::Setting;
use sandbox::clock::Clock;
use sandbox::disk::SmallDisk;
use sandbox::proxy::Proxy;

/// Room on the first agent's disk.
const AGENT_DISK: &str = "64m";
/// Room on the disk of the hub's PostgreSQL: for its log alone up to `max_wal_size` of the private PostgreSQL.
const HUB_DISK: &str = "8g";

/// What a city is broken with, as far as the machine and the city have it.
#[derive(Debug)]
pub(crate) struct Means {
    pub(crate) proxy: Proxy,
    pub(crate) agent_disk: Result<SmallDisk, Absence>,
    /// Of its private PostgreSQL.
    pub(crate) hub_disk: Result<SmallDisk, Absence>,
    pub(crate) clocks: Result<Clocks, Absence>,
    pub(crate) lives: Lives,
}

/// Clocks that can be set.
#[derive(Clone, Debug)]
pub(crate) struct Clocks {
    /// The second agent's.
    pub(crate) agent: Clock,
    /// The hub's and its private PostgreSQL's.
    pub(crate) hub: Clock,
}

/// How long certificates live in a city, and with that which kinds of faults are thrown there and nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lives {
    /// So short that they are renewed all the time, and end while an agent is away. The hub's database has a small disk.
    Short,
    /// As they do. Clocks are set: an hour's step would leave nothing of a life of seconds.
    Long,
}

/// Why a kind cannot be thrown in a city.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Absence {
    /// Cities of other seeds have what it takes.
    InOtherCities,
    OnThisMachine(Lack),
}

/// What a machine lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lack {
    /// No disk can be mounted: that takes root, and in a container CAP_SYS_ADMIN.
    Mount,
    /// No clock can be set: libfaketime is not installed.
    Libfaketime,
}

impl Lives {
    pub(crate) const fn of(seed: u64) -> Self {
        match seed % 2 {
            1 => Self::Short,
            _ => Self::Long,
        }
    }

    pub(crate) const fn length(self) -> Duration {
        match self {
            Self::Short => Duration::from_secs(20),
            Self::Long => Duration::from_secs(24 * 3600),
        }
    }
}

impl Means {
    /// Puts disks, clocks and a network that breaks into a city whose agents do not run yet. `folder` is the city's.
    ///
    /// # Errors
    /// When the city does not bear it.
    pub(crate) async fn put_into(
        setting: &mut Setting,
        folder: &Path,
        lives: Lives,
    ) -> anyhow::Result<Self> {
        let proxy = setting.behind_a_proxy().await?;
        let [first, second, ..] = setting.agents.as_mut_slice() else {
            anyhow::bail!("a city has two offices at least");
        };
        let agent_disk = disk(&first.data_dir(), AGENT_DISK);
        let clocks = clocks(folder, lives)?;
        if let Ok(clocks) = &clocks {
            second.go_by(clocks.agent.clone());
        }
        let hub_disk = change_hub(setting, lives, &clocks).await?;
        Ok(Self {
            proxy,
            agent_disk,
            hub_disk,
            clocks,
            lives,
        })
    }
}

/// Disk and clock of a hub are another one's from its next start on.
async fn change_hub(
    setting: &mut Setting,
    lives: Lives,
    clocks: &Result<Clocks, Absence>,
) -> anyhow::Result<Result<SmallDisk, Absence>> {
    let bureau = &mut setting.bureau;
    let ended = bureau.close().await?;
    ensure!(ended.success(), "the hub ended with {ended}");
    let hub_disk = match lives {
        Lives::Short => disk(&bureau.postgres_dir(), HUB_DISK),
        Lives::Long => Err(Absence::InOtherCities),
    };
    if let Ok(clocks) = clocks {
        bureau.go_by(clocks.hub.clone());
    }
    bureau.open().await?;
    Ok(hub_disk)
}

fn disk(folder: &Path, size: &str) -> Result<SmallDisk, Absence> {
    SmallDisk::under(folder, size).map_err(|_| Absence::OnThisMachine(Lack::Mount))
}

fn clocks(folder: &Path, lives: Lives) -> anyhow::Result<Result<Clocks, Absence>> {
    if lives == Lives::Short {
        return Ok(Err(Absence::InOtherCities));
    }
    let agent = Clock::set_by(folder.join("agent-clock"))?;
    let hub = Clock::set_by(folder.join("hub-clock"))?;
    let both = agent.zip(hub).map(|(agent, hub)| Clocks { agent, hub });
    Ok(both.ok_or(Absence::OnThisMachine(Lack::Libfaketime)))
}
