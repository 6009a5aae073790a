//! Offices, bureau and agents together.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use futures_util::future::try_join_all;
use synthetic_city::CityPlan;

use crate::agent::HubAt;
use crate::proxy::Proxy;
use crate::{Agent, Bureau, BureauOptions, FigureReckoning, Reckoning, Systems, Town, poll};

/// A town with its bureau, and an agent at each office that takes part.
#[derive(Debug)]
pub struct Setting {
    pub town: Town,
    pub bureau: Bureau,
    pub agents: Vec<Agent>,
    /// Positions of the offices that take part, in the order of `agents`.
    pub offices: Vec<usize>,
}

impl Setting {
    /// Builds the town, founds and opens the bureau, and enrols an agent at each of `offices`. None runs yet.
    ///
    /// # Errors
    /// When any of it fails.
    pub async fn build(
        folder: &Path,
        plan: &CityPlan,
        systems: Systems,
        options: &BureauOptions,
        offices: &[usize],
    ) -> anyhow::Result<Self> {
        let offices_folder = folder.join("offices");
        let town = Town::build(&offices_folder, plan, systems, |_| {}).await?;
        for &office in offices {
            look_often(&town.home(office).join("source.toml"))?;
        }
        let bureau = Bureau::found(&folder.join("bureau"), options).await?;
        let mut setting = Self {
            town,
            bureau,
            agents: Vec::new(),
            offices: offices.to_vec(),
        };
        setting.bureau.open().await?;
        setting.enrol().await?;
        Ok(setting)
    }

    /// Adds the offices to the hub, and enrols their agents.
    ///
    /// # Errors
    /// When an office or its agent is refused.
    pub async fn enrol(&mut self) -> anyhow::Result<()> {
        let hub = self.hub_at();
        for &office in &self.offices {
            let house = &self.town.city().offices()[office];
            let id = house.id.as_str();
            self.bureau.add_office(house).await?;
            let token = self.bureau.join_token(id).await?;
            let agent = Agent::install(&self.town.home(office), id, &hub)?;
            agent.enroll(&token).await?;
            self.agents.push(agent);
        }
        Ok(())
    }

    /// Where agents find the hub.
    pub fn hub_at(&self) -> HubAt {
        let addresses = self.bureau.addresses();
        HubAt {
            agents: addresses.agents.to_string(),
            people: addresses.people.to_string(),
            ca_file: self.bureau.ca_file(),
        }
    }

    /// Puts a network that can be broken between all agents and the hub; takes effect at the agents' next start.
    ///
    /// # Errors
    /// When the proxy cannot listen.
    pub async fn behind_a_proxy(&self) -> anyhow::Result<Proxy> {
        let mut hub = self.hub_at();
        let proxy = Proxy::start(self.bureau.addresses().agents).await?;
        hub.agents = proxy.address().to_string();
        for agent in &self.agents {
            agent.find_hub_at(&hub)?;
        }
        Ok(proxy)
    }

    /// Starts every agent.
    ///
    /// # Errors
    /// When one cannot be started.
    pub fn start_agents(&mut self) -> anyhow::Result<()> {
        self.agents.iter_mut().try_for_each(Agent::start)
    }

    /// Compares the offices with the hub.
    ///
    /// # Errors
    /// When the hub's database cannot be read.
    pub async fn reckon(&mut self) -> anyhow::Result<Reckoning> {
        let pool = self.bureau.database().await?;
        Reckoning::take(self.town.city(), &self.offices, &pool).await
    }

    /// The bureau's figures beside what the offices' cases come to.
    ///
    /// # Errors
    /// When the hub's database cannot be read.
    pub async fn figures(&mut self) -> anyhow::Result<FigureReckoning> {
        let pool = self.bureau.database().await?;
        FigureReckoning::take(self.town.city(), &self.offices, &pool).await
    }

    /// Waits until the hub holds what the offices hold, with nothing missing and nothing twice, and the figures
    /// equal their recomputation.
    ///
    /// # Errors
    /// When that does not come to be; the error says what is wrong.
    pub async fn settled(&mut self) -> anyhow::Result<Reckoning> {
        self.settled_within(poll::PATIENCE).await
    }

    /// [`Setting::settled`] with a limit of one's own.
    ///
    /// # Errors
    /// As [`Setting::settled`].
    pub async fn settled_within(&mut self, limit: Duration) -> anyhow::Result<Reckoning> {
        let mut complaints = Vec::new();
        let settled = poll::until("the hub holds the city", limit, async || {
            self.agents
                .iter_mut()
                .filter(|agent| agent.is_running())
                .try_for_each(Agent::must_run)?;
            let reckoning = self.reckon().await?;
            complaints = reckoning.complaints();
            Ok(complaints.is_empty().then_some(reckoning))
        })
        .await;
        let reckoning = settled.with_context(|| {
            complaints.truncate(20);
            complaints.join("\n")
        })?;
        let differences = self.statistics_differences().await?;
        if differences > 0 {
            bail!("{differences} cells of the statistics are not what the cases give");
        }
        Ok(reckoning)
    }

    /// Cells in which the rollup is not what a recomputation gives, by `notary-hub stats verify`.
    ///
    /// # Errors
    /// When the command cannot answer.
    pub async fn statistics_differences(&self) -> anyhow::Result<usize> {
        self.bureau.statistics_differences().await
    }

    /// Ends agents, hub and the offices' server, in this order, each with SIGTERM.
    ///
    /// # Errors
    /// When one of them does not end, or not with exit code 0.
    pub async fn close(mut self) -> anyhow::Result<()> {
        let running = self.agents.iter_mut().filter(|agent| agent.is_running());
        let ended = try_join_all(running.map(async |agent| {
            let status = agent.stop().await?;
            anyhow::Ok((agent.office_id().to_owned(), status))
        }))
        .await?;
        for (office, status) in ended {
            if !status.success() {
                bail!("the agent of {office} ended with {status}");
            }
        }
        if self.bureau.is_open() {
            let status = self.bureau.close().await?;
            if !status.success() {
                bail!("the hub ended with {status}");
            }
        }
        self.town.close().await
    }
}

/// Whoever builds a setting waits for changes, and wants a small city to be read in more than one page.
fn look_often(sources: &Path) -> anyhow::Result<()> {
    let text = fs::read_to_string(sources)?
        .replace("poll = \"2s\"", "poll = \"200ms\"")
        .replace("rescan = \"5s\"", "rescan = \"500ms\"")
        .replace("page_rows = 1000", "page_rows = 50");
    Ok(fs::write(sources, text)?)
}
