//! The hub that is attacked, the office that attacks it, and the office next door.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rustls::ClientConfig;
use sandbox::client::{self, Identity};
use sandbox::memory::{self, Memory};
use sandbox::{Bureau, BureauOptions, NewAccount};
use synthetic_city::{City, CityPlan};

use crate::attacker::{Attacker, Door, Extent, Tally};
use crate::neighbour::{self, Access, Neighbours};
use crate::scan::{Finding, Scanner};

/// Neighbours look up more often than people do, to be measured, and do not sign in again.
const CONFIGURATION: &str = "lookup.person_per_minute = 1000000000\nlookup.office_per_minute = 1000000000\n\
                             identity.session_ttl = '3h'\n";
const PASSWORD: &str = "correct horse battery";

/// A hub with an attacker before it and neighbours beside it.
#[derive(Debug)]
pub struct Site {
    bureau: Bureau,
    process: u32,
    attacking: Insider,
    anybody: Arc<ClientConfig>,
    neighbours: Access,
}

/// An office and one of its notaries.
#[derive(Debug)]
struct Insider {
    office_id: String,
    identity: Identity,
    tls: Arc<ClientConfig>,
    session: String,
}

impl Site {
    /// Founds and opens a hub in `folder`, with the private PostgreSQL or the database named.
    ///
    /// # Errors
    /// When the hub cannot be founded, or either office not be enrolled.
    pub async fn open(folder: &Path, database_url: Option<String>) -> anyhow::Result<Self> {
        let options = BureauOptions {
            database_url,
            configuration: CONFIGURATION.to_owned(),
        };
        let mut bureau = Bureau::found(folder, &options).await?;
        bureau.open().await?;
        let process = bureau.process_id()?;
        let anybody = client::config(&bureau.ca_file(), None)?;
        let city = City::generate(&CityPlan {
            offices: 2,
            ..CityPlan::of_size(1, 100)
        })?;
        let [attacked, next_door] = [0, 1].map(|at| &city.offices()[at]);
        let attacking = enrol(&bureau, attacked, &anybody).await?;
        let neighbour = enrol(&bureau, next_door, &anybody).await?;
        let addresses = bureau.addresses();
        let neighbours = Access {
            agents: client::channel(&client::endpoint(), addresses.agents, neighbour.tls),
            people: client::channel(&client::endpoint(), addresses.people, Arc::clone(&anybody)),
            session: neighbour.session,
            rest: bureau.rest()?,
        };
        Ok(Self {
            bureau,
            process,
            attacking,
            anybody,
            neighbours,
        })
    }

    pub fn attacker(&self, door: Door, extent: Extent) -> Attacker {
        let addresses = self.bureau.addresses();
        let (address, tls) = match door {
            Door::Agents => (addresses.agents, &self.attacking.tls),
            Door::People => (addresses.people, &self.anybody),
        };
        Attacker {
            door,
            address,
            tls: Arc::clone(tls),
            office_id: self.attacking.office_id.clone(),
            session: self.attacking.session.clone(),
            process: self.process,
            extent,
            tally: Arc::new(Tally::default()),
        }
    }

    /// One look-up of the office next door.
    ///
    /// # Errors
    /// When it is not answered well.
    pub async fn look_up(&self) -> anyhow::Result<()> {
        neighbour::look_up_once(&self.neighbours).await
    }

    pub fn neighbours(&self) -> Neighbours {
        Neighbours::start(&self.neighbours)
    }

    /// Starts counting the hub's largest memory anew.
    ///
    /// # Errors
    /// When the operating system does not allow it.
    pub fn forget_peak(&self) -> anyhow::Result<()> {
        Ok(fs::write(
            format!("/proc/{}/clear_refs", self.process),
            "5",
        )?)
    }

    /// Memory of the hub, now and at most since [`Site::forget_peak`].
    ///
    /// # Errors
    /// When the hub is gone.
    pub fn memory(&self) -> anyhow::Result<Memory> {
        memory::of(self.process)
    }

    /// What killed the hub or made it panic, if anything.
    ///
    /// # Errors
    /// When its log cannot be read.
    pub fn crash(&mut self) -> anyhow::Result<Option<String>> {
        if let Err(error) = self.bureau.must_run() {
            return Ok(Some(format!("{error:#}")));
        }
        let log = fs::read(self.bureau.log_file())?;
        let log = String::from_utf8_lossy(&log);
        Ok(log
            .lines()
            .find(|line| line.contains("panick"))
            .map(str::to_owned))
    }

    pub fn bureau(&self) -> &Bureau {
        &self.bureau
    }

    /// What a TLS scanner finds at both doors; it may write to `folder`.
    ///
    /// # Errors
    /// When it cannot be run.
    pub async fn scan(&self, python: &Path, folder: &Path) -> anyhow::Result<Vec<Finding>> {
        let scanner = Scanner {
            python,
            folder,
            ca_file: self.bureau.ca_file(),
        };
        let addresses = self.bureau.addresses();
        let identity = Some(&self.attacking.identity);
        let mut findings = scanner
            .scan(Door::Agents, addresses.agents, identity)
            .await?;
        findings.extend(scanner.scan(Door::People, addresses.people, None).await?);
        Ok(findings)
    }

    /// SIGTERM.
    ///
    /// # Errors
    /// When the hub does not end well.
    pub async fn close(mut self) -> anyhow::Result<()> {
        let status = self.bureau.close().await?;
        anyhow::ensure!(status.success(), "the hub ended with {status}");
        Ok(())
    }
}

async fn enrol(
    bureau: &Bureau,
    office: &synthetic_city::Office,
    anybody: &Arc<ClientConfig>,
) -> anyhow::Result<Insider> {
    let office_id = office.id.as_str();
    bureau.add_office(office).await?;
    let people = client::channel(
        &client::endpoint(),
        bureau.addresses().people,
        Arc::clone(anybody),
    );
    let join_token = bureau.join_token(office_id).await?;
    let identity = client::enrol(people.clone(), join_token).await?;
    let login = format!("notary-{office_id}");
    let notary = NewAccount {
        login: &login,
        display_name: "attack",
        role: "notary",
        office: Some(office_id),
        password: PASSWORD,
    };
    bureau.add_account(notary).await?;
    Ok(Insider {
        office_id: office_id.to_owned(),
        tls: client::config(&bureau.ca_file(), Some(client::copy_of(&identity)))?,
        identity,
        session: client::sign_in(people, &login, PASSWORD).await?,
    })
}
