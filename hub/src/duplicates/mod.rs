//! Finding duplicate applications (重复申请), as the last step of the transaction that stores a case.
//!
//! Two offices may accept the same matter at the same moment, each in a transaction that cannot see the
//! other's. So a transaction first locks the stripes that its keys fall into, and only then looks: of two
//! with a key in common the second waits until the first has committed, and its look, a statement of its
//! own under READ COMMITTED, sees the first one's case. The keys a case leaves count as well, or a finding
//! could be closed here while the other side confirms it. Stripes are always taken in ascending order, come
//! last, and are held for a few queries and the commit.
//!
//! | module | holds |
//! |---|---|
//! | [`persons`] | what no number shows, but persons do |
//! | [`pass`] | all cases of the hub, keyed and looked at anew |
//! | [`activation`] | putting other rules in force |
//! | [`simulation`] | what an activation would change |
//! | [`open`] | open findings, as far as somebody may be told of them |
//! | [`watched`] | who has asked to hear of it |

pub mod activation;
pub mod open;
pub(crate) mod pass;
pub(crate) mod persons;
pub mod simulation;
pub(crate) mod watched;

use std::collections::{HashMap, HashSet};

use linkage::matter::{CaseFacts, MatterFacts, MatterKey, RuleSet};
use linkage::vocabulary::CaseState;
use metrics::counter;
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::case::CaseKey;
use crate::local_time::local_day;
use crate::store::duplicate::{self, Basis, Candidate, FindingKey, Found, Sought};
use crate::store::feed::notice::{self, NewNotice};
use crate::telemetry::metrics::CANDIDATES_CUT;

/// The keys of a case; one that was withdrawn has none.
pub fn keys(rules: &RuleSet, state: CaseState, facts: &MatterFacts<'_>) -> Vec<MatterKey> {
    match state {
        CaseState::Withdrawn => Vec::new(),
        _ => rules.keys(facts),
    }
}

/// What a look for duplicates has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Effect {
    /// Severities of the findings opened.
    pub(crate) opened: Vec<&'static str>,
    /// Findings closed.
    pub(crate) closed: usize,
}

/// Finds, closes and announces what the cases bring about. `replaced` are those of them that were here before, `left`
/// the keys that they had then.
pub(crate) async fn find(
    connection: &mut PgConnection,
    rules: &RuleSet,
    cases: &[Sought<'_>],
    replaced: &[CaseKey<'_>],
    left: &[MatterKey],
) -> Result<Effect, sqlx::Error> {
    let stripes = duplicate::stripes(cases.iter().flat_map(|case| case.keys).chain(left));
    if stripes.is_empty() && replaced.is_empty() {
        return Ok(Effect::default());
    }
    duplicate::lock_stripes(connection, &stripes).await?;
    look(connection, rules, cases, replaced).await
}

/// The same, by somebody whom no other transaction can meet.
async fn look(
    connection: &mut PgConnection,
    rules: &RuleSet,
    cases: &[Sought<'_>],
    replaced: &[CaseKey<'_>],
) -> Result<Effect, sqlx::Error> {
    let candidates = duplicate::candidates(connection, cases).await?;
    counter!(CANDIDATES_CUT).increment(candidates.keys_cut);
    let open = duplicate::open_about(connection, Basis::Number, replaced).await?;
    let found = judge(rules, cases, &candidates.cases);
    let unseen = not_among(&open, &found);
    // Behind a key may stand more than is looked at: whether these hold is asked of the two cases themselves.
    let beside = duplicate::beside(connection, cases, &unseen).await?;
    let found = judge(rules, cases, candidates.cases.iter().chain(&beside));
    let over = not_among(&open, &found);
    duplicate::close(connection, Basis::Number, &over).await?;
    duplicate::upsert(connection, &found, rules.version()).await?;

    let known: HashSet<&FindingKey> = open.iter().collect();
    let news: Vec<&Found> = found
        .iter()
        .filter(|found| !known.contains(&found.key))
        .collect();
    notice::insert(connection, &notices(rules, &news, "")).await?;
    Ok(Effect {
        opened: news.iter().map(|found| found.severity.code()).collect(),
        closed: over.len(),
    })
}

/// Open findings that were not found.
fn not_among<'a>(open: &'a [FindingKey], found: &[Found]) -> Vec<&'a FindingKey> {
    let still: HashSet<&FindingKey> = found.iter().map(|found| &found.key).collect();
    open.iter().filter(|key| !still.contains(key)).collect()
}

fn judge<'a>(
    rules: &RuleSet,
    cases: &[Sought<'_>],
    candidates: impl IntoIterator<Item = &'a Candidate>,
) -> Vec<Found> {
    let now = OffsetDateTime::now_utc();
    // Two cases of one batch find each other from both sides; one finding is enough.
    let mut found: HashMap<FindingKey, Found> = HashMap::new();
    for candidate in candidates {
        let case = &cases[candidate.of];
        let finding = rules.judge(
            &facts_of_case(case, &candidate.shared, now),
            &facts_of_candidate(candidate),
        );
        let Some(finding) = finding else { continue };
        let ours = (case.office_id, case.source_case_id.to_owned());
        let theirs = (candidate.office_id, candidate.source_case_id.clone());
        let key = FindingKey::new(finding.rule_id, ours, theirs);
        let mut matters = [case.matter_type, candidate.matter_type];
        if key.left.0 != case.office_id {
            matters.reverse();
        }
        found.entry(key.clone()).or_insert(Found {
            key,
            matters,
            severity: finding.severity,
            first_accepting: finding.first_accepting,
            back_dated: finding.back_dated,
        });
    }
    // Whoever else writes findings does so in this order as well, and waits instead of colliding.
    let mut found: Vec<Found> = found.into_values().collect();
    found.sort_unstable_by(|one, other| one.key.cmp(&other.key));
    found
}

fn facts_of_case<'a>(
    case: &Sought<'a>,
    keys: &'a [MatterKey],
    now: OffsetDateTime,
) -> CaseFacts<'a> {
    CaseFacts {
        office: case.office_id,
        source_case_id: case.source_case_id,
        matter_type: case.matter_type,
        state: case.state,
        applied_on: case.applied_on,
        accepted_on: case.accepted_on,
        first_recorded_on: local_day(case.first_recorded_at.unwrap_or(now)),
        keys,
    }
}

fn facts_of_candidate(candidate: &Candidate) -> CaseFacts<'_> {
    CaseFacts {
        office: candidate.office_id,
        source_case_id: &candidate.source_case_id,
        matter_type: candidate.matter_type,
        state: candidate.state,
        applied_on: candidate.applied_on,
        accepted_on: candidate.accepted_on,
        first_recorded_on: local_day(candidate.first_recorded_at),
        keys: &candidate.shared,
    }
}

/// Both offices hear of it, and neither is told more than the rule's text, behind `preface`. An office that may not know of the other's
/// case hears nothing.
fn notices<'a>(rules: &RuleSet, news: &[&'a Found], preface: &str) -> Vec<NewNotice<'a>> {
    news.iter()
        .flat_map(|found| {
            let notice_zh = rules
                .rule(&found.key.rule_id)
                .map_or("", |rule| rule.notice_zh());
            let text_zh = format!("{preface}{notice_zh}");
            let [left, right] = found.matters;
            [
                (&found.key.left, left, right),
                (&found.key.right, right, left),
            ]
            .into_iter()
            .filter(|(_, own, other)| {
                rules
                    .disclosure(*other)
                    .is_some_and(|disclosure| disclosure.is_open_to(*own))
            })
            .map(move |((office_id, source_case_id), ..)| NewNotice {
                office_id: *office_id,
                source_case_id,
                text_zh: text_zh.clone(),
            })
        })
        .collect()
}
