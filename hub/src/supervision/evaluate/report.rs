//! What an office has to tell the bureau, and what it should have discussed (N7–N10).

use std::collections::BTreeSet;

use linkage::vocabulary::{CaseState, ReasonCode};
use serde_json::{Value, json};
use time::{Date, Duration};

use super::{Judge, Verdict, day};
use crate::filing::FilingKind;
use crate::supervision::facts::{CaseFacts, Filed, OfficeFacts};

/// A case flagged major is reported within so many working days of acceptance.
pub(super) fn major_unreported(
    judge: &Judge<'_>,
    case: &CaseFacts,
    office: &OfficeFacts,
    working_days: u32,
) -> Verdict {
    let (true, Some(from)) = (case.major, case.accepted_on) else {
        return Verdict::default();
    };
    let wanted = Wanted {
        kind: FilingKind::MajorCaseReport,
        from,
        working_days,
    };
    unfiled(judge, case, office, wanted, |_| true)
}

/// It bears the marks of such a case, and nobody flagged it.
pub(super) fn major_not_flagged(
    case: &CaseFacts,
    amount_fen: i64,
    parties: usize,
    cities: usize,
) -> Option<Value> {
    (case.state.is_accepted_or_later() && !case.major).then_some(())?;
    let lying_in: BTreeSet<&str> = case
        .real_estate
        .iter()
        .flatten()
        .map(|place| &place[..4])
        .collect();
    let marked =
        case.amount_fen >= amount_fen || case.parties.len() >= parties || lying_in.len() >= cities;
    marked.then(|| {
        json!({ "amount_fen": case.amount_fen, "parties": case.parties.len(), "cities": lying_in })
    })
}

pub(super) fn refusal_unfiled(
    judge: &Judge<'_>,
    case: &CaseFacts,
    office: &OfficeFacts,
    working_days: u32,
) -> Verdict {
    let (CaseState::Refused, Some(from)) = (case.state, case.closed_on.or(case.applied_on)) else {
        return Verdict::default();
    };
    let wanted = Wanted {
        kind: FilingKind::Refusal,
        from,
        working_days,
    };
    unfiled(judge, case, office, wanted, |_| true)
}

/// Another office refused the same matter before this one accepted it.
pub(super) fn refused_elsewhere(
    case: &CaseFacts,
    within_days: i64,
    except: &[ReasonCode],
) -> Verdict {
    let goes_on = case.state != CaseState::Refused;
    let Some(accepted_on) = case.accepted_on.filter(|_| goes_on) else {
        return Verdict::default();
    };
    let mut refusals = case.refused_elsewhere.iter().filter(|refused| {
        let days = accepted_on - refused.refused_on;
        let sent_on = except
            .iter()
            .any(|reason| refused.reason_code.as_deref() == Some(reason.code()));
        !sent_on && (Duration::ZERO..=Duration::days(within_days)).contains(&days)
    });
    let Some(refused) = refusals.next() else {
        return Verdict::default();
    };
    let evidence = json!({
        "refused_by": refused.office_id.as_str(),
        "refused_on": refused.refused_on.to_string(),
        "reason_code": refused.reason_code,
        "accepted_on": accepted_on.to_string(),
    });
    Verdict {
        rests_on: Some((refused.office_id, refused.source_case_id.clone())),
        ..Verdict::when(Some(evidence))
    }
}

/// A certificate was revoked or corrected: who answered for it, and with what outcome, is reported. An account that came
/// before, or that says that it answers something of another day, is about something else.
pub(super) fn wrong_certificate(
    judge: &Judge<'_>,
    case: &CaseFacts,
    office: &OfficeFacts,
    working_days: u32,
) -> Verdict {
    let (CaseState::Revoked | CaseState::Corrected, Some(from)) = (case.state, case.closed_on)
    else {
        return Verdict::default();
    };
    let wanted = Wanted {
        kind: FilingKind::Accountability,
        from,
        working_days,
    };
    let answers = |filed: &Filed| filed.on >= from && filed.answers.is_none_or(|day| day == from);
    let mut verdict = unfiled(judge, case, office, wanted, answers);
    if let Some(Value::Object(evidence)) = &mut verdict.evidence {
        evidence.insert("state".into(), case.state.code().into());
        evidence.insert("notary_licence_no".into(), json!(case.notary_licence_no));
    }
    verdict
}

pub(super) fn major_not_discussed(case: &CaseFacts) -> Option<Value> {
    (case.major && !case.discussed && case.state.is_issued_or_later())
        .then(|| json!({ "major": true, "discussed": false, "issued_on": day(case.issued_on) }))
}

/// What is to be filed about a case, and by when.
struct Wanted {
    kind: FilingKind,
    /// The limit begins behind it.
    from: Date,
    working_days: u32,
}

/// Hits when no filing of that kind that answers it came in time; one that came late does not take it away. Nothing is
/// asked for of a time in which the office did not take part.
fn unfiled(
    judge: &Judge<'_>,
    case: &CaseFacts,
    office: &OfficeFacts,
    wanted: Wanted,
    answers: impl Fn(&Filed) -> bool,
) -> Verdict {
    let Wanted {
        kind,
        from,
        working_days,
    } = wanted;
    let due = judge.calendar.limit_after(from, working_days);
    if !office.participation.covers(from, due) {
        return Verdict::default();
    }
    let filed = case.filed.iter();
    let first = filed
        .filter(|filed| filed.kind == kind && answers(filed))
        .map(|filed| filed.on)
        .min();
    let evidence = json!({
        "wanted": kind.code(),
        "from": from.to_string(),
        "due_on": due.to_string(),
        "filed_on": day(first),
    });
    let evidence = judge.measured(due, evidence);
    match first {
        Some(on) => Verdict::when((on > due).then_some(evidence)),
        None => judge.awaited(kind, due, evidence),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{self, hits, judged};
    use super::*;
    use crate::filing::FilingKind;
    use crate::statistics::calendar::Calendar;
    use crate::supervision::facts::{CaseFacts, Refused};
    use crate::supervision::participation::Participation;
    use crate::supervision::rule::Rules;
    use linkage::vocabulary::CaseState;
    use time::macros::date;

    #[test]
    fn a_major_case_is_reported_in_three_working_days() {
        let mut case = CaseFacts {
            major: true,
            discussed: true,
            ..sample::case()
        };
        assert_eq!(hits(&case), ["MAJOR_UNREPORTED"]);
        case.filed = vec![sample::filed(
            FilingKind::MajorCaseReport,
            date!(2024 - 06 - 07),
        )];
        assert!(hits(&case).is_empty());
        case.filed = vec![sample::filed(
            FilingKind::MajorCaseReport,
            date!(2024 - 06 - 08),
        )];
        assert_eq!(hits(&case), ["MAJOR_UNREPORTED"]);
        // Today is the day of acceptance: it comes again behind the third working day.
        case.filed.clear();
        case.state = CaseState::Accepted;
        (case.accepted_on, case.applied_on) = (Some(sample::TODAY), Some(sample::TODAY));
        (case.approved_on, case.issued_on) = (None, None);
        assert!(hits(&case).is_empty());
        assert_eq!(judged(&case).look_on, Some(date!(2024 - 09 - 06)));
    }

    #[test]
    fn a_case_about_a_hundred_million_yuan_is_flagged() {
        let mut case = CaseFacts {
            matter_type: "will".parse().expect("a matter"),
            amount_fen: 10_000_000_000,
            ..sample::case()
        };
        assert_eq!(hits(&case), ["MAJOR_NOT_FLAGGED"]);
        case.amount_fen -= 1;
        assert!(hits(&case).is_empty());
    }

    #[test]
    fn a_refusal_is_filed() {
        let mut case = CaseFacts {
            state: CaseState::Refused,
            accepted_on: None,
            approved_on: None,
            issued_on: None,
            closed_on: Some(date!(2024 - 06 - 05)),
            ..sample::case()
        };
        assert_eq!(hits(&case), ["REFUSAL_UNFILED"]);
        case.filed = vec![sample::filed(FilingKind::Refusal, date!(2024 - 06 - 06))];
        assert!(hits(&case).is_empty());
    }

    #[test]
    fn a_refusal_without_its_day_is_asked_for_since_the_application() {
        let mut case = CaseFacts {
            state: CaseState::Refused,
            accepted_on: None,
            approved_on: None,
            issued_on: None,
            ..sample::case()
        };
        assert_eq!(hits(&case), ["REFUSAL_UNFILED"]);
        // Of Monday 2024-06-03; the Dragon Boat holiday is Monday 06-10: the fifth working day is Tuesday 06-11.
        for (on, late) in [
            (date!(2024 - 06 - 11), false),
            (date!(2024 - 06 - 12), true),
        ] {
            case.filed = vec![sample::filed(FilingKind::Refusal, on)];
            assert_eq!(hits(&case).is_empty(), !late, "{on}");
        }
    }

    #[test]
    fn what_one_office_refused_and_another_accepts_is_shown() {
        let mut case = sample::case();
        case.refused_elsewhere = vec![Refused {
            office_id: "hzqt".parse().expect("an id"),
            source_case_id: "R1".to_owned(),
            refused_on: date!(2024 - 05 - 20),
            reason_code: Some("falsehood".to_owned()),
        }];
        assert_eq!(hits(&case), ["REFUSED_ELSEWHERE"]);
        // That somebody wanted to make a will elsewhere stays sealed.
        let will = CaseFacts {
            matter_type: "will".parse().expect("a matter"),
            ..case.clone()
        };
        assert!(hits(&will).is_empty());
        // A year and a day before is long ago.
        for (refused_on, shown) in [(date!(2023 - 06 - 04), 1), (date!(2023 - 06 - 03), 0)] {
            let mut earlier = case.clone();
            earlier.refused_elsewhere[0].refused_on = refused_on;
            assert_eq!(hits(&earlier).len(), shown, "{refused_on}");
        }
        // It was sent here.
        case.refused_elsewhere[0].reason_code = Some("outside_practice_area".to_owned());
        assert!(hits(&case).is_empty());
        // It was refused after it had been accepted here.
        case.refused_elsewhere[0].reason_code = None;
        case.refused_elsewhere[0].refused_on = date!(2024 - 06 - 05);
        assert!(hits(&case).is_empty());
    }

    #[test]
    fn a_revoked_certificate_needs_an_account_of_who_answered_for_it() {
        let mut case = CaseFacts {
            state: CaseState::Revoked,
            closed_on: Some(date!(2024 - 07 - 01)),
            ..sample::case()
        };
        let found = judged(&case).hits;
        assert_eq!(found[0].rule_id, "WRONG_CERTIFICATE");
        assert_eq!(found[0].evidence["notary_licence_no"], "N1");
        case.state = CaseState::Corrected;
        assert_eq!(hits(&case), ["WRONG_CERTIFICATE"], "as one corrected does");
        case.filed = vec![sample::filed(
            FilingKind::Accountability,
            date!(2024 - 07 - 10),
        )];
        assert!(hits(&case).is_empty());
    }

    #[test]
    fn an_old_account_of_something_else_answers_for_no_later_revocation() {
        let mut case = CaseFacts {
            state: CaseState::Revoked,
            closed_on: Some(date!(2024 - 07 - 01)),
            filed: vec![sample::filed(
                FilingKind::Accountability,
                date!(2024 - 05 - 10),
            )],
            ..sample::case()
        };
        assert_eq!(hits(&case), ["WRONG_CERTIFICATE"]);
        // It came in time, and says that it answers the correction of before.
        case.filed = vec![Filed {
            answers: Some(date!(2024 - 05 - 06)),
            ..sample::filed(FilingKind::Accountability, date!(2024 - 07 - 10))
        }];
        assert_eq!(hits(&case), ["WRONG_CERTIFICATE"]);
        case.filed[0].answers = case.closed_on;
        assert!(hits(&case).is_empty());
    }

    #[test]
    fn nothing_is_asked_for_of_a_time_before_the_office_took_part() {
        let case = CaseFacts {
            state: CaseState::Revoked,
            closed_on: Some(date!(2024 - 07 - 01)),
            ..sample::case()
        };
        let (rules, calendar) = (Rules::builtin(), Calendar::builtin());
        let judge = Judge {
            rules: &rules,
            calendar: &calendar,
            today: sample::TODAY,
        };
        let since = |day| OfficeFacts {
            participation: Participation {
                since: Some(day),
                ..Participation::default()
            },
            ..sample::office()
        };
        assert_eq!(
            judge.case(&case, &since(date!(2024 - 07 - 01))).hits.len(),
            1
        );
        assert!(
            judge
                .case(&case, &since(date!(2024 - 07 - 02)))
                .hits
                .is_empty()
        );
    }

    #[test]
    fn a_limit_in_a_year_without_calendar_says_so() {
        let case = CaseFacts {
            state: CaseState::Revoked,
            closed_on: Some(date!(2099 - 07 - 01)),
            ..sample::case()
        };
        let (rules, calendar) = (Rules::builtin(), Calendar::builtin());
        let judge = Judge {
            rules: &rules,
            calendar: &calendar,
            today: date!(2099 - 09 - 01),
        };
        let hits = judge.case(&case, &sample::office()).hits;
        assert_eq!(hits[0].evidence["without_calendar"], 2099);
        let covered = CaseFacts {
            closed_on: Some(date!(2024 - 07 - 01)),
            ..case
        };
        let hits = judge.case(&covered, &sample::office()).hits;
        assert_eq!(hits[0].evidence.get("without_calendar"), None);
    }

    #[test]
    fn a_major_case_is_discussed_before_its_certificate_is_issued() {
        let mut case = CaseFacts {
            major: true,
            filed: vec![sample::filed(
                FilingKind::MajorCaseReport,
                date!(2024 - 06 - 05),
            )],
            ..sample::case()
        };
        assert_eq!(hits(&case), ["MAJOR_NOT_DISCUSSED"]);
        case.discussed = true;
        assert!(hits(&case).is_empty());
    }
}
