//! What the tests share.

use std::fs::{self, Permissions};
use std::ops::{Deref, DerefMut};
use std::os::unix::fs::PermissionsExt;

use linkage::identifier::ParsedIdentifier;
use notary_hub::embedded::testing::fresh_database;
use sandbox::{Agent, BureauOptions, NewAccount, Setting, Systems};
use synthetic_city::{Case, CityPlan, Party};
use tempfile::TempDir;

/// Positions of four offices, one of each vendor's shape.
pub(crate) const TABLES: usize = 0;
pub(crate) const FLAT: usize = 1;
pub(crate) const CSV: usize = 3;
pub(crate) const XLSX: usize = 5;
pub(crate) const EACH_SHAPE: [usize; 4] = [TABLES, FLAT, CSV, XLSX];

/// Who signs in at the first office.
pub(crate) const LOGIN: &str = "wang";
pub(crate) const PASSWORD: &str = "correct horse battery";

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
    /// Adds a notary of the first office.
    pub(crate) async fn add_notary(&self) -> anyhow::Result<()> {
        let account = NewAccount {
            login: LOGIN,
            display_name: "公证员",
            role: "notary",
            office: Some(self.agents[0].office_id()),
            password: PASSWORD,
        };
        self.bureau.add_account(account).await
    }

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

fn is_verified(party: &Party) -> bool {
    party.document.as_ref().is_some_and(|document| {
        matches!(
            ParsedIdentifier::parse(document.kind, &document.number),
            Ok(ParsedIdentifier::Verified(_))
        )
    })
}

/// A case of the second office without a flaw, all of whose numbers are verified.
pub(crate) fn case_elsewhere(stage: &Stage, wanted: impl Fn(&Case) -> bool) -> Case {
    let mut cases =
        stage.town.city().cases(FLAT).filter(|case| {
            case.flaw.is_none() && case.parties.iter().all(is_verified) && wanted(case)
        });
    cases.next().expect("the city has such a case")
}
