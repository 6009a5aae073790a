//! Whether everything arrived, and once: what the city's cases are, key by key, against what the hub holds.

mod breaches;
mod figures;
mod findings;
mod hub;
mod office;
mod periodic;

use std::collections::BTreeMap;

use linkage::matter::Severity;
use sqlx::PgPool;
use synthetic_city::City;

use findings::Findings;
use hub::Holdings;

pub use breaches::Breaches;
pub use figures::FigureReckoning;
pub use findings::{Measured, Tally};
pub use office::OfficeReckoning;
pub use periodic::LeftOut;

/// The outcome for the offices that take part.
#[derive(Clone, Debug)]
pub struct Reckoning {
    pub offices: Vec<OfficeReckoning>,
    /// Planted pairs that equal numbers show, both sides at offices that take part.
    pub planted: usize,
    pub found: usize,
    /// The same by severity, with findings by equal numbers that are no planted pair.
    pub exact: BTreeMap<Severity, Tally>,
    /// Planted pairs that only persons show, with findings by persons that are no planted pair.
    pub fuzzy: BTreeMap<Severity, Tally>,
    /// Planted exact pairs without their finding.
    pub missed: Vec<String>,
    /// Planted fuzzy pairs without theirs: comparison may not know them.
    pub missed_fuzzy: Vec<String>,
    /// Findings that are no planted pair: the city hides nothing else.
    pub false_findings: Vec<String>,
}

impl Reckoning {
    /// Compares the city with the hub's database, for the offices at these positions.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn take(city: &City, offices: &[usize], pool: &PgPool) -> anyhow::Result<Self> {
        let holdings = Holdings::load(pool).await?;
        let findings = hub::findings(pool).await?;
        let city = city.clone();
        let offices = offices.to_vec();
        // Writing the city's cases down once more takes a second or two.
        Ok(
            tokio::task::spawn_blocking(move || Self::compare(&city, &offices, holdings, findings))
                .await?,
        )
    }

    fn compare(
        city: &City,
        offices: &[usize],
        mut holdings: Holdings,
        found: Vec<hub::Finding>,
    ) -> Self {
        let reckoned = offices
            .iter()
            .map(|&office| {
                let held = holdings.take(city.offices()[office].id.as_str());
                OfficeReckoning::of(city, office, held)
            })
            .collect();
        let Findings {
            exact,
            fuzzy,
            missed,
            missed_fuzzy,
            false_findings,
        } = findings::compare(city, offices, found);
        Self {
            offices: reckoned,
            planted: exact.values().map(|tally| tally.planted).sum(),
            found: exact.values().map(|tally| tally.found).sum(),
            exact,
            fuzzy,
            missed,
            missed_fuzzy,
            false_findings,
        }
    }

    pub fn at_sources(&self) -> u64 {
        self.sum(|office| office.at_source)
    }

    pub fn at_hub(&self) -> u64 {
        self.sum(|office| office.at_hub)
    }

    /// Records in quarantine that belong there.
    pub fn rejected(&self) -> u64 {
        self.sum(|office| office.rejects.values().sum())
    }

    pub fn lost(&self) -> u64 {
        self.sum(|office| office.lost.len() as u64)
    }

    /// Cases with more than one effect.
    pub fn repeated(&self) -> u64 {
        self.sum(|office| office.repeated.len() as u64)
    }

    pub fn rejects_by_rule(&self) -> BTreeMap<&str, u64> {
        let mut rules = BTreeMap::new();
        for (rule, count) in self.offices.iter().flat_map(|office| &office.rejects) {
            *rules.entry(rule.as_str()).or_default() += count;
        }
        rules
    }

    /// Everything that is not as it must be, in words; empty when all is well.
    pub fn complaints(&self) -> Vec<String> {
        let of_offices = self.offices.iter().flat_map(OfficeReckoning::complaints);
        let missed = self.missed.iter().map(|pair| format!("not found: {pair}"));
        let false_ones = self
            .false_findings
            .iter()
            .map(|pair| format!("found although not planted: {pair}"));
        of_offices.chain(missed).chain(false_ones).collect()
    }

    fn sum(&self, count: impl Fn(&OfficeReckoning) -> u64) -> u64 {
        self.offices.iter().map(count).sum()
    }
}
