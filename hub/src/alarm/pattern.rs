//! When look-ups are no longer a notary's work. Tokens are keyed, so that numbers tried in a row show no order; what
//! shows is how many different ones are asked for, how few of them are anybody's, and how many one case is made to
//! carry. Counted at each hub, in windows that begin with the first look-up.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use linkage::office::OfficeId;
use linkage::token::Token;
use uuid::Uuid;

use super::Kind;
use crate::config;

/// A look-up as far as its pattern goes.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    pub account_id: Uuid,
    pub office_id: OfficeId,
    pub case_reference: &'a str,
    /// What each party and each thing is told from others by.
    pub subjects: &'a [Token],
    /// Those of them that nothing was found for.
    pub missed: &'a [Token],
}

/// What was asked lately. It holds no more of anybody than the limits, for then it begins anew.
#[derive(Debug)]
pub struct Patterns {
    limits: config::LookupAlarm,
    persons: HashMap<Uuid, Window>,
    offices: HashMap<OfficeId, Window>,
}

#[derive(Debug)]
struct Window {
    begun: Instant,
    subjects: HashSet<Token>,
    /// Those that nobody was found for.
    missed: HashSet<Token>,
    by_reference: HashMap<String, HashSet<Token>>,
}

impl Patterns {
    pub fn new(limits: config::LookupAlarm) -> Self {
        Self {
            limits,
            persons: HashMap::new(),
            offices: HashMap::new(),
        }
    }

    /// Takes a look-up in and says what it completes.
    pub fn see(&mut self, seen: &Seen<'_>, now: Instant) -> Vec<Kind> {
        let limits = &self.limits;
        let length = limits.window.into();
        let mut raised = Vec::new();
        let person = fresh(self.persons.entry(seen.account_id), now, length);
        let of_reference = person.take(seen);
        let person_reached = [
            (
                Kind::ManySubjects,
                person.subjects.len(),
                limits.person_subjects,
            ),
            (Kind::ManyMisses, person.missed.len(), limits.person_misses),
            (Kind::OneReference, of_reference, limits.reference_subjects),
        ];
        raised.extend(reached(&person_reached));
        if !raised.is_empty() {
            self.persons.remove(&seen.account_id);
        }
        let office = fresh(self.offices.entry(seen.office_id), now, length);
        office.subjects.extend(seen.subjects);
        let subjects = office.subjects.len();
        let office_reached = [(Kind::OfficeSubjects, subjects, limits.office_subjects)];
        if reached(&office_reached).next().is_some() {
            self.offices.remove(&seen.office_id);
            raised.push(Kind::OfficeSubjects);
        }
        raised
    }
}

impl Window {
    /// Returns how many different ones the reference carries now.
    fn take(&mut self, seen: &Seen<'_>) -> usize {
        self.subjects.extend(seen.subjects);
        self.missed.extend(seen.missed);
        let of_reference = self
            .by_reference
            .entry(seen.case_reference.to_owned())
            .or_default();
        of_reference.extend(seen.subjects);
        of_reference.len()
    }
}

fn reached(counts: &[(Kind, usize, std::num::NonZeroU32)]) -> impl Iterator<Item = Kind> + '_ {
    let over = counts
        .iter()
        .filter(|(_, count, limit)| *count >= limit.get() as usize);
    over.map(|(kind, ..)| *kind)
}

fn fresh<K>(
    entry: std::collections::hash_map::Entry<'_, K, Window>,
    now: Instant,
    length: Duration,
) -> &mut Window {
    let new = || Window {
        begun: now,
        subjects: HashSet::new(),
        missed: HashSet::new(),
        by_reference: HashMap::new(),
    };
    let window = entry.or_insert_with(new);
    if now.saturating_duration_since(window.begun) >= length {
        *window = new();
    }
    window
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lookup::question::MOST_OF_BATCH;

    fn token(number: u32) -> Token {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        Token::from(bytes)
    }

    /// At which second, reference, numbers, hit.
    type LookUp = (u64, String, Vec<u32>, bool);

    /// What a day of one notary's look-ups raises.
    fn raised(look_ups: impl Iterator<Item = LookUp>) -> Vec<Kind> {
        let mut patterns = Patterns::new(config::LookupAlarm::default());
        let (begun, account_id) = (Instant::now(), Uuid::now_v7());
        look_ups
            .flat_map(|(second, reference, numbers, is_hit)| {
                let subjects: Vec<Token> = numbers.into_iter().map(token).collect();
                let seen = Seen {
                    account_id,
                    office_id: "hzgl".parse().expect("an office id"),
                    case_reference: &reference,
                    subjects: &subjects,
                    missed: if is_hit { &[] } else { &subjects },
                };
                patterns.see(&seen, begun + Duration::from_secs(second))
            })
            .collect()
    }

    /// Twelve intakes an hour for nine hours; each is a family of four with a house, is asked about twice, and is
    /// known to nobody two times in three.
    fn busy_day() -> impl Iterator<Item = LookUp> {
        (0..108).flat_map(|intake: u32| {
            let numbers: Vec<u32> = (0..5).map(|n| intake * 5 + n).collect();
            let at = u64::from(intake) * 300;
            let reference = format!("2024-接-{intake}");
            let known = intake.is_multiple_of(3);
            [at, at + 120].map(|second| (second, reference.clone(), numbers.clone(), known))
        })
    }

    /// As many as a batch may hold, all of one matter, known to nobody.
    fn full_batch(second: u64) -> impl Iterator<Item = LookUp> {
        let parties = u32::try_from(MOST_OF_BATCH).expect("a small number");
        (0..parties).map(move |n| (second, "2024-接-B".to_owned(), vec![10_000 + n], false))
    }

    #[test]
    fn a_busy_notarys_day_raises_nothing() {
        assert_eq!(raised(busy_day()), []);
    }

    /// The buyers of a whole building, looked up once more when the list was mended.
    #[test]
    fn a_full_batch_in_a_busy_day_raises_nothing() {
        let mut day: Vec<LookUp> = busy_day().collect();
        day.extend(full_batch(7_250));
        day.extend(full_batch(8_150));
        day.sort_by_key(|(second, ..)| *second);
        assert_eq!(raised(day.into_iter()), []);
    }

    /// One estate with all that belongs to it.
    #[test]
    fn a_large_estate_raises_nothing() {
        let estate = (0..4).map(|at| (at, "2024-接-1".to_owned(), (0..40).collect(), false));
        assert_eq!(raised(estate), []);
    }

    #[test]
    fn asking_for_number_after_number_is_noticed_whatever_is_found() {
        let tried = (0..400).map(|n: u32| (u64::from(n), format!("{n}"), vec![n], true));
        assert_eq!(raised(tried), [Kind::ManySubjects]);
    }

    #[test]
    fn asking_for_many_that_nobody_knows_is_noticed() {
        let tried = (0..250).map(|n: u32| (u64::from(n), format!("{n}"), vec![n], false));
        assert_eq!(raised(tried), [Kind::ManyMisses]);
    }

    #[test]
    fn one_case_that_is_made_to_carry_everybody_is_noticed() {
        let tried = (0..200).map(|n: u32| (u64::from(n), "1".to_owned(), vec![n], true));
        assert_eq!(raised(tried), [Kind::OneReference]);
    }

    #[test]
    fn what_is_asked_again_and_again_counts_once() {
        let again = (0..3000).map(|n: u32| (u64::from(n), "1".to_owned(), vec![n % 10], false));
        assert_eq!(raised(again), []);
    }

    #[test]
    fn what_many_notaries_of_an_office_ask_together_is_noticed() {
        let mut patterns = Patterns::new(config::LookupAlarm::default());
        let now = Instant::now();
        let raised: Vec<Kind> = (0..2500)
            .flat_map(|n| {
                let seen = Seen {
                    account_id: Uuid::now_v7(),
                    office_id: "hzgl".parse().expect("an office id"),
                    case_reference: "1",
                    subjects: &[token(n)],
                    missed: &[],
                };
                patterns.see(&seen, now)
            })
            .collect();
        assert_eq!(raised, [Kind::OfficeSubjects]);
    }
}
