//! Waiting before connecting again: longer each time, never the same for all, never without end.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

#[derive(Debug)]
pub(crate) struct Backoff {
    from: Duration,
    to: Duration,
    next: Duration,
    dice: StdRng,
}

impl Backoff {
    pub(crate) fn new(from: Duration, to: Duration) -> Self {
        Self::seeded(from, to, rand::random())
    }

    /// The same waits for the same seed.
    pub(crate) fn seeded(from: Duration, to: Duration, seed: u64) -> Self {
        Self {
            from,
            to,
            next: from,
            dice: StdRng::seed_from_u64(seed),
        }
    }

    /// The next wait: between half of it and all of it, so that a city's agents do not come back in one moment.
    pub(crate) fn next(&mut self, at_least: Duration) -> Duration {
        let full = self.next.max(at_least);
        self.next = (self.next * 2).min(self.to);
        full.mul_f64(self.dice.random_range(0.5..1.0))
    }

    /// It worked: begin anew.
    pub(crate) fn reset(&mut self) {
        self.next = self.from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_limit_and_begin_anew() {
        let second = Duration::from_secs(1);
        let mut backoff = Backoff::new(second, 8 * second);
        for full in [1, 2, 4, 8, 8, 8] {
            let wait = backoff.next(Duration::ZERO);
            assert!(
                wait >= second * full / 2 && wait <= second * full,
                "{wait:?}"
            );
        }
        backoff.reset();
        assert!(backoff.next(Duration::ZERO) <= second);
        assert!(backoff.next(60 * second) >= 30 * second);
    }
}
