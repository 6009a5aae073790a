//! How often certificates may be asked for.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, NotUntil, Quota};
use linkage::office::OfficeId;

use crate::config;
use crate::gate;

/// Attempts of one network: as many at once, then one every other second. A city's offices may all come
/// through one address translator.
const ATTEMPTS_AT_ONCE: NonZeroU32 = NonZeroU32::new(60).expect("not zero");
const ATTEMPT_EVERY: Duration = Duration::from_secs(2);
/// Networks remembered before those that have paid off their attempts are forgotten.
const REMEMBERED: usize = 10_000;

/// Counts who asks.
#[derive(Debug)]
pub(super) struct Limits {
    attempts: DefaultKeyedRateLimiter<IpAddr>,
    /// Each of a renewal's certificates is a row for good, and one more that every hub reads once it is taken back.
    renewals: DefaultKeyedRateLimiter<OfficeId>,
}

impl Limits {
    /// `config.renewals` at once, then as many again in the life of a certificate.
    pub(super) fn new(config: &config::Identity) -> Self {
        let life = Duration::from(config.certificate_ttl);
        Self {
            attempts: limiter(ATTEMPT_EVERY, ATTEMPTS_AT_ONCE),
            renewals: limiter(life / config.renewals.get(), config.renewals),
        }
    }

    /// Counts a first certificate that is asked for from an address, or says when to come back.
    pub(super) fn attempt(&self, address: IpAddr) -> Result<(), Duration> {
        if self.attempts.len() > REMEMBERED {
            self.attempts.retain_recent();
        }
        self.attempts
            .check_key(&gate::network(address))
            .map_err(wait)
    }

    /// Counts a renewal that an office asks for, or says when to come back.
    pub(super) fn renewal(&self, office_id: OfficeId) -> Result<(), Duration> {
        self.renewals.check_key(&office_id).map_err(wait)
    }
}

fn limiter<K: Clone + Eq + std::hash::Hash>(
    every: Duration,
    at_once: NonZeroU32,
) -> DefaultKeyedRateLimiter<K> {
    // A life has at least a second; whoever configures billions of renewals in it has no limit.
    let every = every.max(Duration::from_nanos(1));
    let quota = Quota::with_period(every).expect("the period is not zero");
    DefaultKeyedRateLimiter::keyed(quota.allow_burst(at_once))
}

fn wait(not_yet: NotUntil<<DefaultClock as Clock>::Instant>) -> Duration {
    not_yet.wait_time_from(DefaultClock::default().now())
}
