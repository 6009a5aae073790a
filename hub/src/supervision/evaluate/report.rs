//! What an office has to tell the bureau, and what it should have discussed (N7–N10).

use std::collections::BTreeSet;

use linkage::vocabulary::{CaseState, ReasonCode};
use serde_json::{Value, json};
use time::Duration;

use super::{Judge, Verdict, day};
use crate::filing::FilingKind;
use crate::supervision::facts::CaseFacts;

/// A case flagged major is reported within so many working days of acceptance.
pub(super) fn major_unreported(judge: &Judge<'_>, case: &CaseFacts, working_days: u32) -> Verdict {
    let (true, Some(accepted_on)) = (case.major && is_live(case), case.accepted_on) else {
        return Verdict::default();
    };
    unfiled(
        judge,
        case,
        FilingKind::MajorCaseReport,
        accepted_on,
        working_days,
    )
}

/// It bears the marks of such a case, and nobody flagged it.
pub(super) fn major_not_flagged(
    case: &CaseFacts,
    amount_fen: i64,
    parties: usize,
    cities: usize,
) -> Option<Value> {
    (case.state.is_accepted_or_later() && !case.major && is_live(case)).then_some(())?;
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

pub(super) fn refusal_unfiled(judge: &Judge<'_>, case: &CaseFacts, working_days: u32) -> Verdict {
    match (case.state, case.closed_on.or(case.applied_on)) {
        (CaseState::Refused, Some(refused_on)) => {
            unfiled(judge, case, FilingKind::Refusal, refused_on, working_days)
        }
        _ => Verdict::default(),
    }
}

/// Another office refused the same matter before this one accepted it.
pub(super) fn refused_elsewhere(
    case: &CaseFacts,
    within_days: i64,
    except: &[ReasonCode],
) -> Option<Value> {
    let accepted_on = case.accepted_on.filter(|_| is_live(case))?;
    let mut refusals = case.refused_elsewhere.iter().filter(|refused| {
        let days = accepted_on - refused.refused_on;
        let sent_on = except
            .iter()
            .any(|reason| refused.reason_code.as_deref() == Some(reason.code()));
        !sent_on && (Duration::ZERO..=Duration::days(within_days)).contains(&days)
    });
    let refused = refusals.next()?;
    Some(json!({
        "refused_by": refused.office_id.as_str(),
        "refused_on": refused.refused_on.to_string(),
        "reason_code": refused.reason_code,
        "accepted_on": accepted_on.to_string(),
    }))
}

/// A certificate was revoked or corrected: who answered for it, and with what outcome, is reported.
pub(super) fn wrong_certificate(judge: &Judge<'_>, case: &CaseFacts, working_days: u32) -> Verdict {
    match (case.state, case.closed_on) {
        (CaseState::Revoked | CaseState::Corrected, Some(on)) => {
            let mut verdict = unfiled(judge, case, FilingKind::Accountability, on, working_days);
            if let Some(Value::Object(evidence)) = &mut verdict.evidence {
                evidence.insert("state".into(), case.state.code().into());
                evidence.insert("notary_licence_no".into(), json!(case.notary_licence_no));
            }
            verdict
        }
        _ => Verdict::default(),
    }
}

pub(super) fn major_not_discussed(case: &CaseFacts) -> Option<Value> {
    (case.major && !case.discussed && case.state.is_issued_or_later())
        .then(|| json!({ "major": true, "discussed": false, "issued_on": day(case.issued_on) }))
}

/// Hits when no filing of that kind came in time; one that came late does not take it away.
fn unfiled(
    judge: &Judge<'_>,
    case: &CaseFacts,
    kind: FilingKind,
    from: time::Date,
    working_days: u32,
) -> Verdict {
    let due = judge.calendar.limit_after(from, working_days);
    let filed = case.filed.iter();
    let first = filed
        .filter(|(filed, _)| *filed == kind)
        .map(|(_, on)| *on)
        .min();
    let evidence = json!({
        "wanted": kind.code(),
        "from": from.to_string(),
        "due_on": due.to_string(),
        "filed_on": day(first),
    });
    match first {
        Some(on) => Verdict::when((on > due).then_some(evidence)),
        None => judge.awaited(kind, due, evidence),
    }
}

fn is_live(case: &CaseFacts) -> bool {
    case.state != CaseState::Withdrawn
}

#[cfg(test)]
mod tests {
    use super::super::sample::{self, hits, judged};
    use crate::filing::FilingKind;
    use crate::supervision::facts::{CaseFacts, Refused};
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
        case.filed = vec![(FilingKind::MajorCaseReport, date!(2024 - 06 - 07))];
        assert!(hits(&case).is_empty());
        case.filed = vec![(FilingKind::MajorCaseReport, date!(2024 - 06 - 08))];
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
        case.filed = vec![(FilingKind::Refusal, date!(2024 - 06 - 06))];
        assert!(hits(&case).is_empty());
    }

    #[test]
    fn what_one_office_refused_and_another_accepts_is_shown() {
        let mut case = sample::case();
        case.refused_elsewhere = vec![Refused {
            office_id: "hzqt".parse().expect("an id"),
            refused_on: date!(2024 - 05 - 20),
            reason_code: Some("falsehood".to_owned()),
        }];
        assert_eq!(hits(&case), ["REFUSED_ELSEWHERE"]);
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
        case.filed = vec![(FilingKind::Accountability, date!(2024 - 07 - 10))];
        assert!(hits(&case).is_empty());
    }

    #[test]
    fn a_major_case_is_discussed_before_its_certificate_is_issued() {
        let mut case = CaseFacts {
            major: true,
            filed: vec![(FilingKind::MajorCaseReport, date!(2024 - 06 - 05))],
            ..sample::case()
        };
        assert_eq!(hits(&case), ["MAJOR_NOT_DISCUSSED"]);
        case.discussed = true;
        assert!(hits(&case).is_empty());
    }
}
