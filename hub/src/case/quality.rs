//! What is wrong with a case that is stored all the same: the office's system is the truth, the hub points.

use linkage::matter::MatterType;
use linkage::vocabulary::{CaseState, PartyKind, PartyRole};

use super::Case;

/// A step between states that no chain of lawful steps explains. Unlike every other finding it is about
/// the past, so a newer revision does not take it away.
pub const ILLEGAL_STEP: &str = "ILLEGAL_STEP";

/// A case's tokens are of a key that the city gave up. The next record of the case takes it away.
pub const TOKEN_KEY_OUTDATED: &str = "TOKEN_KEY_OUTDATED";

/// Matters that are applied for in person, never through an agent (公证法 art. 26).
const IN_PERSON: [&str; 3] = ["will", "survival", "adoption"];

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
    match rule_id {
        ILLEGAL_STEP => "状态变化不合程序",
        TOKEN_KEY_OUTDATED => "号码标识仍为旧密钥",
        "IDENTIFIER_UNVERIFIED" => "证件号码校验不符",
        "IDENTIFIER_MISSING" => "自然人缺少证件号码",
        "AGENT_NOT_ALLOWED" => "须本人办理的事项有代理人",
        "DATE_ORDER" => "日期先后颠倒",
        "CASE_NO_MISSING" => "已出证而无证号",
        _ => "其他",
    }
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
    let mut found = Vec::new();
    let mut note = |rule_id, field: String, detail: Option<&str>| {
        found.push(Finding {
            rule_id,
            field,
            revision: case.revision,
            detail: detail.map(str::to_owned),
        });
    };
    for (at, party) in case.parties.iter().enumerate() {
        let field = || format!("parties[{at}].identifier");
        match &party.identifier {
            Some(identifier) if identifier.verified().is_none() => {
                note(
                    "IDENTIFIER_UNVERIFIED",
                    field(),
                    Some(identifier.kind.code()),
                );
            }
            None if party.kind == PartyKind::Natural => note("IDENTIFIER_MISSING", field(), None),
            _ => {}
        }
        if party.role == PartyRole::Agent && is_in_person(case.matter_type()) {
            note("AGENT_NOT_ALLOWED", format!("parties[{at}].role"), None);
        }
    }
    let days = &case.figures;
    for (field, earlier, later) in [
        ("accepted_on", days.applied_on, days.accepted_on),
        ("issued_on", days.accepted_on, days.issued_on),
        ("closed_on", days.applied_on, days.closed_on),
    ] {
        if earlier
            .zip(later)
            .is_some_and(|(earlier, later)| later < earlier)
        {
            note("DATE_ORDER", field.to_owned(), None);
        }
    }
    if case.state().is_issued_or_later() && case.case_no.is_none() {
        note("CASE_NO_MISSING", "case_no".to_owned(), None);
    }
    found
}

fn is_in_person(matter: MatterType) -> bool {
    IN_PERSON.contains(&matter.code())
}
