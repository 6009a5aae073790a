//! What the city's cases come to, office by office and month by month: counted in the words of `docs/statistics.md`, never
//! by what it is to test.
use std::collections::BTreeMap;

use linkage::vocabulary::CaseState;
use time::Date;

use crate::case::Case;
use crate::city::City;
use crate::lifecycle::LIMIT;

/// By office, first day of the month and code of the measure; what is nothing is left out.
pub type Figures = BTreeMap<(String, Date, &'static str), i64>;

impl City {
    /// The figures of all cases that a hub holds at this step. Walks through all cases once.
    pub fn figures(&self) -> Figures {
        let mut figures = Figures::new();
        for (index, office) in self.offices().iter().enumerate() {
            let cases = self.cases(index).filter(|case| case.flaw.is_none());
            for (day, measure, amount) in cases.flat_map(|case| self.counted(&case)) {
                let month = day.replace_day(1).expect("every month has a first day");
                let key = (office.id.as_str().to_owned(), month, measure);
                *figures.entry(key).or_default() += amount;
            }
        }
        figures.retain(|_, amount| *amount != 0);
        figures
    }

    /// What a case counts for, each on its day.
    fn counted(&self, case: &Case) -> Vec<(Date, &'static str, i64)> {
        if case.state == CaseState::Withdrawn {
            return Vec::new();
        }
        let charged_on = case.accepted_on.unwrap_or(case.applied_on);
        let is = |holds: bool| i64::from(holds);
        let mut counted = vec![
            (case.applied_on, "applied", 1),
            (charged_on, "fee_charged_fen", case.fee_charged_fen),
            (charged_on, "fee_reduced_fen", case.fee_reduced_fen),
            (charged_on, "fee_reduced", is(case.fee_reduced_fen > 0)),
            (charged_on, "legal_aid", is(case.legal_aid)),
            (charged_on, "home_visit", is(case.home_visit)),
        ];
        counted.extend(case.accepted_on.map(|on| (on, "accepted", 1)));
        counted.extend(case.issued_on.map(|on| (on, "issued", 1)));
        counted.extend(self.in_time(case).map(|on| (on, "within_limit", 1)));
        let ending = match case.state {
            CaseState::Refused => Some("refused"),
            CaseState::Rejected => Some("rejected"),
            CaseState::Terminated => Some("terminated"),
            CaseState::Corrected => Some("corrected"),
            CaseState::Revoked => Some("revoked"),
            _ => None,
        };
        counted.extend(case.closed_on.zip(ending).map(|(on, what)| (on, what, 1)));
        counted
    }

    /// The day of a certificate that took no longer than the law allows, excused days not counted.
    fn in_time(&self, case: &Case) -> Option<Date> {
        let (accepted_on, issued_on) = (case.accepted_on?, case.issued_on?);
        let working_days = |first, last| self.calendar().working_days(first, last);
        let taken = working_days(accepted_on.next_day()?, issued_on);
        let excused = case.excused;
        let excused = excused.map_or(0, |days| working_days(days.first_on, days.last_on));
        (taken.saturating_sub(excused) <= LIMIT).then_some(issued_on)
    }
}
