//! What the tests share.

use std::fs::{self, Permissions};
use std::ops::{Deref, DerefMut};
use std::os::unix::fs::PermissionsExt;

use notary_hub::embedded::testing::fresh_database;
use sandbox::{Agent, BureauOptions, Setting, Systems};
use synthetic_city::CityPlan;
use tempfile::TempDir;

/// Positions of four offices, one of each vendor's shape.
pub(crate) const TABLES: usize = 0;
pub(crate) const FLAT: usize = 1;
pub(crate) const CSV: usize = 3;
pub(crate) const XLSX: usize = 5;
pub(crate) const EACH_SHAPE: [usize; 4] = [TABLES, FLAT, CSV, XLSX];

/// A setting in a folder of its own.
pub(crate) struct Stage {
    setting: Setting,
    folder: TempDir,
}

impl Deref for Stage {
    type Target = Setting;

    fn deref(&self) -> &Setting {
        &self.setting
    }
}

impl DerefMut for Stage {
    fn deref_mut(&mut self) -> &mut Setting {
        &mut self.setting
    }
}

/// Six offices, of which each test lets some take part.
pub(crate) fn plan(cases: u32) -> CityPlan {
    CityPlan {
        offices: 6,
        ..CityPlan::of_size(122, cases)
    }
}

impl Stage {
    /// Offices enrolled at a hub that serves; no agent runs yet. The hub's database is one of the shared server's.
    pub(crate) async fn set(cases: u32, offices: &[usize]) -> anyhow::Result<Self> {
        let options = BureauOptions {
            database_url: Some(fresh_database().await.url),
            ..BureauOptions::default()
        };
        Self::build(cases, offices, Systems::Files, &options).await
    }

    /// The same with a hub of other options.
    pub(crate) async fn set_with(
        cases: u32,
        offices: &[usize],
        options: &BureauOptions,
    ) -> anyhow::Result<Self> {
        Self::build(cases, offices, Systems::Files, options).await
    }

    /// The same as it is installed: the hub with its private PostgreSQL, an office's tables on a server.
    pub(crate) async fn as_installed(cases: u32, offices: &[usize]) -> anyhow::Result<Self> {
        Self::build(cases, offices, Systems::Postgres, &BureauOptions::default()).await
    }

    async fn build(
        cases: u32,
        offices: &[usize],
        systems: Systems,
        options: &BureauOptions,
    ) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        // The private PostgreSQL may run as another user, who must get there.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755))?;
        let setting =
            Setting::build(folder.path(), &plan(cases), systems, options, offices).await?;
        Ok(Self { setting, folder })
    }

    /// Records that the hub has committed, of all offices.
    pub(crate) async fn committed(&mut self) -> anyhow::Result<i64> {
        self.ask("SELECT coalesce(sum(committed_sequence), 0)::bigint FROM sync_position")
            .await
    }

    /// One number from the hub's database.
    pub(crate) async fn ask(&mut self, sql: &'static str) -> anyhow::Result<i64> {
        let pool = self.bureau.database().await?;
        Ok(sqlx::query_scalar(sql).fetch_one(&pool).await?)
    }

    /// Cases in the systems of the offices that take part.
    pub(crate) fn at_sources(&self) -> i64 {
        let offices = self.town.city().offices();
        self.offices
            .iter()
            .map(|&office| i64::from(offices[office].cases))
            .sum()
    }

    pub(crate) fn agent(&mut self) -> &mut Agent {
        &mut self.setting.agents[0]
    }

    pub(crate) async fn close(self) -> anyhow::Result<()> {
        self.setting.close().await?;
        Ok(self.folder.close()?)
    }
}
