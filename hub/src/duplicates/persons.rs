//! Duplicates that no number shows: two cases whose matter is the same once linkage, or somebody at a review, holds two
//! mentions for one person.
//!
//! The rules are asked as they are about numbers, with persons in the place of numbers; what numbers show already, or
//! something graver, is not said again. Such a finding is possible only: a person decides in the review queue.
//!
//! This is the last step of a transaction that changes persons, which one at a time may do. It looks at the cases that
//! were taken in or whose mentions are another person's now. A case that changes is put down for linkage by its writer,
//! so that whatever was read here before is looked at again.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use linkage::matter::{CaseFacts, Finding, MatterFacts, MatterKey, RuleSet};
use linkage::node::NodeId;
use linkage::office::OfficeId;
use linkage::token::Token;
use linkage::vocabulary::PartyRole;
use metrics::counter;
use sqlx::PgConnection;

use super::{Effect, keys, notices};
use crate::case::CaseKey;
use crate::local_time::local_day;
use crate::store::duplicate::{self, Basis, FindingKey, Found, MOST_BEHIND_A_KEY};
use crate::store::feed::notice;
use crate::store::linking::beside::{self, Known};
use crate::telemetry::metrics::CANDIDATES_CUT;

/// What stands before the rule's text where the parties are held for the same persons.
const POSSIBLE_ZH: &str = "疑似（当事人系比对推断，请先核对身份）：";

type Case = (OfficeId, String);

/// Finds, closes and announces what the persons of these cases bring about.
pub(crate) async fn find(
    connection: &mut PgConnection,
    rules: &RuleSet,
    cases: &BTreeSet<Case>,
) -> Result<Effect, sqlx::Error> {
    if cases.is_empty() {
        return Ok(Effect::default());
    }
    let asked: Vec<CaseKey<'_>> = cases.iter().map(borrowed).collect();
    let open = duplicate::open_about(connection, Basis::Person, &asked).await?;
    let pairs = pairs(connection, &asked, &open).await?;
    if pairs.is_empty() {
        return Ok(Effect::default());
    }
    let judged = judge(connection, rules, &pairs).await?;

    let still: HashSet<&FindingKey> = judged.iter().map(|judged| &judged.found.key).collect();
    let over: Vec<&FindingKey> = open.iter().filter(|key| !still.contains(key)).collect();
    let known: HashSet<&FindingKey> = open.iter().collect();
    let news: Vec<&Found> = judged
        .iter()
        .map(|judged| &judged.found)
        .filter(|found| !known.contains(&found.key))
        .collect();
    let effect = Effect {
        opened: news.iter().map(|found| found.severity.code()).collect(),
        closed: over.len(),
    };
    duplicate::close(connection, Basis::Person, &over).await?;
    notice::insert(connection, &notices(rules, &news, POSSIBLE_ZH)).await?;
    let weights = weights(connection, &judged).await?;
    let found: Vec<Found> = judged.into_iter().map(|judged| judged.found).collect();
    duplicate::upsert_possible(connection, &found, &weights, rules.version()).await?;
    Ok(effect)
}

/// Which pairs are judged: those beside each other now, and those that a finding speaks of.
async fn pairs(
    connection: &mut PgConnection,
    asked: &[CaseKey<'_>],
    open: &[FindingKey],
) -> Result<BTreeSet<(Case, Case)>, sqlx::Error> {
    let mut pairs: BTreeSet<(Case, Case)> = open
        .iter()
        .map(|key| (key.left.clone(), key.right.clone()))
        .collect();
    let mut beside: HashMap<usize, usize> = HashMap::new();
    for (of, office_id, source_case_id) in beside::others(connection, asked).await? {
        let seen = beside.entry(of).or_default();
        *seen += 1;
        if *seen > MOST_BEHIND_A_KEY {
            if *seen == MOST_BEHIND_A_KEY + 1 {
                counter!(CANDIDATES_CUT).increment(1);
            }
            continue;
        }
        let (own_office, own_case) = asked[of];
        let own = (own_office, own_case.to_owned());
        let other = (office_id, source_case_id);
        pairs.insert(if own <= other {
            (own, other)
        } else {
            (other, own)
        });
    }
    Ok(pairs)
}

/// A finding, and the nodes of each person by which the two cases are beside each other.
struct Judged {
    found: Found,
    links: Vec<Vec<(NodeId, NodeId)>>,
}

async fn judge(
    connection: &mut PgConnection,
    rules: &RuleSet,
    pairs: &BTreeSet<(Case, Case)>,
) -> Result<Vec<Judged>, sqlx::Error> {
    let named: BTreeSet<&Case> = pairs
        .iter()
        .flat_map(|(left, right)| [left, right])
        .collect();
    let named: Vec<CaseKey<'_>> = named.into_iter().map(borrowed).collect();
    let known = beside::known(connection, &named).await?;
    let seen: HashMap<CaseKey<'_>, Seen<'_>> = known
        .iter()
        .map(|case| {
            (
                (case.office_id, case.source_case_id.as_str()),
                Seen::of(rules, case),
            )
        })
        .collect();
    let judged = pairs.iter().filter_map(|(left, right)| {
        let (left, right) = seen.get(&borrowed(left)).zip(seen.get(&borrowed(right)))?;
        left.beside(right, rules)
    });
    Ok(judged.collect())
}

/// A case with its keys by numbers and by persons.
struct Seen<'a> {
    case: &'a Known,
    by_number: Vec<MatterKey>,
    by_person: Vec<MatterKey>,
}

impl<'a> Seen<'a> {
    fn of(rules: &RuleSet, case: &'a Known) -> Self {
        let numbers = case.parties.iter().map(|party| (party.role, party.number));
        let persons = case.parties.iter().map(|party| {
            let person = party
                .place
                .map(|(_, person)| Token::from(*person.as_bytes()));
            (party.role, person)
        });
        let keys = |parties: Vec<(PartyRole, Option<Token>)>| {
            let facts = MatterFacts {
                matter_type: case.matter_type,
                parties: &parties,
                subjects: &case.subjects,
                place_of_use: case.place_of_use.as_deref(),
            };
            keys(rules, case.state, &facts)
        };
        Self {
            case,
            by_number: keys(numbers.collect()),
            by_person: keys(persons.collect()),
        }
    }

    fn facts<'k>(&'k self, keys: &'k [MatterKey]) -> CaseFacts<'k> {
        CaseFacts {
            office: self.case.office_id,
            source_case_id: &self.case.source_case_id,
            matter_type: self.case.matter_type,
            state: self.case.state,
            applied_on: self.case.applied_on,
            accepted_on: self.case.accepted_on,
            first_recorded_on: local_day(self.case.first_recorded_at),
            keys,
        }
    }

    /// What persons show of the two and numbers do not.
    fn beside(&self, other: &Self, rules: &RuleSet) -> Option<Judged> {
        let by_person =
            rules.judge(&self.facts(&self.by_person), &other.facts(&other.by_person))?;
        let by_number = rules.judge(&self.facts(&self.by_number), &other.facts(&other.by_number));
        if by_number.is_some_and(|shown| shown.severity >= by_person.severity) {
            return None;
        }
        Some(Judged {
            found: self.found(other, by_person),
            links: self.links(other),
        })
    }

    /// `self` is the lesser of the two.
    fn found(&self, other: &Self, finding: Finding) -> Found {
        let named = |seen: &Self| (seen.case.office_id, seen.case.source_case_id.clone());
        Found {
            key: FindingKey::new(finding.rule_id, named(self), named(other)),
            matters: [self.case.matter_type, other.case.matter_type],
            severity: finding.severity,
            first_accepting: finding.first_accepting,
            back_dated: finding.back_dated,
        }
    }

    /// Of each person that both cases have by different nodes, the pairs of nodes.
    fn links(&self, other: &Self) -> Vec<Vec<(NodeId, NodeId)>> {
        let mut links: BTreeMap<NodeId, Vec<(NodeId, NodeId)>> = BTreeMap::new();
        let places = |seen: &Self| -> Vec<(NodeId, NodeId)> {
            seen.case
                .parties
                .iter()
                .filter_map(|party| party.place)
                .collect()
        };
        let there = places(other);
        for (node, person) in places(self) {
            let nodes = there
                .iter()
                .filter(|(_, of)| *of == person)
                .map(|(node, _)| *node);
            for across in nodes.filter(|across| *across != node) {
                let pair = (node.min(across), node.max(across));
                links.entry(person).or_default().push(pair);
            }
        }
        links.into_values().collect()
    }
}

/// Of each finding the weakest person, each person weighed by its strongest link between the two cases; `None` where
/// the nodes of one are joined by others, or by somebody's decision.
async fn weights(
    connection: &mut PgConnection,
    judged: &[Judged],
) -> Result<Vec<Option<i32>>, sqlx::Error> {
    let pairs: BTreeSet<(NodeId, NodeId)> = judged
        .iter()
        .flat_map(|judged| judged.links.iter().flatten())
        .copied()
        .collect();
    let pairs: Vec<(NodeId, NodeId)> = pairs.into_iter().collect();
    let weights: HashMap<(NodeId, NodeId), i32> = beside::weights(connection, &pairs)
        .await?
        .into_iter()
        .collect();
    let strongest = |links: &Vec<(NodeId, NodeId)>| {
        links
            .iter()
            .filter_map(|pair| weights.get(pair))
            .max()
            .copied()
    };
    let weakest = |judged: &Judged| -> Option<i32> {
        let each: Option<Vec<i32>> = judged.links.iter().map(strongest).collect();
        each?.into_iter().min()
    };
    Ok(judged.iter().map(weakest).collect())
}

fn borrowed(case: &Case) -> CaseKey<'_> {
    (case.0, case.1.as_str())
}
