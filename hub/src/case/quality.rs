//! What is wrong with a case that is stored all the same, by the rules of [`linkage::quality`].

use linkage::quality::{self, About, CaseFacts, Document, PartyFacts, QualityRule};
use linkage::vocabulary::CaseState;

use super::{Case, Party};

/// A step between states that no chain of lawful steps explains. Unlike every other finding it is about
/// the past, so a newer revision does not take it away.
pub const ILLEGAL_STEP: &str = QualityRule::IllegalStep.code();

/// A case's tokens are of a key that the city gave up. The next record of the case takes it away.
pub const TOKEN_KEY_OUTDATED: &str = QualityRule::TokenKeyOutdated.code();

/// One thing an office should look at. `detail` holds codes only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub rule_id: &'static str,
    pub field: String,
    pub revision: i64,
    pub detail: Option<String>,
}

/// What a rule points at, in a few words, Chinese.
pub fn label_zh(rule_id: &str) -> &'static str {
    rule_id.parse().map_or("其他", QualityRule::label_zh)
}

/// The step from `before` to this revision, when it is illegal. Offices report snapshots, so steps in
/// between may be missing; only what cannot follow is pointed at.
pub fn illegal_step(before: CaseState, case: &Case) -> Option<Finding> {
    let after = case.state();
    (before != after && !before.leads_to(after)).then(|| Finding {
        rule_id: ILLEGAL_STEP,
        field: "state".to_owned(),
        revision: case.revision,
        detail: Some(format!("{before} -> {after}")),
    })
}

/// Everything noticed in one revision by itself.
pub fn findings(case: &Case) -> Vec<Finding> {
    let days = &case.figures;
    let facts = CaseFacts {
        state: case.state(),
        matter_type: case.matter_type(),
        has_case_no: case.case_no.is_some(),
        applied_on: days.applied_on,
        accepted_on: days.accepted_on,
        issued_on: days.issued_on,
        closed_on: days.closed_on,
    };
    let found = quality::findings(&facts, case.parties.iter().map(facts_of)).into_iter();
    found
        .map(|found| Finding {
            rule_id: found.rule.code(),
            field: found.field,
            revision: case.revision,
            detail: match found.about {
                About::Document(_, kind) => Some(kind.code().to_owned()),
                About::Case | About::Party(_) | About::Before(_) => None,
            },
        })
        .collect()
}

fn facts_of(party: &Party) -> PartyFacts {
    let document = match &party.identifier {
        None => Document::None,
        Some(identifier) if identifier.verified().is_none() => {
            Document::Unverified(identifier.kind)
        }
        Some(_) => Document::Verified,
    };
    PartyFacts {
        role: party.role,
        kind: party.kind,
        document,
    }
}
