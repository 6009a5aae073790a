//! What is true of a city, for tests to hold a hub against. It follows from how the city was made, never from
//! running the rules it is to test.
use linkage::matter::Severity;
use serde::{Deserialize, Serialize};
use time::Date;

use crate::city::City;
use crate::office::{Level, Vendor};
use crate::planting::{LookAlikeKind, Place};

time::serde::format_description!(iso_date, Date, "[year]-[month]-[day]");

/// Everything a test may want to know, at one step of the city's life.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Truth {
    pub seed: u64,
    pub step: u32,
    /// First and last day of application.
    #[serde(with = "iso_date")]
    pub from: Date,
    #[serde(with = "iso_date")]
    pub to: Date,
    /// The day the city is seen on: no event is later.
    #[serde(with = "iso_date")]
    pub today: Date,
    /// Cases of all offices together, the rejected ones included.
    pub cases: u64,
    pub offices: Vec<OfficeTruth>,
    /// Records that must end in quarantine, each under exactly this rule.
    pub rejects: Vec<RejectTruth>,
    /// Findings that stored cases must have.
    pub quality: Vec<QualityTruth>,
    /// Pairs of cases that belong together.
    pub planted: Vec<PlantedPair>,
    /// Pairs that must not be found.
    pub look_alikes: Vec<LookAlikePair>,
}

/// One office and what its system holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OfficeTruth {
    pub office_id: String,
    pub name: String,
    pub level: Level,
    pub district_code: String,
    pub vendor: Vendor,
    pub notaries: u32,
    /// Records in its system, the rejected ones included.
    pub cases: u32,
}

/// One case of the city.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CaseRef {
    pub office_id: String,
    pub source_case_id: String,
}

/// A record that must end as a reject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectTruth {
    pub office_id: String,
    /// Key of the case that the record would be. The record itself says so only if `key_readable`.
    pub source_case_id: String,
    pub key_readable: bool,
    pub rule_id: String,
    /// Canonical field at fault, where it is one field.
    pub field: Option<String>,
}

/// A quality finding that a stored case must have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QualityTruth {
    pub office_id: String,
    pub source_case_id: String,
    pub rule_id: String,
    /// Position of the party at fault, where it is a party.
    pub party: Option<u32>,
}

/// Whether a planted pair can be found by equal numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlantedKind {
    /// Verified numbers on both sides.
    Exact,
    /// One side's numbers are missing or mistyped; only comparison of names, dates and phones finds it.
    Fuzzy,
}

/// Two cases that belong together; `left` < `right`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlantedPair {
    pub kind: PlantedKind,
    pub severity: Severity,
    pub rule_id: String,
    pub left: CaseRef,
    pub right: CaseRef,
}

/// Two cases that only look as if they belonged together; `left` < `right`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LookAlikePair {
    pub kind: LookAlikeKind,
    pub left: CaseRef,
    pub right: CaseRef,
}

impl Truth {
    /// Rejects of one office.
    pub fn rejects_of<'a>(&'a self, office_id: &'a str) -> impl Iterator<Item = &'a RejectTruth> {
        self.rejects
            .iter()
            .filter(move |reject| reject.office_id == office_id)
    }

    /// Planted pairs of one kind.
    pub fn planted_of(&self, kind: PlantedKind) -> impl Iterator<Item = &PlantedPair> {
        self.planted.iter().filter(move |pair| pair.kind == kind)
    }
}

impl City {
    /// What is true at this step. Walks through all cases once.
    pub fn truth(&self) -> Truth {
        let mut rejects = Vec::new();
        let mut quality = Vec::new();
        for (index, office) in self.offices().iter().enumerate() {
            for case in self.cases(index) {
                let office_id = || office.id.as_str().to_owned();
                rejects.extend(case.flaw.map(|flaw| RejectTruth {
                    office_id: office_id(),
                    source_case_id: case.source_case_id.clone(),
                    key_readable: flaw.leaves_key(),
                    rule_id: flaw.rule_id().to_owned(),
                    field: flaw.field().map(str::to_owned),
                }));
                quality.extend(case.quality.iter().map(|fault| QualityTruth {
                    office_id: office_id(),
                    source_case_id: case.source_case_id.clone(),
                    rule_id: fault.rule_id.to_owned(),
                    party: fault.party.map(|party| party as u32),
                }));
            }
        }
        let plan = self.plan();
        Truth {
            seed: plan.seed,
            step: self.step(),
            from: plan.from,
            to: plan.to,
            today: self.today(),
            cases: self
                .offices()
                .iter()
                .map(|office| u64::from(office.cases))
                .sum(),
            offices: self.office_truths(),
            rejects,
            quality,
            planted: self.planted(),
            look_alikes: self.look_alikes(),
        }
    }

    fn office_truths(&self) -> Vec<OfficeTruth> {
        self.offices()
            .iter()
            .map(|office| OfficeTruth {
                office_id: office.id.as_str().to_owned(),
                name: office.name.clone(),
                level: office.level,
                district_code: office.district_code.to_owned(),
                vendor: office.vendor,
                notaries: office.notaries.len() as u32,
                cases: office.cases,
            })
            .collect()
    }

    fn planted(&self) -> Vec<PlantedPair> {
        let mut pairs: Vec<_> = self
            .planting()
            .plants
            .iter()
            .map(|plant| {
                let [left, right] = self.pair(plant.places);
                PlantedPair {
                    kind: if plant.fuzzy {
                        PlantedKind::Fuzzy
                    } else {
                        PlantedKind::Exact
                    },
                    severity: plant.scenario.severity,
                    rule_id: plant.scenario.rule_id.to_owned(),
                    left,
                    right,
                }
            })
            .collect();
        pairs.sort_by(|a, b| (&a.left, &a.right).cmp(&(&b.left, &b.right)));
        pairs
    }

    fn look_alikes(&self) -> Vec<LookAlikePair> {
        self.planting()
            .look_alikes
            .iter()
            .map(|look_alike| {
                let [left, right] = self.pair(look_alike.places);
                LookAlikePair {
                    kind: look_alike.kind,
                    left,
                    right,
                }
            })
            .collect()
    }

    fn pair(&self, places: [Place; 2]) -> [CaseRef; 2] {
        let mut pair = places.map(|(office, ordinal)| CaseRef {
            office_id: self.offices()[office].id.as_str().to_owned(),
            source_case_id: self.case(office, ordinal).source_case_id,
        });
        pair.sort();
        pair
    }
}
