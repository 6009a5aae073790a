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
    parties: Vec<(PartyRole, Token)>,
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
        let parties: Vec<_> = question.verified_parties().collect();
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

    /// Grades the cases of one answer. Each is judged against the intake alone, so several duplicates may each seem
    /// the first; among themselves at most one is.
    pub fn grade_all(&self, found: &[Found]) -> Vec<Grade> {
        let mut grades: Vec<Grade> = found.iter().map(|found| self.grade(found)).collect();
        let marked: Vec<usize> = (0..found.len())
            .filter(|&at| grades[at].first_accepting)
            .collect();
        let first = marked
            .iter()
            .copied()
            .min_by_key(|&at| (found[at].accepted_on, &found[at].source_case_id));
        // On one day, or by a word that is in doubt, nobody is named: people decide.
        let open = first.is_some_and(|first| {
            marked.iter().any(|&at| {
                let tie = found[at].office_id != found[first].office_id
                    && found[at].accepted_on == found[first].accepted_on;
                tie || self.doubts(&found[first], &found[at])
            })
        });
        for at in marked {
            grades[at].first_accepting = Some(at) == first && !open;
        }
        grades
    }

    /// Whether the first case is first by a word that the second puts in doubt.
    fn doubts(&self, case: &Found, other: &Found) -> bool {
        self.rules
            .judge(&facts(case), &facts(other))
            .is_some_and(|finding| {
                finding.back_dated && finding.first_accepting == Some(case.office_id)
            })
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
    parties: &[(PartyRole, Token)],
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
