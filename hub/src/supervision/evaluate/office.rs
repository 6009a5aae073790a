//! What an office handed in, by itself: complaints and reviews that wait (N11), special paper (N21).

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde_json::json;
use time::Date;

use super::{Judge, hit};
use crate::supervision::facts::{Movement, OfficeFilings, OpenFiling, Paper};
use crate::supervision::rule::{Check, Rule};
use crate::supervision::{About, Hit};

pub(super) fn hits(judge: &Judge<'_>, rule: &Rule, filings: &OfficeFilings) -> Vec<Hit> {
    match &rule.check {
        Check::PaperUsedTwice {} => each_once(used_twice(rule, &filings.paper)),
        Check::PaperOutOfRange {} => each_once(out_of_range(rule, &filings.paper)),
        Check::PaperUnaccounted {} => each_once(unaccounted(rule, &filings.paper)),
        _ => overdue(judge, rule, filings),
    }
}

/// Complaints or reviews that the rule looks at, and the last day of their outcome.
pub(super) fn due<'a>(
    judge: &Judge<'_>,
    rule: &Rule,
    filings: &'a OfficeFilings,
) -> Vec<(&'a OpenFiling, Date)> {
    let open = filings.open.iter();
    open.filter_map(|one| {
        let due = rule
            .check
            .outcome_due(one.kind, one.happened_on, judge.calendar)?;
        Some((one, due))
    })
    .collect()
}

fn overdue(judge: &Judge<'_>, rule: &Rule, filings: &OfficeFilings) -> Vec<Hit> {
    let late = due(judge, rule, filings)
        .into_iter()
        .filter(|(filing, due)| filing.closed_on.unwrap_or(judge.today) > *due);
    late.map(|(filing, due)| {
        let evidence = json!({
            "received_on": filing.happened_on.to_string(),
            "due_on": due.to_string(),
            "closed_on": filing.closed_on.map(|day| day.to_string()),
        });
        let evidence = judge.measured(due, evidence);
        let key = filing.filing_id.to_string();
        hit(
            rule,
            About::Filing,
            &key,
            Some(filing.happened_on),
            evidence,
        )
    })
    .collect()
}

/// One hit where several begin at the same number: that of the most numbers, whatever order filings come in.
fn each_once(mut hits: Vec<Hit>) -> Vec<Hit> {
    hits.sort_by_key(|hit| {
        (
            hit.about_key.clone(),
            Reverse(last_no(hit)),
            hit.happened_on,
        )
    });
    hits.dedup_by(|later, first| later.about_key == first.about_key);
    hits
}

fn last_no(hit: &Hit) -> Option<i64> {
    hit.evidence["last_no"].as_i64()
}

/// Numbers that were used or spoiled more than once.
fn used_twice(rule: &Rule, paper: &[Paper]) -> Vec<Hit> {
    let mut gone: Vec<&Paper> = paper
        .iter()
        .filter(|range| range.movement != Movement::Received)
        .collect();
    gone.sort_by(|a, b| (&a.series, a.first_no).cmp(&(&b.series, b.first_no)));
    let mut hits = Vec::new();
    let mut furthest: Option<&Paper> = None;
    for range in gone {
        if let Some(before) = furthest.filter(|before| before.series == range.series)
            && before.last_no >= range.first_no
        {
            let last = before.last_no.min(range.last_no);
            hits.push(paper_hit(rule, range, range.first_no, last));
        }
        let further = furthest
            .is_none_or(|before| before.series != range.series || before.last_no < range.last_no);
        if further {
            furthest = Some(range);
        }
    }
    hits
}

/// Numbers that were used or spoiled and never received.
fn out_of_range(rule: &Rule, paper: &[Paper]) -> Vec<Hit> {
    let received = ranges(paper, |movement| movement == Movement::Received);
    let gone = paper
        .iter()
        .filter(|range| range.movement != Movement::Received);
    gone.flat_map(|range| {
        let mine = received
            .get(range.series.as_str())
            .map_or(&[][..], Vec::as_slice);
        missing(range.first_no, range.last_no, mine)
            .into_iter()
            .map(|(first, last)| paper_hit(rule, range, first, last))
            .collect::<Vec<_>>()
    })
    .collect()
}

/// Received numbers below the highest that went, neither used nor spoiled: paper is taken in order.
fn unaccounted(rule: &Rule, paper: &[Paper]) -> Vec<Hit> {
    let gone = ranges(paper, |movement| movement != Movement::Received);
    let received = paper
        .iter()
        .filter(|range| range.movement == Movement::Received);
    received
        .flat_map(|range| {
            let mine = gone
                .get(range.series.as_str())
                .map_or(&[][..], Vec::as_slice);
            let within = mine
                .iter()
                .filter(|(first, _)| (range.first_no..=range.last_no).contains(first));
            let highest = within
                .map(|(_, last)| *last)
                .max()
                .unwrap_or(range.first_no - 1);
            missing(range.first_no, highest.min(range.last_no), mine)
                .into_iter()
                .map(|(first, last)| paper_hit(rule, range, first, last))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Ranges of each series, in order and disjoint.
fn ranges(paper: &[Paper], wanted: impl Fn(Movement) -> bool) -> BTreeMap<&str, Vec<(i64, i64)>> {
    let mut by_series: BTreeMap<&str, Vec<(i64, i64)>> = BTreeMap::new();
    for range in paper.iter().filter(|range| wanted(range.movement)) {
        by_series
            .entry(&range.series)
            .or_default()
            .push((range.first_no, range.last_no));
    }
    for ranges in by_series.values_mut() {
        ranges.sort_unstable();
        let mut merged: Vec<(i64, i64)> = Vec::with_capacity(ranges.len());
        for (first, last) in ranges.drain(..) {
            match merged.last_mut() {
                Some(before) if first <= before.1 + 1 => before.1 = before.1.max(last),
                _ => merged.push((first, last)),
            }
        }
        *ranges = merged;
    }
    by_series
}

/// Parts of `first..=last` that no range of the sorted ones covers.
fn missing(first: i64, last: i64, covered: &[(i64, i64)]) -> Vec<(i64, i64)> {
    let mut missing = Vec::new();
    let mut next = first;
    for (from, to) in covered {
        if next > last {
            break;
        }
        if *to < next {
            continue;
        }
        if *from > last {
            break;
        }
        if *from > next {
            missing.push((next, from - 1));
        }
        next = to + 1;
    }
    if next <= last {
        missing.push((next, last));
    }
    missing
}

fn paper_hit(rule: &Rule, range: &Paper, first: i64, last: i64) -> Hit {
    hit(
        rule,
        About::Paper,
        &format!("{}:{first}", range.series),
        Some(range.moved_on),
        json!({ "series": range.series, "first_no": first, "last_no": last }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filing::FilingKind;
    use crate::statistics::calendar::Calendar;
    use crate::supervision::rule::Rules;
    use time::macros::date;
    use uuid::Uuid;

    fn found(filings: &OfficeFilings) -> Vec<(String, String)> {
        let (rules, calendar) = (Rules::builtin(), Calendar::builtin());
        let judge = Judge {
            rules: &rules,
            calendar: &calendar,
            today: date!(2024 - 09 - 02),
        };
        let hits = judge.office(filings).into_iter();
        hits.map(|hit| (hit.rule_id, hit.about_key)).collect()
    }

    fn filings(paper: &[(Movement, i64, i64)]) -> OfficeFilings {
        OfficeFilings {
            office_id: "hzgl".parse().expect("an id"),
            open: Vec::new(),
            paper: paper
                .iter()
                .map(|(movement, first_no, last_no)| Paper {
                    movement: *movement,
                    series: "ZJ".to_owned(),
                    first_no: *first_no,
                    last_no: *last_no,
                    moved_on: date!(2024 - 06 - 03),
                })
                .collect(),
        }
    }

    fn of(rule: &str, key: &str) -> Vec<(String, String)> {
        vec![(rule.to_owned(), key.to_owned())]
    }

    #[test]
    fn paper_in_order_is_left_alone() {
        use Movement::*;
        let all = [
            (Received, 1, 100),
            (Used, 1, 40),
            (Spoiled, 41, 42),
            (Used, 43, 60),
        ];
        assert!(found(&filings(&all)).is_empty());
    }

    #[test]
    fn a_number_used_twice_is_pointed_at() {
        use Movement::*;
        let twice = [(Received, 1, 100), (Used, 1, 40), (Used, 40, 60)];
        assert_eq!(found(&filings(&twice)), of("PAPER_USED_TWICE", "ZJ:40"));
    }

    #[test]
    fn a_range_that_reaches_far_is_seen_beside_all_that_lie_in_it() {
        use Movement::*;
        let within = [
            (Received, 1, 100),
            (Used, 1, 40),
            (Spoiled, 2, 3),
            (Used, 10, 12),
        ];
        let both = ["ZJ:10", "ZJ:2"].map(|key| ("PAPER_USED_TWICE".to_owned(), key.to_owned()));
        assert_eq!(found(&filings(&within)), both);
    }

    #[test]
    fn what_moved_before_the_rules_bound_is_left_alone() {
        use Movement::*;
        let mut long_ago = filings(&[(Received, 1, 100), (Used, 1, 40), (Used, 40, 60)]);
        for (on, hits) in [(date!(2012 - 11 - 18), 0), (date!(2012 - 11 - 19), 1)] {
            for range in &mut long_ago.paper {
                range.moved_on = on;
            }
            assert_eq!(found(&long_ago).len(), hits, "{on}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_number_more_than_once_is_one_finding() {
        use Movement::*;
        let three_times = [
            (Received, 1, 100),
            (Used, 1, 40),
            (Used, 1, 5),
            (Used, 1, 8),
        ];
        assert_eq!(
            found(&filings(&three_times)),
            of("PAPER_USED_TWICE", "ZJ:1")
        );
        let sent_again = [
            (Received, 1, 100),
            (Received, 1, 100),
            (Used, 1, 40),
            (Used, 44, 60),
        ];
        assert_eq!(
            found(&filings(&sent_again)),
            of("PAPER_UNACCOUNTED", "ZJ:41")
        );
    }

    #[test]
    fn a_number_that_was_never_received_is_pointed_at() {
        use Movement::*;
        let beyond = [(Received, 1, 100), (Used, 1, 103)];
        assert_eq!(found(&filings(&beyond)), of("PAPER_OUT_OF_RANGE", "ZJ:101"));
    }

    #[test]
    fn a_gap_below_the_highest_number_is_unaccounted_and_the_rest_is_stock() {
        use Movement::*;
        let gap = [(Received, 1, 100), (Used, 1, 40), (Used, 44, 60)];
        assert_eq!(found(&filings(&gap)), of("PAPER_UNACCOUNTED", "ZJ:41"));
    }

    fn waiting(kind: FilingKind, closed_on: Option<time::Date>) -> OfficeFilings {
        let mut waiting = filings(&[]);
        waiting.open.push(OpenFiling {
            filing_id: Uuid::nil(),
            kind,
            happened_on: date!(2024 - 07 - 01),
            closed_on,
        });
        waiting
    }

    #[test]
    fn a_complaint_without_an_outcome_is_overdue_after_fifteen_working_days() {
        let nil = Uuid::nil().to_string();
        let open = waiting(FilingKind::Complaint, None);
        assert_eq!(found(&open), of("COMPLAINT_OVERDUE", &nil));
        let in_time = waiting(FilingKind::Complaint, Some(date!(2024 - 07 - 22)));
        assert!(found(&in_time).is_empty());
        let late = waiting(FilingKind::Complaint, Some(date!(2024 - 07 - 23)));
        assert_eq!(found(&late), of("COMPLAINT_OVERDUE", &nil));
    }

    /// A complaint of Monday 2024-07-01 is to be decided by Monday 07-22; three working days are left on Wednesday 07-17.
    #[test]
    fn an_outcome_is_asked_for_some_days_before_it_is_due_and_not_once_it_came() {
        let (rules, calendar) = (Rules::builtin(), Calendar::builtin());
        let asked = |today, closed_on| {
            let judge = Judge {
                rules: &rules,
                calendar: &calendar,
                today,
            };
            let awaited = judge.awaited_outcomes(&waiting(FilingKind::Complaint, closed_on));
            awaited.into_iter().map(|(_, due)| due).collect::<Vec<_>>()
        };
        let due = date!(2024 - 07 - 22);
        assert_eq!(asked(date!(2024 - 07 - 16), None), []);
        assert_eq!(asked(date!(2024 - 07 - 17), None), [due]);
        assert_eq!(asked(due, None), [due]);
        assert_eq!(asked(date!(2024 - 07 - 23), None), [], "it is overdue");
        let came = Some(date!(2024 - 07 - 15));
        assert_eq!(asked(date!(2024 - 07 - 17), came), []);
    }

    #[test]
    fn a_review_is_decided_within_thirty_days() {
        let nil = Uuid::nil().to_string();
        assert_eq!(
            found(&waiting(FilingKind::Review, Some(date!(2024 - 08 - 01)))),
            of("REVIEW_OVERDUE", &nil)
        );
        assert!(found(&waiting(FilingKind::Review, Some(date!(2024 - 07 - 31)))).is_empty());
    }
}
