//! How grave a case found is for the matter about to be accepted: the duplicate rules, asked before there is a
//! case to ask about.

use linkage::matter::{CaseFacts, MatterFacts, MatterKey, RuleSet, Severity};
use linkage::office::OfficeId;
use linkage::subject::SubjectKind;
use linkage::token::Token;
use linkage::vocabulary::{CaseState, PartyRole};
use time::{Date, OffsetDateTime};

use super::question::{Asker, Question};
use crate::local_time::local_day;
use crate::store::lookup::Found;

/// What a case found is to the matter about to be accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Grade {
    /// `None`: the person or thing is known, in an unconnected matter.
    pub severity: Option<Severity>,
    /// Whether its office accepted first, when it is a duplicate.
    pub first_accepting: bool,
}

/// The matter about to be accepted, as the rules see it.
#[derive(Debug)]
pub struct Intake<'a> {
    rules: &'a RuleSet,
    question: &'a Question,
    parties: Vec<(PartyRole, Option<Token>)>,
    keys: Vec<MatterKey>,
    office_id: OfficeId,
    today: Date,
}

impl<'a> Intake<'a> {
    pub fn new(
        rules: &'a RuleSet,
        question: &'a Question,
        asker: Asker,
        now: OffsetDateTime,
    ) -> Self {
        let numbered = question.parties.iter();
        let parties: Vec<_> = numbered
            .map(|party| (party.role, party.verified().map(|number| number.token)))
            .collect();
        let keys = keys(rules, question, &parties, question.place_of_use.as_deref());
        Self {
            rules,
            question,
            parties,
            keys,
            office_id: asker.office_id,
            today: local_day(now),
        }
    }

    /// What identifies the matter about to be accepted; empty when it is like no other.
    pub fn keys(&self) -> &[MatterKey] {
        &self.keys
    }

    /// Grades the cases of one answer. Each is judged against the intake alone, so several duplicates of one matter may each
    /// seem the first; among themselves at most one is. An answer may hold several matters: an estate has two decedents.
    pub fn grade_all(&self, found: &[Found]) -> Vec<Grade> {
        let mut grades: Vec<Grade> = found.iter().map(|found| self.grade(found)).collect();
        let marked: Vec<usize> = (0..found.len())
            .filter(|&at| grades[at].first_accepting)
            .collect();
        for &at in &marked {
            let mut others = marked.iter().filter(|&&other| other != at);
            grades[at].first_accepting =
                others.all(|&other| self.is_ahead(&found[at], &found[other]));
        }
        grades
    }

    /// Whether the case was accepted before the other, or is none of its matter. On one day, or by a word that is in
    /// doubt, no office is ahead: people decide.
    fn is_ahead(&self, case: &Found, other: &Found) -> bool {
        let apart = CaseFacts {
            office: other_than(case.office_id, other.office_id),
            ..facts(other)
        };
        let finding = self.rules.judge(&facts(case), &apart);
        let Some(finding) = finding.filter(|finding| finding.severity == Severity::Duplicate)
        else {
            return true;
        };
        if case.office_id == other.office_id {
            let order = |case: &Found| (case.accepted_on, case.source_case_id.clone());
            return order(case) < order(other);
        }
        finding.first_accepting == Some(case.office_id) && !finding.back_dated
    }

    /// Grades a case found. An empty place of use may only be unknown: where one of the two has a place and the other
    /// none, what would be the same matter if the places were the same is something to look at, no more.
    fn grade(&self, found: &Found) -> Grade {
        if let Some(finding) = self.judge(found, &self.keys) {
            return finding;
        }
        let (asked, there) = (&self.question.place_of_use, &found.place_of_use);
        if asked.is_some() == there.is_some() {
            return Grade::default();
        }
        let there = keys(self.rules, self.question, &self.parties, there.as_deref());
        Grade {
            severity: self.judge(found, &there).map(|_| Severity::Related),
            first_accepting: false,
        }
    }

    fn judge(&self, found: &Found, keys: &[MatterKey]) -> Option<Grade> {
        let intake = CaseFacts {
            office: other_than(found.office_id, self.office_id),
            source_case_id: "",
            matter_type: self.question.matter_type,
            state: CaseState::Applied,
            applied_on: Some(self.today),
            accepted_on: None,
            first_recorded_on: self.today,
            keys,
        };
        let finding = self.rules.judge(&intake, &facts(found))?;
        Some(Grade {
            severity: Some(finding.severity),
            first_accepting: finding.severity == Severity::Duplicate
                && finding.first_accepting == Some(found.office_id),
        })
    }
}

/// Grades the cases of one answer. Of one that is cut off the newest are told: the first acceptance may be among those
/// left out.
pub(super) fn graded(intake: &Intake<'_>, found: &[Found], truncated: bool) -> Vec<Grade> {
    let mut grades = intake.grade_all(found);
    if truncated {
        for grade in &mut grades {
            grade.first_accepting = false;
        }
    }
    grades
}

fn facts(found: &Found) -> CaseFacts<'_> {
    CaseFacts {
        office: found.office_id,
        source_case_id: &found.source_case_id,
        matter_type: found.matter_type,
        state: found.state,
        applied_on: found.applied_on,
        accepted_on: found.accepted_on,
        first_recorded_on: local_day(found.first_recorded_at),
        keys: &found.keys,
    }
}

fn keys(
    rules: &RuleSet,
    question: &Question,
    parties: &[(PartyRole, Option<Token>)],
    place_of_use: Option<&str>,
) -> Vec<MatterKey> {
    let subjects: &[(SubjectKind, Token)] = &question.subjects;
    rules.keys(&MatterFacts {
        matter_type: question.matter_type,
        parties,
        subjects,
        place_of_use,
    })
}

/// The rules compare cases of different offices. That one's own office has the matter already is as good to
/// know, so the intake then stands as if it were elsewhere.
fn other_than(office_id: OfficeId, own: OfficeId) -> OfficeId {
    if office_id != own {
        return own;
    }
    ["intake", "counter"]
        .into_iter()
        .filter_map(|id| id.parse().ok())
        .find(|id: &OfficeId| *id != own)
        .unwrap_or(own)
}

#[cfg(test)]
mod tests {
    use linkage::identifier::IdentifierKind;
    use linkage::vocabulary::Purpose;
    use time::macros::{date, datetime};

    use super::*;
    use crate::lookup::question::{Number, NumberCheck, Party};
    use crate::rules::Edition;

    fn party(number: u8) -> (PartyRole, Option<Token>) {
        (PartyRole::Decedent, Some(Token::from([number; 16])))
    }

    fn question(decedents: &[u8]) -> Question {
        let party = |&number: &u8| Party {
            role: PartyRole::Decedent,
            number: Some(Number {
                kind: IdentifierKind::ResidentId,
                token: Token::from([number; 16]),
                check: NumberCheck::Verified,
            }),
            description: None,
        };
        Question {
            purpose: Purpose::BeforeAcceptance,
            case_reference: "1".into(),
            matter_type: "inheritance".parse().expect("in the catalogue"),
            parties: decedents.iter().map(party).collect(),
            subjects: Vec::new(),
            place_of_use: None,
            intent: None,
        }
    }

    /// An estate that an office accepted that day.
    fn estate(rules: &RuleSet, office: &str, decedent: u8, accepted_on: Date) -> Found {
        let matter_type = "inheritance".parse().expect("in the catalogue");
        Found {
            office_id: office.parse().expect("an office id"),
            office_name: office.into(),
            source_case_id: format!("{decedent}"),
            case_no: None,
            matter_type,
            state: CaseState::Accepted,
            place_of_use: None,
            applied_on: None,
            accepted_on: Some(accepted_on),
            first_recorded_at: accepted_on.midnight().assume_utc(),
            by_identifier: true,
            by_subject: false,
            tokens: Vec::new(),
            masked_names: Vec::new(),
            keys: rules.keys(&MatterFacts {
                matter_type,
                parties: &[party(decedent)],
                subjects: &[],
                place_of_use: None,
            }),
        }
    }

    fn first_accepting(found: impl Fn(&RuleSet) -> Vec<Found>) -> Vec<bool> {
        let rules = &Edition::shipped().rules;
        let question = question(&[1, 2]);
        let parties = vec![party(1), party(2)];
        let intake = Intake {
            rules,
            question: &question,
            keys: keys(rules, &question, &parties, None),
            parties,
            office_id: "hz-own".parse().expect("an office id"),
            today: datetime!(2024-09-01 0:00 UTC).date(),
        };
        let grades = intake.grade_all(&found(rules));
        grades.iter().map(|grade| grade.first_accepting).collect()
    }

    #[test]
    fn each_decedent_of_one_estate_has_a_first_acceptance() {
        let days = [date!(2024 - 03 - 05), date!(2024 - 03 - 01)];
        let two = first_accepting(|rules| {
            vec![
                estate(rules, "hz-east", 1, days[0]),
                estate(rules, "hz-west", 2, days[1]),
            ]
        });
        assert_eq!(two, [true, true]);
        let on_one_day = first_accepting(|rules| {
            vec![
                estate(rules, "hz-east", 1, days[0]),
                estate(rules, "hz-west", 2, days[0]),
            ]
        });
        assert_eq!(on_one_day, [true, true]);
    }

    #[test]
    fn of_one_matter_the_earlier_office_is_first_and_on_one_day_none_is() {
        let [earlier, later] = [date!(2024 - 03 - 01), date!(2024 - 03 - 05)];
        let first = first_accepting(|rules| {
            vec![
                estate(rules, "hz-east", 1, later),
                estate(rules, "hz-west", 1, earlier),
                estate(rules, "hz-north", 1, later),
            ]
        });
        assert_eq!(first, [false, true, false]);
        let tied = first_accepting(|rules| {
            vec![
                estate(rules, "hz-east", 1, earlier),
                estate(rules, "hz-west", 1, earlier),
                estate(rules, "hz-north", 1, later),
            ]
        });
        assert_eq!(tied, [false, false, false]);
    }
}
