//! Fees against the tariff in force, reductions and legal aid (N5, N16).

use linkage::vocabulary::{CaseState, PartyKind};
use serde_json::{Value, json};

use crate::supervision::facts::CaseFacts;
use crate::supervision::rule::Rules;
use crate::supervision::tariff::{Standard, Wanted};

pub(super) fn below(rules: &Rules, case: &CaseFacts) -> Option<Value> {
    let (item, min, max) = standard(rules, case)?;
    // What was reduced with a reason was due all the same.
    let due = case.fee_charged_fen + case.fee_reduced_fen;
    // Nothing charged and nothing reduced: not paid yet, or not stated.
    (0 < due && due < min).then(|| evidence(case, &item, min, max))
}

pub(super) fn above(rules: &Rules, case: &CaseFacts) -> Option<Value> {
    let (item, min, max) = standard(rules, case)?;
    (case.fee_charged_fen > max).then(|| evidence(case, &item, min, max))
}

pub(super) fn reduction_unexplained(case: &CaseFacts) -> Option<Value> {
    (case.fee_reduced_fen > 0 && case.fee_reduction_reason.is_none() && !case.legal_aid)
        .then(|| json!({ "fee_reduced_fen": case.fee_reduced_fen }))
}

pub(super) fn legal_aid_not_reduced(case: &CaseFacts) -> Option<Value> {
    (is_charged(case) && case.legal_aid && case.fee_charged_fen > 0 && case.fee_reduced_fen == 0)
        .then(|| json!({ "fee_charged_fen": case.fee_charged_fen, "legal_aid": true }))
}

/// Item, least and most, where the fee is regulated, was due and can be told from what was stated.
fn standard(rules: &Rules, case: &CaseFacts) -> Option<(String, i64, i64)> {
    is_charged(case).then_some(())?;
    let wanted = Wanted {
        matter_type: case.matter_type,
        accepted_on: case.accepted_on?,
        amount_fen: case.amount_fen,
        certificates: case.certificates,
        legal_person: case
            .parties
            .iter()
            .any(|party| party.kind == PartyKind::Legal),
        real_estate: !case.real_estate.is_empty(),
    };
    match rules.tariff.standard(&wanted) {
        Standard::Regulated {
            item,
            min_fen,
            max_fen,
        } => Some((item, min_fen, max_fen)),
        Standard::NotRegulated => None,
    }
}

/// Of a case that came to nothing, the fee may have been given back.
fn is_charged(case: &CaseFacts) -> bool {
    use CaseState::*;
    case.accepted_on.is_some() && !matches!(case.state, Rejected | Terminated | Refused)
}

fn evidence(case: &CaseFacts, item: &str, min: i64, max: i64) -> Value {
    json!({
        "item": item,
        "min_fen": min,
        "max_fen": max,
        "fee_charged_fen": case.fee_charged_fen,
        "fee_reduced_fen": case.fee_reduced_fen,
        "amount_fen": case.amount_fen,
        "certificates": case.certificates,
        "accepted_on": case.accepted_on.map(|day| day.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::super::sample::{self, hits};
    use crate::supervision::facts::CaseFacts;
    use linkage::vocabulary::CaseState;

    #[test]
    fn a_fee_below_the_tariff_is_pointed_at_and_one_reduced_for_a_reason_is_not() {
        let mut case = CaseFacts {
            fee_charged_fen: 8_000,
            ..sample::case()
        };
        assert_eq!(hits(&case), ["FEE_BELOW_TARIFF"]);
        case.fee_reduced_fen = 4_000;
        case.fee_reduction_reason = Some("elderly".to_owned());
        assert!(hits(&case).is_empty());
    }

    #[test]
    fn a_fee_above_the_tariff_is_pointed_at_and_the_market_has_none() {
        let mut case = CaseFacts {
            fee_charged_fen: 30_000,
            ..sample::case()
        };
        assert_eq!(hits(&case), ["FEE_ABOVE_TARIFF"]);
        case.certificates = Some(3);
        assert_eq!(hits(&case), ["FEE_BELOW_TARIFF"]);
        case.matter_type = "will".parse().expect("a matter");
        assert!(hits(&case).is_empty());
        case.matter_type = "birth".parse().expect("a matter");
        case.state = CaseState::Terminated;
        case.issued_on = None;
        assert!(hits(&case).is_empty());
    }

    #[test]
    fn what_nobody_stated_is_not_judged() {
        let unpaid = CaseFacts {
            fee_charged_fen: 0,
            ..sample::case()
        };
        assert!(hits(&unpaid).is_empty());
        // However many certificates there were, one costs more than 80 yuan, and 300 yuan may be right.
        let uncounted = |fee_charged_fen| CaseFacts {
            fee_charged_fen,
            certificates: None,
            ..sample::case()
        };
        assert_eq!(hits(&uncounted(8_000)), ["FEE_BELOW_TARIFF"]);
        assert!(hits(&uncounted(30_000)).is_empty());
        let contract = |amount_fen| CaseFacts {
            matter_type: "contract".parse().expect("a matter"),
            amount_fen,
            fee_charged_fen: 500_000,
            ..sample::case()
        };
        assert!(hits(&contract(0)).is_empty());
        assert_eq!(hits(&contract(10_000_000)), ["FEE_ABOVE_TARIFF"]);
    }

    #[test]
    fn a_reduction_needs_a_reason() {
        let mut case = CaseFacts {
            fee_charged_fen: 6_000,
            fee_reduced_fen: 6_000,
            ..sample::case()
        };
        assert_eq!(hits(&case), ["REDUCTION_UNEXPLAINED"]);
        case.fee_reduction_reason = Some("hardship".to_owned());
        assert!(hits(&case).is_empty());
    }

    #[test]
    fn a_party_with_legal_aid_pays_less_than_the_whole() {
        let mut case = CaseFacts {
            legal_aid: true,
            ..sample::case()
        };
        assert_eq!(hits(&case), ["LEGAL_AID_NOT_REDUCED"]);
        (case.fee_charged_fen, case.fee_reduced_fen) = (0, 12_000);
        assert!(hits(&case).is_empty());
    }
}
