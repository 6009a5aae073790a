//! Cases, built and judged: what the tests of keys, rules and judgement share.

mod judgement;
mod keys;
mod shipped_rules;

use proptest::prelude::*;
use time::{Date, Duration, macros::date};

use super::*;
use crate::{
    subject::SubjectKind,
    token::Token,
    vocabulary::{CaseState, PartyRole},
};

/// The rules that ship with the hub: the language and what is written in it are tested against each other.
fn shipped() -> RuleSet {
    RuleSet::parse_complete(include_str!("../../../../hub/rules/matters.toml"))
        .expect("the shipped rules")
}

fn token(number: u8) -> Token {
    Token::from([number; 16])
}

/// A case as one office holds it.
#[derive(Debug, Clone)]
struct Case {
    office: &'static str,
    matter: &'static str,
    state: CaseState,
    parties: Vec<(PartyRole, Option<Token>)>,
    subjects: Vec<(SubjectKind, Token)>,
    place_of_use: Option<&'static str>,
    applied_on: Option<Date>,
    accepted_on: Option<Date>,
    first_recorded_on: Date,
}

fn case(matter: &'static str) -> Case {
    let day = date!(2024 - 03 - 01);
    Case {
        office: "hz-east",
        matter,
        state: CaseState::Accepted,
        parties: vec![],
        subjects: vec![],
        place_of_use: None,
        applied_on: Some(day),
        accepted_on: Some(day),
        first_recorded_on: day,
    }
}

impl Case {
    fn party(mut self, role: PartyRole, number: u8) -> Self {
        self.parties.push((role, Some(token(number))));
        self
    }

    /// One of whom the office has no number, or none that keeps its standard.
    fn party_without_number(mut self, role: PartyRole) -> Self {
        self.parties.push((role, None));
        self
    }

    fn subject(mut self, kind: SubjectKind, number: u8) -> Self {
        self.subjects.push((kind, token(number)));
        self
    }

    fn used_in(mut self, place: &'static str) -> Self {
        self.place_of_use = Some(place);
        self
    }

    /// The same matter taken to another office, `days` later.
    fn elsewhere(&self, days: i64) -> Self {
        Self {
            office: "hz-west",
            ..self.clone()
        }
        .later(days)
    }

    fn later(mut self, days: i64) -> Self {
        let later = Duration::days(days);
        self.applied_on = self.applied_on.map(|on| on + later);
        self.accepted_on = self.accepted_on.map(|on| on + later);
        self.first_recorded_on += later;
        self
    }

    fn accepted(mut self, accepted_on: Date, first_recorded_on: Date) -> Self {
        self.accepted_on = Some(accepted_on);
        self.first_recorded_on = first_recorded_on;
        self
    }

    fn keys(&self, rules: &RuleSet) -> Vec<MatterKey> {
        rules.keys(&MatterFacts {
            matter_type: self.matter.parse().expect("a code"),
            parties: &self.parties,
            subjects: &self.subjects,
            place_of_use: self.place_of_use,
        })
    }

    fn facts<'a>(&'a self, keys: &'a [MatterKey]) -> CaseFacts<'a> {
        CaseFacts {
            office: self.office.parse().expect("an office id"),
            source_case_id: "1",
            matter_type: self.matter.parse().expect("a code"),
            state: self.state,
            applied_on: self.applied_on,
            accepted_on: self.accepted_on,
            first_recorded_on: self.first_recorded_on,
            keys,
        }
    }
}

/// Judges a pair both ways and insists that the order does not matter.
fn judge(a: &Case, b: &Case) -> Option<Finding> {
    let rules = shipped();
    let (keys_a, keys_b) = (a.keys(&rules), b.keys(&rules));
    let finding = rules.judge(&a.facts(&keys_a), &b.facts(&keys_b));
    assert_eq!(
        finding,
        rules.judge(&b.facts(&keys_b), &a.facts(&keys_a)),
        "symmetric"
    );
    finding
}

fn hit(a: &Case, b: &Case) -> Option<String> {
    judge(a, b).map(|finding| finding.rule_id)
}

fn any_case() -> impl Strategy<Value = Case> {
    let matter = prop::sample::select(MatterType::all().map(MatterType::code).collect::<Vec<_>>());
    let number = prop::option::weighted(0.8, (0u8..3).prop_map(token));
    let party = (prop::sample::select(PartyRole::ALL), number);
    let subject = (prop::sample::select(SubjectKind::ALL), 0u8..3);
    let office = prop::sample::select(vec!["hz-east", "hz-west"]);
    let days = (
        prop::option::of(-9i64..9),
        prop::option::of(-9i64..9),
        -9i64..9,
    );
    let parts = (
        prop::collection::vec(party, 0..8),
        prop::collection::vec(subject, 0..5),
    );
    (
        office,
        matter,
        prop::sample::select(CaseState::ALL),
        parts,
        days,
    )
        .prop_map(
            |(office, matter, state, (parties, subjects), (applied, accepted, seen))| {
                let on = |day| date!(2024 - 03 - 01) + Duration::days(day);
                Case {
                    office,
                    state,
                    parties,
                    subjects: subjects
                        .into_iter()
                        .map(|(kind, n)| (kind, token(n)))
                        .collect(),
                    applied_on: applied.map(on),
                    accepted_on: accepted.map(on),
                    first_recorded_on: on(seen),
                    ..case(matter)
                }
            },
        )
}
