//! One office's cases against what the hub holds of them.

use std::collections::{BTreeMap, HashMap};

use synthetic_city::{Case, City, Vendor};

use super::hub::{Facts, Held, Reject};

/// The outcome for one office.
#[derive(Clone, Debug)]
pub struct OfficeReckoning {
    pub office_id: String,
    pub name: String,
    pub vendor: Vendor,
    pub at_source: u64,
    pub at_hub: u64,
    /// Records in quarantine that belong there, by rule.
    pub rejects: BTreeMap<String, u64>,
    /// Source cases that are neither at the hub, in their newest content, nor rightly in quarantine.
    pub lost: Vec<String>,
    /// Cases whose history has more entries than the case had changes.
    pub repeated: Vec<String>,
    /// What the hub has of this office and its source does not explain.
    pub unexplained: Vec<String>,
}

impl OfficeReckoning {
    pub(super) fn of(city: &City, office: usize, mut held: Held) -> Self {
        let house = &city.offices()[office];
        let mut reckoned = Self {
            office_id: house.id.as_str().to_owned(),
            name: house.name.clone(),
            vendor: house.vendor,
            at_source: 0,
            at_hub: held.cases.len() as u64,
            rejects: BTreeMap::new(),
            lost: Vec::new(),
            repeated: Vec::new(),
            unexplained: Vec::new(),
        };
        let mut quarantine = Quarantine::new(std::mem::take(&mut held.rejects));
        for case in city.cases(office) {
            reckoned.at_source += 1;
            let at_hub = held.cases.remove(&case.source_case_id);
            match (case.flaw, at_hub) {
                (None, Some(facts)) if facts == expected(&case) => {}
                (None, None) => reckoned.lost.push(case.source_case_id.clone()),
                (None, Some(_)) => reckoned
                    .lost
                    .push(format!("{} (older content)", case.source_case_id)),
                (Some(flaw), at_hub) => {
                    let key = flaw.leaves_key().then_some(case.source_case_id.as_str());
                    let rule = flaw.rule_id();
                    match quarantine.take(key, rule) {
                        true => *reckoned.rejects.entry(rule.to_owned()).or_default() += 1,
                        false => {
                            let text = format!("{} (not named as {rule})", case.source_case_id);
                            reckoned.lost.push(text);
                        }
                    }
                    if at_hub.is_some() {
                        reckoned
                            .unexplained
                            .push(format!("case {} in spite of {rule}", case.source_case_id));
                    }
                }
            }
            if let Some(&replaced) = held.replaced.get(&case.source_case_id)
                && replaced > changes(city, &case)
            {
                reckoned.repeated.push(case.source_case_id.clone());
            }
        }
        let strangers = held.cases.into_keys().map(|key| format!("case {key}"));
        reckoned.unexplained.extend(strangers);
        reckoned.unexplained.extend(quarantine.left_over());
        reckoned
    }

    pub(super) fn complaints(&self) -> impl Iterator<Item = String> {
        let kinds = [
            ("lost", &self.lost),
            ("more than one effect", &self.repeated),
            ("without a reason at the source", &self.unexplained),
        ];
        kinds.into_iter().flat_map(move |(kind, list)| {
            list.iter()
                .map(move |what| format!("{}: {kind}: {what}", self.office_id))
        })
    }
}

fn expected(case: &Case) -> Facts {
    Facts {
        state: case.state.code().to_owned(),
        matter_type: case.matter_type.code().to_owned(),
        days: [
            Some(case.applied_on),
            case.accepted_on,
            case.issued_on,
            case.closed_on,
        ],
        fee_charged_fen: case.fee_charged_fen,
    }
}

/// Steps of the city's life that changed the case.
fn changes(city: &City, case: &Case) -> u64 {
    let revision = |step| city.evolve(step).case(case.office, case.ordinal).revision;
    (1..=city.step())
        .filter(|step| revision(*step) != revision(step - 1))
        .count() as u64
}

/// Open rejects, each of which explains one source record.
struct Quarantine {
    rejects: HashMap<(String, String), u64>,
    /// Those under a place in the source rather than a case's key, by rule: which record it is, is not said.
    by_rule: HashMap<String, u64>,
}

/// Rules under which a record says no key.
const KEYLESS: [&str; 2] = ["KEY_MISSING", "ROW_MALFORMED"];

impl Quarantine {
    fn new(rejects: Vec<Reject>) -> Self {
        let mut quarantine = Self {
            rejects: HashMap::new(),
            by_rule: HashMap::new(),
        };
        for Reject {
            record_key,
            rule_id,
        } in rejects
        {
            let count = match KEYLESS.contains(&rule_id.as_str()) {
                true => quarantine.by_rule.entry(rule_id).or_default(),
                false => quarantine.rejects.entry((record_key, rule_id)).or_default(),
            };
            *count += 1;
        }
        quarantine
    }

    fn take(&mut self, key: Option<&str>, rule: &str) -> bool {
        let count = match key {
            Some(key) => self.rejects.get_mut(&(key.to_owned(), rule.to_owned())),
            None => self.by_rule.get_mut(rule),
        };
        match count {
            Some(count) if *count > 0 => {
                *count -= 1;
                true
            }
            _ => false,
        }
    }

    fn left_over(self) -> impl Iterator<Item = String> {
        let keyed = self
            .rejects
            .into_iter()
            .map(|((key, rule), count)| (format!("reject {rule} of {key}"), count));
        let keyless = self
            .by_rule
            .into_iter()
            .map(|(rule, count)| (format!("reject {rule}"), count));
        keyed
            .chain(keyless)
            .filter(|(_, count)| *count > 0)
            .map(|(what, count)| format!("{what} ({count})"))
    }
}
