//! Which cells of the rollup a case counts in. Pure, and the only place that knows: the writer adds
//! new minus old, the recomputation adds everything, and both must come to the same.

use std::collections::BTreeMap;

use linkage::matter::MatterType;
use linkage::office::OfficeId;
use linkage::vocabulary::{CaseState, ForeignRelation};
use time::Date;

use super::calendar::Calendar;
use super::counts::counts;

/// Grows with every change of what a case counts for: cells counted before are counted again.
const RULES: u32 = 1;

/// Working days within which a certificate is due (公证法 art. 30).
pub const LIMIT_WORKING_DAYS: u32 = 15;

/// One cell of `rollup`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    pub office_id: OfficeId,
    pub cut: Cut,
    /// The day, or the first day of the month.
    pub begins_on: Date,
}

/// What else tells cells apart. Each case counts once in each cut, so that no two cuts are ever added up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cut {
    /// Of a month.
    Matter {
        matter_type: MatterType,
        foreign_relation: ForeignRelation,
    },
    /// Of a day.
    Day,
    /// Of a month; `None` where the case names no notary.
    Notary(Option<String>),
}

counts! {
    /// What a cell counts; fees in fen.
    Counts {
        applied,
        accepted,
        refused,
        issued,
        rejected,
        terminated,
        corrected,
        revoked,
        fee_charged_fen,
        fee_reduced_fen,
        /// Cases.
        fee_reduced,
        legal_aid,
        home_visit,
        /// Certificates by working days after the day of acceptance, excused ones left out: see [`Counts::HANDLED`].
        handled_0,
        handled_1,
        handled_2,
        handled_3,
        handled_4,
        handled_5,
        handled_6,
        handled_7,
        handled_8,
        handled_10,
        handled_12,
        handled_15,
        handled_20,
        handled_30,
        handled_60,
        handled_longer,
    }
}

impl Counts {
    /// The most working days that each of the `handled` counts but the last has.
    pub const HANDLED: [u32; 15] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 30, 60];

    /// The `handled` counts, in the order of [`Self::HANDLED`], the open one last.
    pub fn handled(&self) -> [i64; Self::HANDLED.len() + 1] {
        let values = self.values();
        let (_, handled) = values
            .split_last_chunk()
            .expect("there are more counts than those of days");
        *handled
    }

    /// Cases that have ended.
    pub fn concluded(&self) -> i64 {
        self.issued + self.refused + self.rejected + self.terminated
    }

    /// Certificates within the limit.
    pub fn within_limit(&self) -> i64 {
        let within = Self::HANDLED.iter().zip(self.handled());
        within
            .take_while(|(most, _)| **most <= LIMIT_WORKING_DAYS)
            .map(|(_, count)| count)
            .sum()
    }

    fn count_handled(&mut self, days: u32) {
        let mut values = self.values();
        let first = values.len() - self.handled().len();
        values[first + Self::HANDLED.partition_point(|most| *most < days)] += 1;
        *self = Self::from_values(values);
    }
}

/// The facts of a case that figures depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    pub state: CaseState,
    pub matter_type: MatterType,
    pub foreign_relation: ForeignRelation,
    pub notary_licence_no: Option<String>,
    pub applied_on: Option<Date>,
    pub accepted_on: Option<Date>,
    pub issued_on: Option<Date>,
    pub closed_on: Option<Date>,
    pub fee_charged_fen: i64,
    pub fee_reduced_fen: i64,
    pub legal_aid: bool,
    pub home_visit: bool,
    /// Working days between acceptance and issuance that do not count.
    pub excused_working_days: i16,
}

/// The days of a case, each of which stands in for another that is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Days {
    pub applied_on: Option<Date>,
    pub accepted_on: Option<Date>,
    pub issued_on: Option<Date>,
    pub closed_on: Option<Date>,
}

impl Days {
    fn application(self) -> Option<Date> {
        self.applied_on.or(self.accepted_on)
    }

    /// Fees are charged on acceptance; a case without that day still counts them where it can.
    fn charge(self) -> Option<Date> {
        self.accepted_on.or(self.application()).or(self.issued_on)
    }

    fn end(self) -> Option<Date> {
        self.closed_on.or(self.issued_on).or(self.application())
    }

    /// On which a case in this state came to its end: a certificate, or none.
    pub fn conclusion(self, state: CaseState) -> Option<Date> {
        match state {
            CaseState::Withdrawn => None,
            CaseState::Refused | CaseState::Rejected | CaseState::Terminated => self.end(),
            _ => self.issued_on,
        }
    }
}

impl Figures {
    const fn days(&self) -> Days {
        Days {
            applied_on: self.applied_on,
            accepted_on: self.accepted_on,
            issued_on: self.issued_on,
            closed_on: self.closed_on,
        }
    }
}

/// Changes to cells, in the order of their keys: two writers can never lock them crosswise.
pub type Deltas = BTreeMap<Cell, Counts>;

/// By which rules and which calendar cases are counted, as `rollup_basis` holds it.
pub fn basis(calendar: &Calendar) -> String {
    format!("{RULES}-{}", calendar.fingerprint())
}

/// Adds what a case counts for.
pub fn add(deltas: &mut Deltas, office_id: OfficeId, figures: &Figures, calendar: &Calendar) {
    each(office_id, figures, calendar, |cell, counts| {
        *deltas.entry(cell).or_default() += counts;
    });
}

/// Takes away what a case counted for.
pub fn subtract(deltas: &mut Deltas, office_id: OfficeId, figures: &Figures, calendar: &Calendar) {
    each(office_id, figures, calendar, |cell, counts| {
        *deltas.entry(cell).or_default() -= counts;
    });
}

/// Every cell a case counts in, and for what. What happens on one day is one entry.
fn each(
    office_id: OfficeId,
    figures: &Figures,
    calendar: &Calendar,
    mut count: impl FnMut(Cell, Counts),
) {
    for (day, counts) in events(figures, calendar) {
        let month = day.replace_day(1).expect("every month has a first day");
        let cuts = [
            (
                Cut::Matter {
                    matter_type: figures.matter_type,
                    foreign_relation: figures.foreign_relation,
                },
                month,
            ),
            (Cut::Day, day),
            (Cut::Notary(figures.notary_licence_no.clone()), month),
        ];
        for (cut, begins_on) in cuts {
            let cell = Cell {
                office_id,
                cut,
                begins_on,
            };
            count(cell, counts);
        }
    }
}

/// Each event counts on the day it happened; a withdrawn record counts nowhere.
fn events(figures: &Figures, calendar: &Calendar) -> BTreeMap<Date, Counts> {
    let mut events: BTreeMap<Date, Counts> = BTreeMap::new();
    if figures.state == CaseState::Withdrawn {
        return events;
    }
    let mut at = |day: Option<Date>, counts: Counts| {
        if let Some(day) = day {
            *events.entry(day).or_default() += counts;
        }
    };
    let days = figures.days();
    let one = |field: fn(&mut Counts) -> &mut i64| {
        let mut counts = Counts::default();
        *field(&mut counts) = 1;
        counts
    };
    at(days.application(), one(|counts| &mut counts.applied));
    at(days.accepted_on, one(|counts| &mut counts.accepted));
    at(
        days.charge(),
        Counts {
            fee_charged_fen: figures.fee_charged_fen,
            fee_reduced_fen: figures.fee_reduced_fen,
            fee_reduced: i64::from(figures.fee_reduced_fen > 0),
            legal_aid: i64::from(figures.legal_aid),
            home_visit: i64::from(figures.home_visit),
            ..Counts::default()
        },
    );
    let mut issued = one(|counts| &mut counts.issued);
    if let Some(days) = handling_days(figures, calendar) {
        issued.count_handled(days);
    }
    at(days.issued_on, issued);
    at(days.end(), ending(figures.state));
    events.retain(|_, counts| *counts != Counts::default());
    events
}

fn ending(state: CaseState) -> Counts {
    let mut counts = Counts::default();
    match state {
        CaseState::Refused => counts.refused = 1,
        CaseState::Rejected => counts.rejected = 1,
        CaseState::Terminated => counts.terminated = 1,
        CaseState::Corrected => counts.corrected = 1,
        CaseState::Revoked => counts.revoked = 1,
        _ => {}
    }
    counts
}

/// Working days that a certificate took; `None` while it is not issued, or where the day of acceptance is not known.
fn handling_days(figures: &Figures, calendar: &Calendar) -> Option<u32> {
    let excused = u32::try_from(figures.excused_working_days).unwrap_or(0);
    let days = calendar.working_days_after(figures.accepted_on?, figures.issued_on?);
    Some(days.saturating_sub(excused))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_up_to_the_most_that_their_column_names() {
        for (days, at) in [
            (0, 0),
            (8, 8),
            (9, 9),
            (10, 9),
            (15, 11),
            (16, 12),
            (60, 14),
            (61, 15),
        ] {
            let mut counts = Counts::default();
            counts.count_handled(days);
            let mut expected = [0; 16];
            expected[at] = 1;
            assert_eq!(counts.handled(), expected, "{days}");
            assert_eq!(counts.within_limit(), i64::from(days <= LIMIT_WORKING_DAYS));
        }
    }

    #[test]
    fn the_columns_of_days_are_named_after_their_most() {
        let (_, names) = Counts::COLUMNS.split_at(Counts::COLUMNS.len() - 16);
        for (name, most) in names.iter().zip(Counts::HANDLED) {
            assert_eq!(*name, format!("handled_{most}"));
        }
    }
}
