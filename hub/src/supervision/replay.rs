//! What an edition finds in all of history beside what stands, before it is put in force (`simulate`), and putting all of
//! history before the rules in force (`replay`).

use std::collections::{BTreeMap, HashMap, HashSet};

use linkage::office::OfficeId;
use serde::Serialize;
use sqlx::{PgConnection, PgPool};
use time::Date;

use super::evaluate::Judge;
use super::life::FindingState;
use super::rule::{Rules, Severity};
use super::{About, FactsDigest, Hit};
use crate::statistics::calendar::Calendar;
use crate::store;
use crate::store::supervision::{facts, finding, work};

/// Cases read at once.
const PAGE: i64 = 500;
/// Things named of each rule and change.
const EXAMPLES: usize = 5;

/// What becomes of a finding when an edition is put in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// There is a finding that there was not.
    Opens,
    /// The rule does not hit any more.
    Clears,
    /// It was decided, and its facts are others now.
    Reopens,
    /// Other facts or another severity.
    Alters,
}

/// A finding as it stands, as far as it is compared with a hit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub about: About,
    pub about_key: String,
    pub rule_id: String,
    pub severity: Severity,
    pub facts: FactsDigest,
    pub state: FindingState,
    pub cleared: bool,
}

/// What a rule comes to under an edition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct OfRule {
    pub hits: u64,
    pub opens: u64,
    pub clears: u64,
    pub reopens: u64,
    pub alters: u64,
    pub examples: Vec<Example>,
}

/// Something that a change is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Example {
    pub change: Change,
    pub office_id: OfficeId,
    pub about: About,
    pub about_key: String,
}

/// What an edition finds, and what that changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Found {
    pub rules_version: String,
    pub cases: u64,
    pub rules: BTreeMap<String, OfRule>,
}

impl OfRule {
    fn count(&mut self, example: Example) {
        let count = match example.change {
            Change::Opens => &mut self.opens,
            Change::Clears => &mut self.clears,
            Change::Reopens => &mut self.reopens,
            Change::Alters => &mut self.alters,
        };
        *count += 1;
        if *count <= EXAMPLES as u64 {
            self.examples.push(example);
        }
    }
}

impl Found {
    fn add(&mut self, office_id: OfficeId, hits: &[Hit], standing: &[Standing]) {
        for hit in hits {
            self.rules.entry(hit.rule_id.clone()).or_default().hits += 1;
        }
        for ((rule_id, about, about_key), change) in changes(hits, standing) {
            let example = Example {
                change,
                office_id,
                about,
                about_key: about_key.to_owned(),
            };
            self.rules
                .entry(rule_id.to_owned())
                .or_default()
                .count(example);
        }
    }
}

/// What storing the hits would change of what stands about the same things, in the order of both.
fn changes<'a>(hits: &'a [Hit], standing: &'a [Standing]) -> Vec<(Of<'a>, Change)> {
    let stood: HashMap<Of<'_>, &Standing> = standing.iter().map(|one| (one.of(), one)).collect();
    let hit: HashSet<Of<'_>> = hits.iter().map(of_hit).collect();
    let now = hits.iter().filter_map(|hit| {
        let of = of_hit(hit);
        let change = match stood.get(&of) {
            None => Some(Change::Opens),
            Some(before) => before.beside(hit),
        };
        Some((of, change?))
    });
    let gone = standing
        .iter()
        .filter(|one| !one.cleared && !hit.contains(&one.of()));
    let changes = now.chain(gone.map(|one| (one.of(), Change::Clears)));
    changes.collect()
}

/// Rule, and what it is about.
type Of<'a> = (&'a str, About, &'a str);

fn of_hit(hit: &Hit) -> Of<'_> {
    (&hit.rule_id, hit.about, &hit.about_key)
}

impl Standing {
    fn of(&self) -> Of<'_> {
        (&self.rule_id, self.about, &self.about_key)
    }

    fn beside(&self, hit: &Hit) -> Option<Change> {
        let decided = matches!(self.state, FindingState::Verified | FindingState::Dismissed);
        let other_facts = self.facts != hit.facts();
        match (decided, self.cleared) {
            (true, _) if other_facts => Some(Change::Reopens),
            (false, true) => Some(Change::Opens),
            _ if other_facts || self.severity != hit.severity => Some(Change::Alters),
            _ => None,
        }
    }
}

/// Judges every case and what every office filed, beside what stands; writes nothing.
pub async fn simulate(
    pool: &PgPool,
    rules: &Rules,
    calendar: &Calendar,
    today: Date,
    since: Option<Date>,
) -> Result<Found, sqlx::Error> {
    let judge = Judge {
        rules,
        calendar,
        today,
    };
    let known = rules.rules.iter();
    let mut found = Found {
        rules_version: rules.version.clone(),
        rules: known
            .map(|rule| (rule.id.clone(), OfRule::default()))
            .collect(),
        ..Found::default()
    };
    let mut moment = store::tx::snapshot(pool).await?;
    for office in store::office::list(pool).await? {
        simulate_office(&mut moment, &judge, office.office_id, since, &mut found).await?;
    }
    Ok(found)
}

async fn simulate_office(
    moment: &mut PgConnection,
    judge: &Judge<'_>,
    office_id: OfficeId,
    since: Option<Date>,
    found: &mut Found,
) -> Result<(), sqlx::Error> {
    let on_file = facts::office(&mut *moment, office_id).await?;
    let mut behind = String::new();
    loop {
        let keys = facts::page(&mut *moment, office_id, &behind, since, PAGE).await?;
        let Some(last) = keys.last() else { break };
        behind.clone_from(last);
        let cases = facts::cases(&mut *moment, office_id, &keys).await?;
        let hits = cases
            .iter()
            .flat_map(|case| judge.case(case, &on_file).hits);
        let hits: Vec<Hit> = hits.collect();
        let standing = finding::standing(&mut *moment, office_id, &[About::Case], Some(&keys));
        found.cases += cases.len() as u64;
        found.add(office_id, &hits, &standing.await?);
    }
    let filings = facts::filings(&mut *moment, office_id).await?;
    let about = [About::Filing, About::Paper];
    let standing = finding::standing(moment, office_id, &about, None).await?;
    found.add(office_id, &judge.office(&filings), &standing);
    Ok(())
}

/// Puts every case down to be judged by the rules in force: a running hub takes them up. Returns how many.
pub async fn replay(pool: &PgPool, since: Option<Date>) -> Result<u64, sqlx::Error> {
    let mut put = 0;
    for office in store::office::list(pool).await? {
        put += replay_office(pool, office.office_id, since).await?;
    }
    Ok(put)
}

async fn replay_office(
    pool: &PgPool,
    office_id: OfficeId,
    since: Option<Date>,
) -> Result<u64, sqlx::Error> {
    let mut connection = pool.acquire().await?;
    let (mut behind, mut put) = (String::new(), 0);
    loop {
        let keys = facts::page(&mut connection, office_id, &behind, since, PAGE).await?;
        let Some(last) = keys.last() else { break };
        behind.clone_from(last);
        put += keys.len() as u64;
        let keys: Vec<_> = keys.iter().map(|key| (office_id, key.as_str())).collect();
        work::add_cases(&mut connection, &keys).await?;
    }
    work::add_office(&mut connection, office_id).await?;
    Ok(put)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn hit(rule: &str, days: u32) -> Hit {
        Hit {
            rule_id: rule.to_owned(),
            severity: Severity::Ordinary,
            about: About::Case,
            about_key: "C1".to_owned(),
            happened_on: None,
            concluded: false,
            rests_on: None,
            evidence: json!({ "days": days }),
        }
    }

    fn stands(hit: &Hit, state: FindingState, cleared: bool) -> Standing {
        Standing {
            about: hit.about,
            about_key: hit.about_key.clone(),
            rule_id: hit.rule_id.clone(),
            severity: hit.severity,
            facts: hit.facts(),
            state,
            cleared,
        }
    }

    fn change(before: Option<Standing>, hit: Option<Hit>) -> Option<Change> {
        let (hits, standing) = (Vec::from_iter(hit), Vec::from_iter(before));
        let changes = changes(&hits, &standing);
        assert!(changes.len() <= 1);
        changes.first().map(|(_, change)| *change)
    }

    #[test]
    fn a_finding_opens_clears_alters_or_stays_as_storing_it_would_make_it() {
        use FindingState::{Dismissed, Notified, Open};
        let (one, other) = (hit("TIME_LIMIT", 1), hit("TIME_LIMIT", 2));
        let before = |state, cleared| Some(stands(&one, state, cleared));
        assert_eq!(change(None, Some(one.clone())), Some(Change::Opens));
        assert_eq!(change(before(Open, false), Some(one.clone())), None);
        assert_eq!(change(before(Open, false), None), Some(Change::Clears));
        assert_eq!(change(before(Open, true), None), None);
        assert_eq!(
            change(before(Open, true), Some(one.clone())),
            Some(Change::Opens)
        );
        assert_eq!(
            change(before(Notified, false), Some(other.clone())),
            Some(Change::Alters)
        );
        assert_eq!(
            change(before(Dismissed, false), Some(other)),
            Some(Change::Reopens)
        );
        assert_eq!(change(before(Dismissed, true), Some(one.clone())), None);
        let mut graver = one.clone();
        graver.severity = Severity::Serious;
        assert_eq!(
            change(before(Open, false), Some(graver)),
            Some(Change::Alters)
        );
    }

    #[test]
    fn of_each_rule_and_change_some_are_named_and_all_are_counted() {
        let hits: Vec<Hit> = (0..7)
            .map(|n| Hit {
                about_key: n.to_string(),
                ..hit("TIME_LIMIT", 1)
            })
            .collect();
        let mut found = Found::default();
        found.add("hzgl".parse().expect("an id"), &hits, &[]);
        let of_rule = &found.rules["TIME_LIMIT"];
        assert_eq!(
            (of_rule.hits, of_rule.opens, of_rule.examples.len()),
            (7, 7, 5)
        );
    }
}
