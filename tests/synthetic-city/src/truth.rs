//! What is true of a city, for tests to hold a hub against. It follows from how the city was made, never from
//! running the rules it is to test.
use std::collections::HashSet;

use linkage::identifier::ParsedIdentifier;
use linkage::matter::Severity;
use linkage::vocabulary::{CaseState, ReasonCode};
use serde::{Deserialize, Serialize};
use time::{Date, Duration};

use crate::case::{Case, Document};
use crate::city::City;
use crate::filing::Asked;
use crate::lifecycle::LIMIT;
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
    /// What supervision must point at on that day.
    pub breaches: Vec<BreachTruth>,
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

/// Something that an office did against a rule of supervision.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BreachTruth {
    pub office_id: String,
    pub rule_id: String,
    /// The case's key, the filing's id, or series and first number of special paper.
    pub about: String,
    /// The day that it counts on: of a case when it ended, else when it began.
    #[serde(with = "iso_date::option")]
    pub happened_on: Option<Date>,
    /// Whether it is about a case that has ended.
    pub concluded: bool,
}

impl BreachTruth {
    fn of(case: &Case, office_id: &str, rule_id: &str) -> Self {
        let ended_on = match case.state {
            CaseState::Withdrawn => None,
            CaseState::Refused | CaseState::Rejected | CaseState::Terminated => case.closed_on,
            _ => case.issued_on,
        };
        let began_on = case.accepted_on.unwrap_or(case.applied_on);
        Self {
            office_id: office_id.to_owned(),
            rule_id: rule_id.to_owned(),
            about: case.source_case_id.clone(),
            happened_on: ended_on.or(case.closed_on).or(Some(began_on)),
            concluded: ended_on.is_some(),
        }
    }
}

/// Grounds of refusal that send the party to another office.
const SENT_ON: [ReasonCode; 3] = [
    ReasonCode::OutsidePracticeArea,
    ReasonCode::AcceptedElsewhere,
    ReasonCode::FeeUnpaid,
];
/// Matters of which no office is told who wanted them elsewhere.
const SEALED: [&str; 2] = ["will", "safekeeping"];
/// Days within which what one office refused is not another's to accept unseen.
const REFUSED_WITHIN: Duration = Duration::days(366);

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
            breaches: self.breaches(self.today()),
        }
    }

    /// What supervision must point at, and nothing else, on a day not before today: limits pass though nothing
    /// happens. Walks through all cases once.
    pub fn breaches(&self, judged_on: Date) -> Vec<BreachTruth> {
        let mut breaches = Vec::new();
        for (index, office) in self.offices().iter().enumerate() {
            let office_id = office.id.as_str();
            let kin: HashSet<(usize, String)> = self
                .kin(index)
                .into_iter()
                .filter_map(|kin| Some((kin.notary, number(&kin.document)?)))
                .collect();
            for case in self.cases(index).filter(|case| case.flaw.is_none()) {
                let broken = self.rules_broken(&case, &kin, judged_on);
                breaches.extend(broken.map(|rule_id| BreachTruth::of(&case, office_id, rule_id)));
            }
            let handed_in = |(rule_id, about, on): (&str, String, Date)| BreachTruth {
                office_id: office_id.to_owned(),
                rule_id: rule_id.to_owned(),
                about,
                happened_on: Some(on),
                concluded: false,
            };
            breaches.extend(self.overdue(index, judged_on).map(handed_in));
            breaches.extend(self.paper_breach(index).map(handed_in));
        }
        breaches.extend(self.accepted_in_spite());
        breaches.sort();
        breaches
    }

    fn rules_broken(
        &self,
        case: &Case,
        kin: &HashSet<(usize, String)>,
        judged_on: Date,
    ) -> impl Iterator<Item = &'static str> {
        let unfiled = Asked::by(case).filter(|asked| {
            let filed_on = asked.filed_on(self, case.office);
            filed_on.unwrap_or(judged_on) > asked.due_on(self)
        });
        let unfiled: Vec<_> = unfiled.map(|asked| asked.rule_id).collect();
        let under_way = matches!(
            case.state,
            CaseState::Accepted | CaseState::UnderReview | CaseState::Approved
        );
        let waiting_since = case
            .accepted_on
            .filter(|_| under_way && case.issued_on.is_none());
        let overdue = waiting_since
            .is_some_and(|since| judged_on > self.calendar().limit_after(since, LIMIT));
        let related = case.state.is_accepted_or_later()
            && case.parties.iter().any(|party| {
                let number = party.document.as_ref().and_then(number);
                number.is_some_and(|number| kin.contains(&(case.notary, number)))
            });
        let by_itself = case.breaches.clone().into_iter();
        by_itself
            .chain(unfiled)
            .chain(overdue.then_some("TIME_LIMIT"))
            .chain(related.then_some("RECUSAL"))
    }

    /// What an office accepted although another had refused it.
    fn accepted_in_spite(&self) -> impl Iterator<Item = BreachTruth> {
        let pairs = self.planting().look_alikes.iter();
        pairs
            .filter(|pair| pair.kind == LookAlikeKind::NotLive)
            .filter_map(|pair| {
                let [accepted, refused] = pair.places.map(|(office, at)| self.case(office, at));
                let sound = accepted.flaw.is_none() && refused.flaw.is_none();
                let refused_on = refused
                    .closed_on
                    .filter(|_| sound && refused.state == CaseState::Refused)?;
                let accepted_on = accepted.accepted_on.filter(|on| *on >= refused_on)?;
                let sent_on = refused
                    .reason_code
                    .is_some_and(|code| SENT_ON.contains(&code));
                let breaks = accepted.matter_type == refused.matter_type
                    && !SEALED.contains(&accepted.matter_type.code())
                    && accepted_on - refused_on <= REFUSED_WITHIN
                    && !sent_on;
                let office_id = self.offices()[accepted.office].id.as_str();
                breaks.then(|| BreachTruth::of(&accepted, office_id, "REFUSED_ELSEWHERE"))
            })
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

/// A document's number as everybody reads it, when its check digit holds.
pub(crate) fn number(document: &Document) -> Option<String> {
    let parsed = ParsedIdentifier::parse(document.kind, &document.number).ok()?;
    Some(format!(
        "{} {}",
        document.kind,
        parsed.verified()?.normalised()
    ))
}
