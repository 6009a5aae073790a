//! How often somebody may ask: so many look-ups a minute for a person and for an office, at this hub. Whoever
//! tries number after number soon hears that it is enough, and the audit log shows the attempt.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, InsufficientCapacity, NotUntil, Quota};
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

    /// Takes so many look-ups out of both. What a person may not ask does not cost the office anything; what the office
    /// has no more of costs the person all the same, so that nobody uses up an office by asking on and on.
    pub fn spend(&self, asker: Asker, count: NonZeroU32) -> Result<(), Denial> {
        self.granted(self.persons.check_key_n(&asker.account_id, count))?;
        self.granted(self.offices.check_key_n(&asker.office_id, count))
    }

    fn granted(&self, answer: Result<Grant, InsufficientCapacity>) -> Result<(), Denial> {
        match answer {
            Ok(Ok(())) => Ok(()),
            Ok(Err(until)) => Err(Denial::BudgetSpent {
                retry_after: until
                    .wait_time_from(self.clock.now())
                    .max(Duration::from_secs(1)),
            }),
            Err(InsufficientCapacity(_)) => Err(Denial::Field {
                path: "parties".to_owned(),
                expected: "with the subjects no more than the look-ups of a minute",
            }),
        }
    }
}

/// Whether there is as much left now, and if not, from when on.
type Grant = Result<(), NotUntil<<DefaultClock as Clock>::Instant>>;

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
    use crate::identity::{Person, Role};
    use crate::lookup::question::MOST_OF_BATCH;

    fn asker(office: &str) -> Asker {
        let office_id = office.parse().expect("an office id");
        let notary = Person::new(Uuid::now_v7(), Role::Notary(office_id));
        Asker::new(&notary, office_id)
    }

    fn budgets(person: u32, office: u32) -> Budgets {
        let count = |count| NonZeroU32::new(count).expect("not 0");
        Budgets::new(&config::Lookup {
            person_per_minute: count(person),
            office_per_minute: count(office),
            ..config::Lookup::default()
        })
    }

    #[test]
    fn a_person_has_so_many_and_a_colleague_has_them_as_well() {
        let budgets = budgets(2, 100);
        let (one, other) = (asker("hzgl"), asker("hzgl"));
        assert_eq!(budgets.spend(one, NonZeroU32::MIN), Ok(()));
        assert_eq!(budgets.spend(one, NonZeroU32::MIN), Ok(()));
        assert!(matches!(
            budgets.spend(one, NonZeroU32::MIN),
            Err(Denial::BudgetSpent { .. })
        ));
        assert_eq!(budgets.spend(other, NonZeroU32::MIN), Ok(()));
    }

    #[test]
    fn a_batch_takes_as_many_as_it_asks_about_or_none() {
        let budgets = budgets(5, 100);
        let one = asker("hzgl");
        let count = |count| NonZeroU32::new(count).expect("not 0");
        assert_eq!(budgets.spend(one, count(3)), Ok(()));
        let spent = budgets.spend(one, count(3));
        assert!(matches!(spent, Err(Denial::BudgetSpent { .. })));
        assert_eq!(budgets.spend(one, count(2)), Ok(()));
        let never = budgets.spend(one, count(6));
        assert!(matches!(never, Err(Denial::Field { .. })));
    }

    #[test]
    fn a_full_batch_fits_into_a_minute_unless_configured_otherwise() {
        let budgets = Budgets::new(&config::Lookup::default());
        let most = u32::try_from(MOST_OF_BATCH).ok().and_then(NonZeroU32::new);
        let spent = budgets.spend(asker("hzgl"), most.expect("not 0"));
        assert_eq!(spent, Ok(()));
    }

    #[test]
    fn an_office_has_so_many_whoever_of_it_asks() {
        let budgets = budgets(100, 2);
        assert_eq!(budgets.spend(asker("hzgl"), NonZeroU32::MIN), Ok(()));
        assert_eq!(budgets.spend(asker("hzgl"), NonZeroU32::MIN), Ok(()));
        assert!(budgets.spend(asker("hzgl"), NonZeroU32::MIN).is_err());
        assert_eq!(budgets.spend(asker("hzqt"), NonZeroU32::MIN), Ok(()));
    }
}
