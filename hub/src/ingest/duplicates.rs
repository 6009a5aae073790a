//! Finding duplicate applications (重复申请), as the last step of the transaction that stores a case.
//!
//! Two offices may accept the same matter at the same moment, each in a transaction that cannot see the
//! other's. So a transaction first locks the stripes that its keys fall into, and only then looks: of two
//! with a key in common the second waits until the first has committed, and its look, a statement of its
//! own under READ COMMITTED, sees the first one's case. The keys a case leaves count as well, or a finding
//! could be closed here while the other side confirms it. Stripes are always taken in ascending order, come
//! last, and are held for a few queries and the commit.

use std::collections::{HashMap, HashSet};

use linkage::matter::{CaseFacts, MatterKey, RuleSet};
use sqlx::PgConnection;
use time::macros::offset;
use time::{Date, OffsetDateTime};

use super::Context;
use super::plan::Write;
use crate::lookup::disclosure;
use crate::store::duplicate::{self, Candidate, FindingKey, Found};
use crate::store::notice::{self, NewNotice};

/// Finds, closes and announces what the writes bring about; `left` are keys that replaced revisions had.
/// Returns the severities of the findings opened.
pub(super) async fn find(
    connection: &mut PgConnection,
    context: &Context,
    writes: &[Write<'_>],
    left: &[MatterKey],
) -> Result<Vec<&'static str>, sqlx::Error> {
    let taken = writes.iter().flat_map(|write| &write.case.matter_keys);
    let stripes = duplicate::stripes(taken.chain(left));
    if stripes.is_empty() {
        return Ok(Vec::new());
    }
    duplicate::lock_stripes(connection, &stripes).await?;
    let candidates = duplicate::candidates(connection, writes).await?;
    let found = judge(&context.rules, writes, &candidates);

    let replaced: Vec<_> = writes
        .iter()
        .filter(|write| write.replaces)
        .map(Write::key)
        .collect();
    let open = duplicate::open_about(connection, &replaced).await?;
    let still: HashSet<&FindingKey> = found.iter().map(|found| &found.key).collect();
    let over: Vec<&FindingKey> = open.iter().filter(|key| !still.contains(key)).collect();
    duplicate::close(connection, &over).await?;
    duplicate::upsert(connection, &found, context.rules.version()).await?;

    let known: HashSet<&FindingKey> = open.iter().collect();
    let news: Vec<&Found> = found
        .iter()
        .filter(|found| !known.contains(&found.key))
        .collect();
    notice::insert(connection, &notices(&context.rules, &news)).await?;
    Ok(news.iter().map(|found| found.severity.code()).collect())
}

fn judge(rules: &RuleSet, writes: &[Write<'_>], candidates: &[Candidate]) -> Vec<Found> {
    let now = OffsetDateTime::now_utc();
    // Two cases of one batch find each other from both sides; one finding is enough.
    let mut found: HashMap<FindingKey, Found> = HashMap::new();
    for candidate in candidates {
        let write = &writes[candidate.of];
        let finding = rules.judge(
            &facts_of_write(write, &candidate.shared, now),
            &facts_of_candidate(candidate),
        );
        let Some(finding) = finding else { continue };
        let ours = (write.office_id, write.case.source_case_id.clone());
        let theirs = (candidate.office_id, candidate.source_case_id.clone());
        let key = FindingKey::new(finding.rule_id, ours, theirs);
        let mut matters = [write.case.matter_type(), candidate.matter_type];
        if key.left.0 != write.office_id {
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
    found.into_values().collect()
}

fn facts_of_write<'a>(
    write: &Write<'a>,
    keys: &'a [MatterKey],
    now: OffsetDateTime,
) -> CaseFacts<'a> {
    CaseFacts {
        office: write.office_id,
        source_case_id: &write.case.source_case_id,
        matter_type: write.case.matter_type(),
        state: write.case.state(),
        applied_on: write.case.figures.applied_on,
        accepted_on: write.case.figures.accepted_on,
        first_recorded_on: local_day(write.first_recorded_at.unwrap_or(now)),
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

/// The day in Asia/Shanghai, which has had no daylight saving since 1991.
fn local_day(at: OffsetDateTime) -> Date {
    at.to_offset(offset!(+8)).date()
}

/// Both offices hear of it, and neither is told more than the rule's text. An office that may not know of the other's
/// case hears nothing.
fn notices<'a>(rules: &'a RuleSet, news: &[&'a Found]) -> Vec<NewNotice<'a>> {
    news.iter()
        .flat_map(|found| {
            let text_zh = rules
                .rule(&found.key.rule_id)
                .map_or("", |rule| rule.notice_zh());
            let [left, right] = found.matters;
            [
                (&found.key.left, left, right),
                (&found.key.right, right, left),
            ]
            .into_iter()
            .filter(|(_, own, other)| disclosure::is_open_to(*own, *other))
            .map(move |((office_id, source_case_id), ..)| NewNotice {
                office_id: *office_id,
                source_case_id,
                text_zh,
            })
        })
        .collect()
}
