//! Passwords: Argon2id hashes, computed away from the threads that serve, and never more at once than memory
//! and cores allow.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zeroize::Zeroizing;

use super::new_password::NewPassword;
use super::pepper::{Fit, Pepper};

/// Hashes computed at the same time. Each takes 19 MiB (OWASP's parameters, the library's default).
const AT_ONCE: usize = 2;
/// Longest password that is checked, bytes: more than any has that was ever taken.
const LONGEST: usize = 1024;
/// How long a sign-in waits for its turn.
const PATIENCE: Duration = Duration::from_secs(3);

/// Too many people are signing in at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many sign-ins at once")]
pub struct Busy;

/// Checks passwords, a bounded number at a time.
#[derive(Debug)]
pub(super) struct Checker {
    pepper: Pepper,
    turns: Arc<Semaphore>,
    /// What a password is checked against when there is no such account, so that the answer takes as long.
    nobodys_hash: Arc<str>,
}

/// Permission to check one password.
pub(super) struct Turn {
    _permit: OwnedSemaphorePermit,
}

impl Checker {
    /// Blocks for about 50 ms.
    pub(super) fn new(pepper: Pepper) -> Self {
        Self {
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            nobodys_hash: pepper.hash("no password of anybody").into(),
            pepper,
        }
    }

    /// Waits for a turn, not for long.
    pub(super) async fn turn(&self) -> Result<Turn, Busy> {
        let turn = Arc::clone(&self.turns).acquire_owned();
        match tokio::time::timeout(PATIENCE, turn).await {
            Ok(Ok(permit)) => Ok(Turn { _permit: permit }),
            _ => Err(Busy),
        }
    }

    /// Whether `password` fits `stored`. Without a stored hash the answer is no, after the same work.
    pub(super) async fn fits(&self, turn: Turn, password: &str, stored: Option<String>) -> Fit {
        // Nobody's; whoever sends it only makes work.
        let too_long = password.len() > LONGEST;
        let password = Zeroizing::new(if too_long { "" } else { password }.to_owned());
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.nobodys_hash.to_string());
        let pepper = self.pepper.clone();
        let fits = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            pepper.fits(&password, &stored)
        });
        match fits.await {
            Ok(fit) if known => fit,
            _ => Fit::No,
        }
    }

    /// What is kept of a password that is an account's already, and fits.
    pub(super) async fn hash_anew(&self, turn: Turn, password: &str) -> Result<String, Busy> {
        let password = Zeroizing::new(password.to_owned());
        let pepper = self.pepper.clone();
        let hashed = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            pepper.hash(&password)
        });
        hashed.await.map_err(|_| Busy)
    }

    /// What is kept of a new password.
    pub(super) async fn hash(&self, turn: Turn, new: NewPassword) -> Result<String, Busy> {
        let pepper = self.pepper.clone();
        let hashed = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            new.hash(&pepper)
        });
        hashed.await.map_err(|_| Busy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_own_hash_and_no_other() {
        let checker = Checker::new(Pepper::of(&[7; 32]));
        let stored = checker.pepper.hash("correct horse battery");
        assert!(stored.starts_with("$argon2id$"));
        for (password, stored, fits) in [
            ("correct horse battery", Some(stored.clone()), Fit::Yes),
            ("correct horse batterY", Some(stored), Fit::No),
            ("no password of anybody", None, Fit::No),
            ("correct horse battery", Some("damaged".into()), Fit::No),
        ] {
            let turn = checker.turn().await.expect("nobody else is there");
            assert_eq!(checker.fits(turn, password, stored).await, fits);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_crowd_is_told_to_come_back() {
        let checker = Checker::new(Pepper::of(&[7; 32]));
        let _one = checker.turn().await.expect("free");
        let _two = checker.turn().await.expect("free");
        assert!(matches!(checker.turn().await, Err(Busy)));
    }
}
