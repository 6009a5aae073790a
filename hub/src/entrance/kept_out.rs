//! Attempts to sign in that were not even looked at, because there were too many of them: counted here, so that whoever goes
//! on all the same costs the database nothing.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::limits::LONGEST_LOGIN;

/// Logins that are counted by themselves until they are taken.
const MOST: usize = 10_000;
/// What stands for logins that are nobody's, and for all beyond [`MOST`].
const NOBODYS: &str = "";

/// Attempts by login.
#[derive(Debug, Default)]
pub(super) struct KeptOut(Mutex<HashMap<String, u64>>);

impl KeptOut {
    pub(super) fn count(&self, login: &str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_somebodys = login.len() <= LONGEST_LOGIN && !login.contains('\0');
        let has_room = counts.len() < MOST || counts.contains_key(login);
        let login = if is_somebodys && has_room {
            login
        } else {
            NOBODYS
        };
        *counts.entry(login.to_owned()).or_default() += 1;
    }

    /// What was taken and could not be written down.
    pub(super) fn put_back(&self, taken: HashMap<String, u64>) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (login, attempts) in taken {
            *counts.entry(login).or_default() += attempts;
        }
    }

    /// What was counted, which is begun anew.
    pub(super) fn take(&self) -> HashMap<String, u64> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_are_counted_apart_as_far_as_they_can_be_somebodys_and_there_is_room() {
        let kept_out = KeptOut::default();
        for login in ["li", "li", "wang", "a\0b", &"x".repeat(65)] {
            kept_out.count(login);
        }
        let taken = kept_out.take();
        assert_eq!(taken[NOBODYS], 2);
        assert_eq!((taken["li"], taken["wang"], taken.len()), (2, 1, 3));
        kept_out.count("li");
        kept_out.put_back(taken);
        let taken = kept_out.take();
        assert_eq!((taken["li"], taken["wang"], taken[NOBODYS]), (3, 1, 2));
        for number in 0..MOST * 2 {
            kept_out.count(&number.to_string());
        }
        kept_out.count("1");
        let taken = kept_out.take();
        assert!(taken.len() <= MOST + 1);
        assert_eq!(taken["1"], 2);
        assert_eq!(taken.values().sum::<u64>(), MOST as u64 * 2 + 1);
        assert!(kept_out.take().is_empty());
    }
}
