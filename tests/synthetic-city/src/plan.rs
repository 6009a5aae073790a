//! What a city is to be: the few numbers that everything follows from.
use time::macros::date;
use time::{Date, Duration};

use crate::office::MOST_OFFICES;

/// The same plan always makes the same city, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CityPlan {
    pub seed: u64,
    /// 1 to 49; the first fifteen are the city's own, more are for benchmarks.
    pub offices: u32,
    /// Cases of all offices together, at most 3,000,000.
    pub cases: u32,
    /// First day of application.
    pub from: Date,
    /// Last day of application, and the day the city is seen on.
    pub to: Date,
}

/// A plan that no city can be made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    #[error("a city has 1 to {MOST_OFFICES} offices, not {0}: choose another number")]
    Offices(u32),
    #[error("a city holds at most {MOST_CASES} cases, not {0}: document numbers would run out")]
    Cases(u32),
    #[error("the time from {from} to {to} has fewer than {LEAST_DAYS} days: choose a longer one")]
    TooShort { from: Date, to: Date },
}

const MOST_CASES: u32 = 3_000_000;
const LEAST_DAYS: i64 = 7;

impl Default for CityPlan {
    /// Fifteen offices, 10,000 cases, 2022 to 2024.
    fn default() -> Self {
        Self {
            seed: 1,
            offices: 15,
            cases: 10_000,
            from: date!(2022 - 01 - 01),
            to: date!(2024 - 12 - 31),
        }
    }
}

impl CityPlan {
    /// The default time and offices, with this many cases.
    pub fn of_size(seed: u64, cases: u32) -> Self {
        Self {
            seed,
            cases,
            ..Self::default()
        }
    }

    pub(crate) fn check(&self) -> Result<(), PlanError> {
        if self.offices == 0 || self.offices > MOST_OFFICES {
            return Err(PlanError::Offices(self.offices));
        }
        if self.cases > MOST_CASES {
            return Err(PlanError::Cases(self.cases));
        }
        if self.to - self.from < Duration::days(LEAST_DAYS) {
            return Err(PlanError::TooShort {
                from: self.from,
                to: self.to,
            });
        }
        Ok(())
    }
}
