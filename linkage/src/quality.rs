//! What is wrong with a case that is taken all the same: the office's system is the truth, and whoever looks points. The hub
//! counts by these rules, the office's agent names the cases by them.

use time::Date;

use crate::identifier::IdentifierKind;
use crate::matter::MatterType;
use crate::vocabulary::{CaseState, PartyKind, PartyRole, vocabulary};

vocabulary! {
    /// What an office should look at.
    QualityRule, "quality_rule" {
        /// A step between states that no chain of lawful steps explains; only who knows the state before can tell.
        IllegalStep = "ILLEGAL_STEP" "状态变化不合程序",
        /// The tokens are of a key that the city gave up; only the hub can tell.
        TokenKeyOutdated = "TOKEN_KEY_OUTDATED" "号码标识仍为旧密钥",
        IdentifierUnverified = "IDENTIFIER_UNVERIFIED" "证件号码校验不符",
        IdentifierMissing = "IDENTIFIER_MISSING" "自然人缺少证件号码",
        AgentNotAllowed = "AGENT_NOT_ALLOWED" "须本人办理的事项有代理人",
        DateOrder = "DATE_ORDER" "日期先后颠倒",
        CaseNoMissing = "CASE_NO_MISSING" "已出证而无证号",
    }
}

/// Matters that are applied for in person, never through an agent (公证法 art. 26).
const IN_PERSON: [&str; 3] = ["will", "survival", "adoption"];

/// What the rules look at in a case beside its parties.
#[derive(Debug, Clone, Copy)]
pub struct CaseFacts {
    /// Where the case stands.
    pub state: CaseState,
    /// The matter.
    pub matter_type: MatterType,
    /// Whether it has a 证号.
    pub has_case_no: bool,
    /// Day of application.
    pub applied_on: Option<Date>,
    /// Day of acceptance.
    pub accepted_on: Option<Date>,
    /// Day of issuance.
    pub issued_on: Option<Date>,
    /// Day the case ended otherwise.
    pub closed_on: Option<Date>,
}

/// What the rules look at in a party.
#[derive(Debug, Clone, Copy)]
pub struct PartyFacts {
    /// What it is to the matter.
    pub role: PartyRole,
    /// Natural or legal person.
    pub kind: PartyKind,
    /// Its identity document.
    pub document: Document,
}

/// What is known of a party's identity document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Document {
    /// No number.
    None,
    /// A number that keeps the standard of its kind.
    Verified,
    /// A number that does not.
    Unverified(IdentifierKind),
}

/// One thing to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub rule: QualityRule,
    /// Path of the canonical field, e.g. `parties[0].identifier`.
    pub field: String,
    /// What in the case it is about.
    pub about: About,
}

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// The case itself.
    Case,
    /// The party at a place, from 0.
    Party(usize),
    /// The document of the party at a place, which fails the check of its kind.
    Document(usize, IdentifierKind),
    /// A day that lies before that of another field, which it should follow.
    Before(&'static str),
}

/// Everything noticed in a case by itself, its parties in their order.
#[must_use]
pub fn findings(case: &CaseFacts, parties: impl IntoIterator<Item = PartyFacts>) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut note = |rule, field: String, about| found.push(Finding { rule, field, about });
    for (at, party) in parties.into_iter().enumerate() {
        let field = || format!("parties[{at}].identifier");
        match party.document {
            Document::Unverified(kind) => {
                let about = About::Document(at, kind);
                note(QualityRule::IdentifierUnverified, field(), about);
            }
            Document::None if party.kind == PartyKind::Natural => {
                note(QualityRule::IdentifierMissing, field(), About::Party(at));
            }
            Document::None | Document::Verified => {}
        }
        if party.role == PartyRole::Agent && IN_PERSON.contains(&case.matter_type.code()) {
            let field = format!("parties[{at}].role");
            note(QualityRule::AgentNotAllowed, field, About::Party(at));
        }
    }
    let (applied, accepted) = (case.applied_on, case.accepted_on);
    for (field, day, first, earlier) in [
        ("accepted_on", accepted, "applied_on", applied),
        ("issued_on", case.issued_on, "accepted_on", accepted),
        ("closed_on", case.closed_on, "applied_on", applied),
    ] {
        if day.zip(earlier).is_some_and(|(day, earlier)| day < earlier) {
            let about = About::Before(first);
            note(QualityRule::DateOrder, field.to_owned(), about);
        }
    }
    if case.state.is_issued_or_later() && !case.has_case_no {
        let field = "case_no".to_owned();
        note(QualityRule::CaseNoMissing, field, About::Case);
    }
    found
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    fn case(matter: &str) -> CaseFacts {
        CaseFacts {
            state: CaseState::Issued,
            matter_type: matter.parse().expect("in the catalogue"),
            has_case_no: true,
            applied_on: Some(date!(2024 - 06 - 01)),
            accepted_on: Some(date!(2024 - 06 - 03)),
            issued_on: Some(date!(2024 - 06 - 03)),
            closed_on: None,
        }
    }

    fn party(role: PartyRole, kind: PartyKind, document: Document) -> PartyFacts {
        PartyFacts {
            role,
            kind,
            document,
        }
    }

    fn found(case: &CaseFacts, parties: &[PartyFacts]) -> Vec<(QualityRule, String)> {
        let found = findings(case, parties.iter().copied());
        found.into_iter().map(|it| (it.rule, it.field)).collect()
    }

    #[test]
    fn a_case_in_order_has_no_finding() {
        let parties = [
            party(PartyRole::Principal, PartyKind::Natural, Document::Verified),
            party(PartyRole::Agent, PartyKind::Legal, Document::None),
        ];
        assert_eq!(found(&case("mandate"), &parties), []);
    }

    #[test]
    fn each_rule_names_the_field_that_it_is_about() {
        let wrong = CaseFacts {
            has_case_no: false,
            accepted_on: Some(date!(2024 - 05 - 31)),
            issued_on: Some(date!(2024 - 05 - 30)),
            closed_on: Some(date!(2024 - 05 - 30)),
            ..case("will")
        };
        let unverified = Document::Unverified(IdentifierKind::Passport);
        let parties = [
            party(PartyRole::Testator, PartyKind::Natural, Document::None),
            party(PartyRole::Agent, PartyKind::Natural, unverified),
        ];
        let expected = [
            (QualityRule::IdentifierMissing, "parties[0].identifier"),
            (QualityRule::IdentifierUnverified, "parties[1].identifier"),
            (QualityRule::AgentNotAllowed, "parties[1].role"),
            (QualityRule::DateOrder, "accepted_on"),
            (QualityRule::DateOrder, "issued_on"),
            (QualityRule::DateOrder, "closed_on"),
            (QualityRule::CaseNoMissing, "case_no"),
        ];
        assert_eq!(
            found(&wrong, &parties),
            expected.map(|(rule, field)| (rule, field.to_owned()))
        );
    }

    #[test]
    fn every_rule_is_known_by_its_code() {
        for rule in QualityRule::ALL {
            assert_eq!(rule.code().parse(), Ok(*rule));
        }
    }
}
