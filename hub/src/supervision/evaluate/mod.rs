//! What the rules make of facts. Pure.

mod area;
mod fee;
mod office;
mod people;
mod procedure;
mod report;
#[cfg(test)]
pub(crate) mod sample;

use linkage::office::OfficeId;
use linkage::vocabulary::CaseState;
use serde_json::Value;
use time::Date;
use uuid::Uuid;

use super::evidence::WITHOUT_CALENDAR;
use super::facts::{CaseFacts, OfficeFacts, OfficeFilings};
use super::rule::{Check, Rule, Rules};
use super::{About, Hit};
use crate::filing::FilingKind;
use crate::statistics::calendar::Calendar;
use crate::statistics::contribution::Days;

/// With what facts are judged.
#[derive(Clone, Copy, Debug)]
pub struct Judge<'a> {
    pub rules: &'a Rules,
    pub calendar: &'a Calendar,
    pub today: Date,
}

/// What the rules make of a case.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Judgement {
    pub hits: Vec<Hit>,
    /// When it is to be judged again though nothing happens to it.
    pub look_on: Option<Date>,
    /// What the office has to file about it within days, and the last day of it.
    pub awaited: Vec<(FilingKind, Date)>,
}

/// What one rule makes of a case.
#[derive(Clone, Debug, Default, PartialEq)]
struct Verdict {
    evidence: Option<Value>,
    rests_on: Option<(OfficeId, String)>,
    look_on: Option<Date>,
    awaited: Option<(FilingKind, Date)>,
}

impl Verdict {
    /// Hits when there is evidence.
    fn when(evidence: Option<Value>) -> Self {
        Self {
            evidence,
            ..Self::default()
        }
    }
}

impl Judge<'_> {
    /// All rules over a case; of one that was withdrawn none says anything.
    pub fn case(&self, case: &CaseFacts, office: &OfficeFacts) -> Judgement {
        let mut judgement = Judgement::default();
        if case.state == CaseState::Withdrawn {
            return judgement;
        }
        let day = case.day();
        let concluded_on = case.concluded_on();
        for rule in &self.rules.rules {
            if day.is_some_and(|day| day < rule.since) {
                continue;
            }
            let verdict = self.verdict(&rule.check, case, office);
            judgement.look_on = [judgement.look_on, verdict.look_on]
                .into_iter()
                .flatten()
                .min();
            judgement.awaited.extend(verdict.awaited);
            if let Some(evidence) = verdict.evidence {
                let happened_on = concluded_on.or(case.closed_on).or(day);
                judgement.hits.push(Hit {
                    concluded: concluded_on.is_some(),
                    rests_on: verdict.rests_on,
                    ..hit(
                        rule,
                        About::Case,
                        &case.source_case_id,
                        happened_on,
                        evidence,
                    )
                });
            }
        }
        judgement
    }

    /// All rules over what an office handed in.
    pub fn office(&self, filings: &OfficeFilings) -> Vec<Hit> {
        self.rules
            .rules
            .iter()
            .flat_map(|rule| {
                let hits = office::hits(self, rule, filings).into_iter();
                hits.filter(|hit| hit.happened_on.is_none_or(|day| rule.since <= day))
            })
            .collect()
    }

    /// Outcomes of complaints and reviews that are due within days: the filing, and the last day of it.
    pub fn awaited_outcomes(&self, filings: &OfficeFilings) -> Vec<(Uuid, Date)> {
        let rules = self.rules.rules.iter();
        rules
            .flat_map(|rule| office::due(self, rule, filings))
            .filter(|(filing, due)| {
                filing.closed_on.is_none() && self.today <= *due && self.is_near(*due)
            })
            .map(|(filing, due)| (filing.filing_id, due))
            .collect()
    }

    fn verdict(&self, check: &Check, case: &CaseFacts, office: &OfficeFacts) -> Verdict {
        match check {
            Check::Scope {} => Verdict::when(procedure::scope(case, office)),
            Check::InPerson { matters } => Verdict::when(procedure::in_person(case, matters)),
            Check::StepOrder {} => Verdict::when(procedure::step_order(case)),
            Check::ApprovalMissing {} => Verdict::when(procedure::approval_missing(case, office)),
            Check::ApprovedByHandler {} => Verdict::when(procedure::approved_by_handler(case)),
            Check::TimeLimit { working_days } => procedure::time_limit(self, case, *working_days),
            Check::FeeBelow {} => Verdict::when(fee::below(self.rules, case)),
            Check::FeeAbove {} => Verdict::when(fee::above(self.rules, case)),
            Check::ReductionUnexplained {} => Verdict::when(fee::reduction_unexplained(case)),
            Check::LegalAidNotReduced {} => Verdict::when(fee::legal_aid_not_reduced(case)),
            Check::PracticeArea { except_matters } => {
                Verdict::when(area::real_estate(case, office, except_matters))
            }
            Check::PracticeAreaParty { matters, roles } => {
                Verdict::when(area::parties(case, office, matters, roles))
            }
            Check::MajorUnreported { working_days } => {
                report::major_unreported(self, case, office, *working_days)
            }
            Check::MajorNotFlagged {
                amount_fen,
                parties,
                cities,
            } => Verdict::when(report::major_not_flagged(
                case,
                *amount_fen,
                *parties,
                *cities,
            )),
            Check::RefusalUnfiled { working_days } => {
                report::refusal_unfiled(self, case, office, *working_days)
            }
            Check::RefusedElsewhere {
                within_days,
                except_reasons,
                except_matters,
            } if !except_matters.contains(&case.matter_type) => {
                report::refused_elsewhere(case, *within_days, except_reasons)
            }
            Check::WrongCertificate { working_days } => {
                report::wrong_certificate(self, case, office, *working_days)
            }
            Check::MajorNotDiscussed {} => Verdict::when(report::major_not_discussed(case)),
            Check::Recusal {} => Verdict::when(people::recusal(case)),
            Check::RefusedElsewhere { .. }
            | Check::ComplaintOverdue { .. }
            | Check::ReviewOverdue { .. }
            | Check::PaperUsedTwice {}
            | Check::PaperOutOfRange {}
            | Check::PaperUnaccounted {} => Verdict::default(),
        }
    }

    /// Says in the evidence when a limit lies in a year for which the calendar has no arrangement.
    fn measured(&self, due: Date, mut evidence: Value) -> Value {
        if !self.calendar.covers(due) {
            evidence[WITHOUT_CALENDAR] = due.year().into();
        }
        evidence
    }

    /// Hits from the day behind `due` on; comes before the rule again on that day.
    fn after(&self, due: Date, evidence: Value) -> Verdict {
        match self.today > due {
            true => Verdict::when(Some(evidence)),
            false => Verdict {
                look_on: due.next_day(),
                ..Verdict::default()
            },
        }
    }

    /// The same of a filing, which is asked for some working days before.
    fn awaited(&self, kind: FilingKind, due: Date, evidence: Value) -> Verdict {
        let verdict = self.after(due, evidence);
        match verdict.evidence.is_some() {
            true => verdict,
            false if self.is_near(due) => Verdict {
                awaited: Some((kind, due)),
                ..verdict
            },
            false => Verdict {
                look_on: Some(self.near(due)),
                ..verdict
            },
        }
    }
}

fn hit(
    rule: &Rule,
    about: About,
    about_key: &str,
    happened_on: Option<Date>,
    evidence: Value,
) -> Hit {
    Hit {
        rule_id: rule.id.clone(),
        severity: rule.severity,
        about,
        about_key: about_key.to_owned(),
        happened_on,
        concluded: false,
        rests_on: None,
        evidence,
    }
}

impl CaseFacts {
    /// The day by which a case is placed in time.
    fn day(&self) -> Option<Date> {
        let began = self.accepted_on.or(self.applied_on);
        began.or(self.issued_on).or(self.closed_on)
    }

    /// The day on which it ended, as the figures have it.
    fn concluded_on(&self) -> Option<Date> {
        let days = Days {
            applied_on: self.applied_on,
            accepted_on: self.accepted_on,
            issued_on: self.issued_on,
            closed_on: self.closed_on,
        };
        days.conclusion(self.state)
    }
}

/// A day as evidence holds it.
fn day(day: Option<Date>) -> Value {
    day.map_or(Value::Null, |day| day.to_string().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::contribution::{self, Deltas, Figures};
    use time::macros::date;

    /// The days on which the figures count the case among those that ended.
    fn ended_on(case: &CaseFacts) -> Vec<Date> {
        let figures = Figures {
            state: case.state,
            matter_type: case.matter_type,
            foreign_relation: case.foreign_relation,
            notary_licence_no: None,
            applied_on: case.applied_on,
            accepted_on: case.accepted_on,
            issued_on: case.issued_on,
            closed_on: case.closed_on,
            fee_charged_fen: 0,
            fee_reduced_fen: 0,
            legal_aid: false,
            home_visit: false,
            excused_working_days: 0,
        };
        let mut deltas = Deltas::new();
        contribution::add(&mut deltas, case.office_id, &figures, &Calendar::builtin());
        let of_days = deltas
            .iter()
            .filter(|(cell, _)| cell.cut == contribution::Cut::Day);
        of_days
            .filter(|(_, counts)| counts.concluded() > 0)
            .map(|(cell, _)| cell.begins_on)
            .collect()
    }

    #[test]
    fn a_case_ended_on_the_day_that_figures_have_it() {
        let given = |is_given: bool, day: Date| is_given.then_some(day);
        for state in [
            CaseState::Accepted,
            CaseState::Issued,
            CaseState::Refused,
            CaseState::Rejected,
            CaseState::Terminated,
            CaseState::Revoked,
            CaseState::Withdrawn,
        ] {
            for days in 0..16_u8 {
                let case = CaseFacts {
                    state,
                    applied_on: given(days & 1 > 0, date!(2024 - 01 - 30)),
                    accepted_on: given(days & 2 > 0, date!(2024 - 02 - 02)),
                    issued_on: given(days & 4 > 0, date!(2024 - 03 - 04)),
                    closed_on: given(days & 8 > 0, date!(2024 - 04 - 05)),
                    ..sample::case()
                };
                let ended = ended_on(&case);
                match case.concluded_on() {
                    Some(day) => assert!(ended.contains(&day), "{state:?} {days}: {day}"),
                    None => assert!(ended.is_empty(), "{state:?} {days}: {ended:?}"),
                }
            }
        }
    }
}
