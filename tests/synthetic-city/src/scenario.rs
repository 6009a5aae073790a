//! The ways in which two offices can have the same matter: at least one scenario per duplicate rule, with what
//! each side does. The rule ids and windows are those of `hub/rules`; a test holds the two together.
use linkage::matter::Severity;

use crate::dice::Dice;
use crate::people::Member;
use crate::script::Thing;

/// One way for two cases to be connected.
#[derive(Debug)]
pub(crate) struct Scenario {
    pub(crate) rule_id: &'static str,
    pub(crate) severity: Severity,
    pub(crate) window_days: i64,
    pub(crate) sides: [Side; 2],
    /// Rests on a person, so that a mistyped number hides it. The others rest on the subject alone.
    pub(crate) needs_person: bool,
    /// Both sides are for use at one place abroad.
    pub(crate) abroad: bool,
    /// What the second side does when the two are not to be connected.
    pub(crate) instead: Side,
}

/// What one side's case is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Side {
    pub(crate) matter: &'static str,
    pub(crate) subject: Option<Thing>,
    /// Another place of use than the common one.
    pub(crate) place: Option<&'static str>,
    pub(crate) by: Member,
    pub(crate) with: Partner,
}

/// The company on the other side of an agreement or a debt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Partner {
    /// The one both sides of the pair have.
    Same,
    Another,
}

const fn side(matter: &'static str) -> Side {
    Side {
        matter,
        subject: None,
        place: None,
        by: Member::Head,
        with: Partner::Same,
    }
}

const fn about(matter: &'static str, subject: Thing) -> Side {
    Side {
        matter,
        subject: Some(subject),
        place: None,
        by: Member::Head,
        with: Partner::Same,
    }
}

const fn used_in(matter: &'static str, place: &'static str) -> Side {
    Side {
        matter,
        subject: None,
        place: Some(place),
        by: Member::Head,
        with: Partner::Same,
    }
}

/// Both offices do the same; `instead` is what would be harmless.
const fn same(
    rule_id: &'static str,
    severity: Severity,
    window_days: i64,
    side: Side,
    instead: Side,
) -> Scenario {
    Scenario {
        rule_id,
        severity,
        window_days,
        sides: [side, side],
        needs_person: true,
        abroad: false,
        instead,
    }
}

const fn fact(matter: &'static str, instead: Side) -> Scenario {
    let scenario = same(
        "PERSONAL_FACT_SAME_USE",
        Severity::Duplicate,
        180,
        side(matter),
        instead,
    );
    Scenario {
        abroad: true,
        ..scenario
    }
}

/// What the elder of the household does.
const fn of_elder(side: Side) -> Side {
    Side {
        by: Member::Elder,
        ..side
    }
}

/// The same with another company.
const fn with_another(side: Side) -> Side {
    Side {
        with: Partner::Another,
        ..side
    }
}

/// Two offices do different things.
const fn between(
    rule_id: &'static str,
    severity: Severity,
    window_days: i64,
    sides: [Side; 2],
    instead: Side,
) -> Scenario {
    Scenario {
        rule_id,
        severity,
        window_days,
        sides,
        needs_person: true,
        abroad: false,
        instead,
    }
}

/// The same, resting on the thing or on a company, which has no namesakes and no typing errors here.
const fn without_person(scenario: Scenario) -> Scenario {
    Scenario {
        needs_person: false,
        ..scenario
    }
}

const fn abroad(scenario: Scenario) -> Scenario {
    Scenario {
        abroad: true,
        ..scenario
    }
}

/// A gift against another act on the same flat.
const fn against_gift(gift: Side, other: Side, instead: Side) -> Scenario {
    Scenario {
        rule_id: "GIFT_AGAINST_DISPOSAL",
        severity: Severity::Conflict,
        window_days: 366,
        sides: [gift, other],
        needs_person: false,
        abroad: false,
        instead,
    }
}

pub(crate) static SCENARIOS: [Scenario; 38] = {
    use Severity::{Conflict, Duplicate, Related};
    use Thing::{Certificate, Contract, Flat, Loan, Unit, Vehicle};
    const AGREEMENT: &str = "AGREEMENT_SAME_PARTIES";
    const MANDATE: &str = "MANDATE_SAME_PROPERTY";
    const FOREVER: i64 = 36_525;
    [
        same(
            "INHERITANCE_SAME_DECEDENT",
            Duplicate,
            3_653,
            about("inheritance", Unit(0)),
            side("kinship"),
        ),
        same(
            MANDATE,
            Conflict,
            1_096,
            about("mandate", Unit(0)),
            side("signature"),
        ),
        same(
            MANDATE,
            Conflict,
            1_096,
            about("mandate", Certificate(0)),
            side("copy"),
        ),
        fact("birth", used_in("birth", "NZ")),
        fact("education", side("identity")),
        fact("criminal_record", used_in("criminal_record", "SG")),
        same(
            "WILL_SAME_TESTATOR",
            Related,
            FOREVER,
            about("will", Certificate(0)),
            side("declaration"),
        ),
        same(
            AGREEMENT,
            Duplicate,
            366,
            about("contract", Contract(0)),
            about("contract", Contract(1)),
        ),
        fact("kinship", side("marriage")),
        against_gift(
            about("gift", Unit(0)),
            about("mandate", Flat(0)),
            about("mandate", Flat(1)),
        ),
        same(
            "GIFT_SAME_SUBJECT",
            Duplicate,
            1_096,
            about("gift", Certificate(0)),
            about("gift", Certificate(1)),
        ),
        // With a number missing the two would still be related, by the home.
        without_person(same(
            AGREEMENT,
            Duplicate,
            366,
            about("enforceable_debt", Loan(4)),
            about("enforceable_debt", Loan(5)),
        )),
        fact("marriage", used_in("marriage", "DE")),
        same(
            "GUARDIANSHIP_SAME_WARD",
            Duplicate,
            3_653,
            side("guardianship"),
            side("death"),
        ),
        same(
            AGREEMENT,
            Duplicate,
            366,
            about("property_division", Unit(0)),
            about("property_division", Unit(1)),
        ),
        against_gift(
            about("gift", Unit(4)),
            about("enforceable_debt", Loan(4)),
            about("enforceable_debt", Loan(5)),
        ),
        between(
            "WILL_FOR_INHERITANCE",
            Related,
            FOREVER,
            [of_elder(side("will")), about("inheritance", Unit(0))],
            side("signature"),
        ),
        fact("experience", side("post")),
        fact("death", side("survival")),
        fact("residence", side("experience")),
        fact("identity", used_in("identity", "MY")),
        fact("post", side("residence")),
        between(
            "MANDATE_SAME_AGENT",
            Related,
            1_461,
            [about("mandate", Unit(0)), about("mandate", Unit(1))],
            side("signature"),
        ),
        between(
            "MANDATE_OF_DECEDENT",
            Related,
            1_096,
            [
                of_elder(about("mandate", Unit(1))),
                about("inheritance", Unit(0)),
            ],
            side("signature"),
        ),
        without_person(between(
            "MANDATE_AND_MORTGAGE",
            Related,
            1_096,
            [
                about("mandate", Flat(4)),
                about("enforceable_debt", Loan(4)),
            ],
            about("enforceable_debt", Loan(5)),
        )),
        between(
            "SURVIVAL_AGAINST_DEATH",
            Conflict,
            366,
            [of_elder(side("survival")), side("death")],
            side("kinship"),
        ),
        same(
            "DECLARATION_SAME_SUBJECT",
            Duplicate,
            366,
            about("declaration", Unit(0)),
            about("declaration", Unit(1)),
        ),
        between(
            "DECLARATION_FOR_INHERITANCE",
            Related,
            3_653,
            [about("declaration", Unit(0)), about("inheritance", Unit(0))],
            about("declaration", Unit(1)),
        ),
        abroad(between(
            "DEATH_SAME_PERSON",
            Duplicate,
            180,
            [
                side("death"),
                Side {
                    by: Member::Spouse,
                    ..side("death")
                },
            ],
            side("survival"),
        )),
        same(
            "ADOPTION_SAME_ADOPTEE",
            Duplicate,
            3_653,
            side("adoption"),
            side("kinship"),
        ),
        without_person(between(
            "CONTRACT_SAME_HOME",
            Conflict,
            366,
            [
                about("contract", Unit(0)),
                with_another(about("contract", Unit(0))),
            ],
            about("contract", Unit(1)),
        )),
        without_person(between(
            "DEBT_SAME_HOME",
            Related,
            366,
            [
                about("enforceable_debt", Loan(4)),
                with_another(about("enforceable_debt", Loan(4))),
            ],
            about("enforceable_debt", Loan(5)),
        )),
        same(
            "DEPOSIT_SAME_DEBT",
            Duplicate,
            1_096,
            about("deposit", Contract(0)),
            about("deposit", Contract(1)),
        ),
        between(
            "GUARDIANSHIP_AND_ACT",
            Related,
            3_653,
            [side("guardianship"), of_elder(side("mandate"))],
            side("signature"),
        ),
        between(
            "SAFEKEEPING_FOR_INHERITANCE",
            Related,
            FOREVER,
            [of_elder(side("safekeeping")), about("inheritance", Unit(0))],
            side("copy"),
        ),
        without_person(abroad(same(
            "ARTICLES_SAME_COMPANY",
            Duplicate,
            180,
            side("articles_of_association"),
            used_in("articles_of_association", "NZ"),
        ))),
        without_person(same(
            "TENDER_SAME_PROJECT",
            Duplicate,
            366,
            about("tender", Contract(0)),
            about("tender", Contract(1)),
        )),
        without_person(same(
            "REGISTRATION_SAME_SUBJECT",
            Duplicate,
            1_096,
            about("registration", Vehicle(0)),
            about("registration", Vehicle(1)),
        )),
    ]
};

pub(crate) fn pick(dice: &mut Dice, fits: impl Fn(&Scenario) -> bool) -> &'static Scenario {
    let fitting: Vec<_> = SCENARIOS.iter().filter(|scenario| fits(scenario)).collect();
    dice.pick(&fitting)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use linkage::matter::RuleSet;

    use super::*;

    #[test]
    fn every_duplicate_rule_has_a_scenario_with_its_severity_and_window() {
        let rules = RuleSet::parse(include_str!("../../../hub/rules/matters.toml"))
            .expect("the shipped rules");
        let planted: HashSet<_> = SCENARIOS.iter().map(|scenario| scenario.rule_id).collect();
        let known: HashSet<_> = rules.rules().iter().map(|rule| rule.id()).collect();
        assert_eq!(planted, known);
        for scenario in &SCENARIOS {
            let rule = rules.rule(scenario.rule_id).expect("the sets are equal");
            assert_eq!(rule.severity(), scenario.severity, "{}", scenario.rule_id);
            assert_eq!(
                i64::from(rule.window_days()),
                scenario.window_days,
                "{}",
                scenario.rule_id
            );
        }
    }
}
