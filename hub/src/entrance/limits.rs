//! How often one address may try to sign in.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};
use tokio::time::Instant;

use crate::gate;
use crate::identity::account::{Caller, FAILURES_TO_LOCK, LOCKED_FOR};

/// Attempts of one address a minute, at whatever login: an office behind one address in the morning.
const PER_MINUTE: NonZeroU32 = NonZeroU32::new(60).expect("not 0");
/// Attempts in a row of one address at one login.
const IN_A_ROW: u32 = FAILURES_TO_LOCK.unsigned_abs() - 1;
/// When a row is over. Longer than the account's own row by what an attempt may take, so that the account has
/// forgotten first.
const ROW_ENDS: Duration = LOCKED_FOR.saturating_add(Duration::from_secs(60));
/// Rows kept at once: 60 a minute of a hundred addresses.
const MOST_ROWS: usize = 100_000;
/// How long an account is known to sign in from an address.
const KNOWN_FOR: Duration = Duration::from_secs(30 * 24 * 3600);
/// Addresses with their accounts that are remembered at once.
const MOST_KNOWN: usize = 100_000;
/// Longest login of an account.
pub(super) const LONGEST_LOGIN: usize = 64;

/// One caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Address(IpAddr);

impl From<IpAddr> for Address {
    fn from(address: IpAddr) -> Self {
        Self(gate::network(address))
    }
}

/// Attempts that have not succeeded yet.
#[derive(Clone, Copy, Debug)]
struct Row {
    attempts: u32,
    last: Instant,
}

/// What is left of everybody's tries.
pub(super) struct Limits {
    per_minute: DefaultKeyedRateLimiter<Address>,
    rows: Mutex<HashMap<(Address, String), Row>>,
    /// When each last signed in.
    known: Mutex<HashMap<(Address, String), Instant>>,
    clock: DefaultClock,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            per_minute: DefaultKeyedRateLimiter::keyed(Quota::per_minute(PER_MINUTE)),
            rows: Mutex::default(),
            known: Mutex::default(),
            clock: DefaultClock::default(),
        }
    }
}

impl Limits {
    /// Counts an attempt, or says when to come back.
    pub(super) fn attempt(&self, from: Address, login: &str, now: Instant) -> Result<(), Duration> {
        self.attempt_at_any(from)?;
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        if rows.len() >= MOST_ROWS {
            rows.retain(|_, row| !row.is_over(now));
            self.per_minute.retain_recent();
        }
        // Of more callers than that none is kept out here: each account still guards itself.
        if rows.len() >= MOST_ROWS {
            return Ok(());
        }
        let row = rows.entry(key(from, login)).or_insert(Row {
            attempts: 0,
            last: now,
        });
        if row.is_over(now) {
            row.attempts = 0;
        }
        if row.attempts >= IN_A_ROW {
            return Err(ROW_ENDS.saturating_sub(now.duration_since(row.last)));
        }
        row.attempts += 1;
        row.last = now;
        Ok(())
    }

    /// Counts an attempt at no login in particular, or says when to come back.
    pub(super) fn attempt_at_any(&self, from: Address) -> Result<(), Duration> {
        self.per_minute.check_key(&from).map_err(|until| {
            let wait = until.wait_time_from(self.clock.now());
            wait.max(Duration::from_secs(1))
        })
    }

    /// Takes an attempt back that guessed nothing.
    pub(super) fn take_back(&self, from: Address, login: &str) {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(row) = rows.get_mut(&key(from, login)) {
            row.attempts = row.attempts.saturating_sub(1);
        }
    }

    /// Ends a row well, and remembers who came from where.
    pub(super) fn succeeded(&self, from: Address, login: &str) {
        let now = Instant::now();
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        rows.remove(&key(from, login));
        drop(rows);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_KNOWN {
            known.retain(|_, last| now.duration_since(*last) < KNOWN_FOR);
        }
        if known.len() < MOST_KNOWN {
            known.insert(key(from, login), now);
        }
    }

    /// Whether this login's owner came from there of late.
    pub(super) fn caller(&self, from: Address, login: &str, now: Instant) -> Caller {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match known.get(&key(from, login)) {
            Some(last) if now.duration_since(*last) < KNOWN_FOR => Caller::Known,
            _ => Caller::Unknown,
        }
    }
}

impl Row {
    fn is_over(&self, now: Instant) -> bool {
        now.duration_since(self.last) >= ROW_ENDS
    }
}

/// A login that is longer than any is nobody's, whatever it is.
fn key(from: Address, login: &str) -> (Address, String) {
    let login = if login.len() > LONGEST_LOGIN {
        ""
    } else {
        login
    };
    (from, login.to_owned())
}

impl std::fmt::Debug for Limits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limits").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        text.parse::<IpAddr>().expect("an address").into()
    }

    #[test]
    fn one_address_has_fewer_tries_at_a_login_than_lock_it_and_others_have_theirs() {
        let (limits, now) = (Limits::default(), Instant::now());
        let (here, there) = (address("192.0.2.1"), address("192.0.2.2"));
        for _ in 1..FAILURES_TO_LOCK {
            assert_eq!(limits.attempt(here, "li", now), Ok(()));
        }
        assert_eq!(limits.attempt(here, "li", now), Err(ROW_ENDS));
        assert_eq!(limits.attempt(here, "zhao", now), Ok(()));
        assert_eq!(limits.attempt(there, "li", now), Ok(()));
    }

    #[test]
    fn a_row_ends_with_time_since_its_last_attempt_alone() {
        let (limits, begun) = (Limits::default(), Instant::now());
        let here = address("192.0.2.1");
        for minutes in [0, 10, 20, 30] {
            let at = begun + Duration::from_secs(60 * minutes);
            assert_eq!(limits.attempt(here, "li", at), Ok(()));
        }
        let last = begun + Duration::from_secs(60 * 30);
        let soon = last + LOCKED_FOR;
        assert!(limits.attempt(here, "li", soon).is_err());
        assert_eq!(limits.attempt(here, "li", last + ROW_ENDS), Ok(()));
    }

    #[test]
    fn who_signs_in_begins_anew() {
        let (limits, now) = (Limits::default(), Instant::now());
        let here = address("192.0.2.1");
        for _ in 0..10 {
            assert_eq!(limits.attempt(here, "li", now), Ok(()));
            limits.succeeded(here, "li");
        }
    }

    #[test]
    fn an_attempt_that_is_taken_back_counts_for_nothing() {
        let (limits, now) = (Limits::default(), Instant::now());
        let here = address("192.0.2.1");
        for _ in 0..10 {
            assert_eq!(limits.attempt(here, "li", now), Ok(()));
            limits.take_back(here, "li");
        }
        for _ in 1..FAILURES_TO_LOCK {
            assert_eq!(limits.attempt(here, "li", now), Ok(()));
        }
        assert_eq!(limits.attempt(here, "li", now), Err(ROW_ENDS));
    }

    #[test]
    fn who_signed_in_of_late_is_known_at_that_address_alone() {
        let (limits, now) = (Limits::default(), Instant::now());
        let (here, there) = (address("192.0.2.1"), address("192.0.2.2"));
        limits.succeeded(here, "li");
        assert_eq!(limits.caller(here, "li", now), Caller::Known);
        assert_eq!(limits.caller(there, "li", now), Caller::Unknown);
        assert_eq!(limits.caller(here, "zhao", now), Caller::Unknown);
        let long_after = Instant::now() + KNOWN_FOR;
        assert_eq!(limits.caller(here, "li", long_after), Caller::Unknown);
    }

    #[test]
    fn an_address_has_so_many_tries_a_minute_whatever_the_login() {
        let (limits, now) = (Limits::default(), Instant::now());
        let here = address("192.0.2.1");
        for attempt in 0..PER_MINUTE.get() {
            let login = format!("u{attempt}");
            assert_eq!(limits.attempt(here, &login, now), Ok(()));
        }
        assert!(limits.attempt(here, "one-more", now).is_err());
        assert_eq!(
            limits.attempt(address("192.0.2.2"), "one-more", now),
            Ok(())
        );
    }

    #[test]
    fn a_network_of_ipv6_is_one_caller_and_a_mapped_address_is_its_own() {
        assert_eq!(address("2001:db8::1"), address("2001:db8::ffff:2"));
        assert_ne!(address("2001:db8::1"), address("2001:db8:0:1::1"));
        assert_eq!(address("::ffff:192.0.2.1"), address("192.0.2.1"));
    }
}
