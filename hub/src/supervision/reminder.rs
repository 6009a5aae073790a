//! Reminders of what an office has to hand in: some working days before it is due, and once more when the time of a
//! periodic filing has passed without it. Pure; each is sent once, by its kind and what it is about.

use linkage::office::OfficeId;
use time::Date;

use super::evaluate::Judge;
use super::participation::Participation;
use crate::filing::FilingKind;
use crate::filing::missing::Missing;
use crate::statistics::calendar::Calendar;

/// A reminder to an office.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reminder {
    pub office_id: OfficeId,
    pub kind: FilingKind,
    /// A case's key with the day on which it is due, a filing's id, or the last day of a period; with the kind it tells one
    /// reminder from another.
    pub about: String,
    /// The office's own case; may be empty.
    pub source_case_id: String,
    pub text_zh: String,
}

/// What an office handed in for periods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Periods {
    pub office_id: OfficeId,
    /// Periods of another time are not asked for.
    pub participation: Participation,
    /// Kind, and last day of the period or day of the event.
    pub filed: Vec<(FilingKind, Date)>,
}

impl Reminder {
    /// Of a filing about a case.
    pub fn of_case(
        office_id: OfficeId,
        case: &str,
        kind: FilingKind,
        due_on: Date,
        calendar: &Calendar,
    ) -> Self {
        Self {
            office_id,
            kind,
            // What happens to the case later wants a filing of its own.
            about: format!("{case} {due_on}"),
            source_case_id: case.to_owned(),
            text_zh: format!(
                "{}应于 {} 前报送。",
                kind.label_zh(),
                told(due_on, calendar)
            ),
        }
    }

    /// Of a periodic filing that did not come in time.
    fn of_missing(office_id: OfficeId, missing: &Missing, calendar: &Calendar) -> Self {
        let Missing {
            kind,
            period,
            due_on,
        } = missing;
        let (first, last, label) = (period.first_day, period.last_day, kind.label_zh());
        let told = told(*due_on, calendar);
        Self {
            office_id,
            kind: *kind,
            about: format!("{last} late"),
            source_case_id: String::new(),
            text_zh: format!("{label}（{first} 至 {last}）应于 {told} 前报送，已逾期，请补报。"),
        }
    }

    /// Of the outcome of a complaint or a review.
    pub fn of_outcome(
        office_id: OfficeId,
        filing_id: &str,
        due_on: Date,
        calendar: &Calendar,
    ) -> Self {
        let kind = FilingKind::Outcome;
        Self {
            office_id,
            kind,
            about: filing_id.to_owned(),
            source_case_id: String::new(),
            text_zh: format!(
                "{}应于 {} 前报送（报送编号 {filing_id}）。",
                kind.label_zh(),
                told(due_on, calendar)
            ),
        }
    }
}

/// The last day of a limit; whether it was counted without the State Council's arrangement is said.
fn told(due_on: Date, calendar: &Calendar) -> String {
    match calendar.covers(due_on) {
        true => due_on.to_string(),
        false => format!("{due_on}（该年放假安排尚未录入，按周一至周五计）"),
    }
}

impl Judge<'_> {
    /// Of filings that are wanted once in each period: of the newest that is over while it is in time, and of each that is
    /// missing.
    pub fn periodic(&self, periods: &Periods, missing: &[Missing]) -> Vec<Reminder> {
        let wanted = self.rules.deadlines.periodic();
        let near = wanted.filter_map(|(kind, every, working_days)| {
            let last = every.last_end(self.today);
            let first = every.first_of(last);
            let came = periods
                .filed
                .iter()
                .any(|(filed, on)| *filed == kind && (first..=last).contains(on));
            let due_on = self.calendar.limit_after(last, working_days);
            let asked = periods.participation.covers(last, due_on);
            if came || !asked || self.today > due_on || !self.is_near(due_on) {
                return None;
            }
            let label = kind.label_zh();
            let told = told(due_on, self.calendar);
            Some(Reminder {
                office_id: periods.office_id,
                kind,
                about: last.to_string(),
                source_case_id: String::new(),
                text_zh: format!("{label}（{first} 至 {last}）应于 {told} 前报送。"),
            })
        });
        let late = missing
            .iter()
            .map(|missing| Reminder::of_missing(periods.office_id, missing, self.calendar));
        near.chain(late).collect()
    }

    /// What the office did not hand in for periods while it took part, as far back as `since`.
    pub fn missing(&self, periods: &Periods, since: Date) -> Vec<Missing> {
        let deadlines = &self.rules.deadlines;
        let mut missing = deadlines.missing(self.calendar, self.today, since, &periods.filed);
        let participation = &periods.participation;
        missing.retain(|one| participation.covers(one.period.last_day, one.due_on));
        missing
    }

    /// Whether no more than the working days of a reminder are left until the day.
    pub(super) fn is_near(&self, due_on: Date) -> bool {
        self.calendar.working_days_after(self.today, due_on) <= self.rules.deadlines.remind
    }

    /// The first day on which it is.
    pub(super) fn near(&self, due_on: Date) -> Date {
        let mut day = due_on;
        while let Some(before) = day.previous_day()
            && self.calendar.working_days_after(before, due_on) <= self.rules.deadlines.remind
        {
            day = before;
        }
        day
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::calendar::Calendar;
    use crate::supervision::rule::Rules;
    use time::macros::date;

    fn reminded(today: Date, filed: &[(FilingKind, Date)]) -> Vec<(FilingKind, String)> {
        let (rules, calendar) = (Rules::builtin(), Calendar::builtin());
        let judge = Judge {
            rules: &rules,
            calendar: &calendar,
            today,
        };
        let periods = Periods {
            office_id: "hzgl".parse().expect("an id"),
            participation: Participation {
                since: Some(date!(2024 - 04 - 15)),
                ..Participation::default()
            },
            filed: filed.to_vec(),
        };
        let missing = judge.missing(&periods, date!(2023 - 01 - 01));
        let reminders = judge.periodic(&periods, &missing).into_iter();
        reminders.map(|one| (one.kind, one.about)).collect()
    }

    /// The second quarter of 2024 ends on a Sunday; ten working days behind it is Friday, 12 July.
    #[test]
    fn three_working_days_before_a_periodic_filing_is_due_it_is_asked_for_and_once_more_when_late()
    {
        use FilingKind::{QualityFollowUp, Satisfaction, ServiceCounts, SpecialPaper};
        let days = [
            date!(2024 - 04 - 30),
            date!(2024 - 05 - 31),
            date!(2024 - 06 - 30),
        ];
        let monthly = days
            .map(|day| [(ServiceCounts, day), (SpecialPaper, day)])
            .concat();
        assert_eq!(reminded(date!(2024 - 07 - 08), &monthly), []);
        let quarterly = [Satisfaction, QualityFollowUp].map(|kind| (kind, "2024-06-30".to_owned()));
        let mut near = reminded(date!(2024 - 07 - 09), &monthly);
        near.sort_by_key(|(kind, _)| kind.code());
        assert_eq!(near, [quarterly[1].clone(), quarterly[0].clone()]);
        let filed = [&monthly[..], &[(Satisfaction, date!(2024 - 06 - 30))]].concat();
        let late = reminded(date!(2024 - 07 - 15), &filed);
        assert_eq!(late, [(QualityFollowUp, "2024-06-30 late".to_owned())]);
    }

    #[test]
    fn what_was_filed_of_a_later_period_answers_for_no_earlier_one() {
        let filed = [(FilingKind::Satisfaction, date!(2062 - 06 - 30))];
        let asked = reminded(date!(2024 - 07 - 09), &filed);
        assert!(asked.contains(&(FilingKind::Satisfaction, "2024-06-30".to_owned())));
    }

    #[test]
    fn nobody_is_asked_about_a_time_before_taking_part() {
        assert_eq!(reminded(date!(2024 - 04 - 16), &[]), []);
    }
}
