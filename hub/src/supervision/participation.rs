//! When an office takes part. Of another time nobody asks it for anything: it could not have handed it in.

use time::Date;

/// Since when an office takes part, and when it did not in between.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Participation {
    /// None: always.
    pub since: Option<Date>,
    pub absences: Vec<Absence>,
}

/// A revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Absence {
    pub from: Date,
    /// The day on which the office was let in again; none while it is revoked.
    pub until: Option<Date>,
}

impl Participation {
    /// Whether it took part on the day that something wanted is about, and on the last day on which that was in time.
    pub fn covers(&self, about: Date, due_on: Date) -> bool {
        [about, due_on].into_iter().all(|day| self.is_on(day))
    }

    /// Whether it is revoked.
    pub fn is_over(&self) -> bool {
        self.absences.iter().any(|absence| absence.until.is_none())
    }

    fn is_on(&self, day: Date) -> bool {
        let has_begun = self.since.is_none_or(|since| since <= day);
        let mut absences = self.absences.iter();
        has_begun && !absences.any(|absence| absence.has(day))
    }
}

impl Absence {
    fn has(&self, day: Date) -> bool {
        self.from <= day && self.until.is_none_or(|until| day < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    #[test]
    fn nothing_is_wanted_whose_day_or_whose_last_day_lies_in_another_time() {
        let part = Participation {
            since: Some(date!(2024 - 01 - 01)),
            absences: vec![Absence {
                from: date!(2024 - 03 - 10),
                until: Some(date!(2024 - 06 - 01)),
            }],
        };
        for (about, due_on, wanted) in [
            (date!(2023 - 12 - 31), date!(2024 - 01 - 08), false),
            (date!(2024 - 02 - 29), date!(2024 - 03 - 09), true),
            (date!(2024 - 02 - 29), date!(2024 - 03 - 10), false),
            (date!(2024 - 05 - 31), date!(2024 - 06 - 07), false),
            (date!(2024 - 06 - 01), date!(2024 - 06 - 07), true),
        ] {
            assert_eq!(part.covers(about, due_on), wanted, "{about} {due_on}");
        }
    }
}
