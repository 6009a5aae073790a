//! The offices' own systems on disk, in the shapes of their vendors.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use notary_hub::embedded::{Durability, Postgres};
use synthetic_city::{City, CityPlan, Stores};

/// Where offices with a database server have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Systems {
    /// On a private PostgreSQL.
    Postgres,
    /// In SQLite files: the same tables.
    Files,
}

/// A city and the systems of its offices.
#[derive(Debug)]
pub struct Town {
    folder: PathBuf,
    city: City,
    stores: Stores,
    postgres: Option<Postgres>,
}

impl Town {
    /// Writes the city's systems; `progress` is told of written cases.
    ///
    /// # Errors
    /// When the plan makes no city or the systems cannot be written.
    pub async fn build(
        folder: &Path,
        plan: &CityPlan,
        systems: Systems,
        progress: impl Fn(u64) + Send + Sync + 'static,
    ) -> anyhow::Result<Self> {
        let city = City::generate(plan)?;
        fs::create_dir_all(folder)?;
        let folder = folder.canonicalize()?;
        let postgres = match systems {
            Systems::Files => None,
            // The offices' data can be made again.
            Systems::Postgres => {
                let data = folder.join("postgres");
                Some(Postgres::start(&data, Durability::Relaxed).await?)
            }
        };
        let stores = Stores {
            postgres: postgres.as_ref().map(|server| server.url_of("postgres")),
            mysql: None,
        };
        let progress = Arc::new(move |_, cases| progress(cases));
        city.write_with_progress(&folder, &stores, progress)
            .await
            .context("write the offices' systems")?;
        Ok(Self {
            folder,
            city,
            stores,
            postgres,
        })
    }

    pub fn city(&self) -> &City {
        &self.city
    }

    /// Folder of an office, with its mapping and the `[[source]]` part of its agent's configuration.
    pub fn home(&self, office: usize) -> PathBuf {
        self.folder.join(self.city.offices()[office].id.as_str())
    }

    /// Lets 30 days pass: cases move on, some mistakes are corrected. Returns the number of changed cases.
    ///
    /// # Errors
    /// When the systems cannot be written.
    pub async fn live_on(&mut self) -> anyhow::Result<u64> {
        let later = self.city.evolve(self.city.step() + 1);
        let changed = later.apply(&self.folder, &self.stores).await?;
        self.city = later;
        Ok(changed)
    }

    /// Ends the offices' database server.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn close(self) -> anyhow::Result<()> {
        match self.postgres {
            Some(server) => Ok(server.stop().await?),
            None => Ok(()),
        }
    }
}
