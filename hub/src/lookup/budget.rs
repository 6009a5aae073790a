//! How often somebody may ask: so many look-ups a minute for a person and for an office, at this hub. Whoever
//! tries number after number soon hears that it is enough, and the audit log shows the attempt.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};
use linkage::office::OfficeId;
use uuid::Uuid;

use super::question::{Asker, Denial};
use crate::config;

/// What is left of everybody's budget. Keys are accounts and offices, of which there are few.
pub struct Budgets {
    persons: DefaultKeyedRateLimiter<Uuid>,
    offices: DefaultKeyedRateLimiter<OfficeId>,
    clock: DefaultClock,
}

impl Budgets {
    pub fn new(config: &config::Lookup) -> Self {
        Self {
            persons: DefaultKeyedRateLimiter::keyed(per_minute(config.person_per_minute)),
            offices: DefaultKeyedRateLimiter::keyed(per_minute(config.office_per_minute)),
            clock: DefaultClock::default(),
        }
    }

    /// Takes one look-up out of both. What a person may not ask does not cost the office anything.
    pub fn spend(&self, asker: Asker) -> Result<(), Denial> {
        let person = self.persons.check_key(&asker.account_id);
        let both = person.and_then(|()| self.offices.check_key(&asker.office_id));
        both.map_err(|until| {
            let wait = until.wait_time_from(self.clock.now());
            Denial::BudgetSpent {
                retry_after: wait.max(Duration::from_secs(1)),
            }
        })
    }
}

fn per_minute(count: NonZeroU32) -> Quota {
    Quota::per_minute(count)
}

impl std::fmt::Debug for Budgets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Budgets").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asker(office: &str) -> Asker {
        Asker::new(Uuid::now_v7(), office.parse().expect("an office id"))
    }

    fn budgets(person: u32, office: u32) -> Budgets {
        let count = |count| NonZeroU32::new(count).expect("not 0");
        Budgets::new(&config::Lookup {
            person_per_minute: count(person),
            office_per_minute: count(office),
        })
    }

    #[test]
    fn a_person_has_so_many_and_a_colleague_has_them_as_well() {
        let budgets = budgets(2, 100);
        let (one, other) = (asker("hzgl"), asker("hzgl"));
        assert_eq!(budgets.spend(one), Ok(()));
        assert_eq!(budgets.spend(one), Ok(()));
        assert!(matches!(
            budgets.spend(one),
            Err(Denial::BudgetSpent { .. })
        ));
        assert_eq!(budgets.spend(other), Ok(()));
    }

    #[test]
    fn an_office_has_so_many_whoever_of_it_asks() {
        let budgets = budgets(100, 2);
        assert_eq!(budgets.spend(asker("hzgl")), Ok(()));
        assert_eq!(budgets.spend(asker("hzgl")), Ok(()));
        assert!(budgets.spend(asker("hzgl")).is_err());
        assert_eq!(budgets.spend(asker("hzqt")), Ok(()));
    }
}
