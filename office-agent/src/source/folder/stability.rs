//! Telling a file that is still being written from one that is finished.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tokio::time::Instant;

use super::cursor::Print;
use super::scan::Seen;

/// What files looked like, and since when.
#[derive(Debug)]
pub(super) struct Looks {
    settle: Duration,
    seen: HashMap<String, (Print, Instant)>,
}

impl Looks {
    /// A file is finished when it has looked the same for `settle`.
    pub(super) fn new(settle: Duration) -> Self {
        Self {
            settle,
            seen: HashMap::new(),
        }
    }

    /// Takes a look at all files. Returns which are finished, in the same order, and how long to wait for the rest.
    pub(super) fn look(&mut self, files: Vec<Seen>, now: Instant) -> (Vec<Seen>, Option<Duration>) {
        let there: HashSet<&str> = files.iter().map(|file| file.name.as_str()).collect();
        self.seen.retain(|name, _| there.contains(name.as_str()));
        let mut wait: Option<Duration> = None;
        let mut finished = Vec::new();
        for file in files {
            let (print, since) = self
                .seen
                .entry(file.name.clone())
                .or_insert((file.print, now));
            if *print != file.print {
                (*print, *since) = (file.print, now);
            }
            let left = self.settle.saturating_sub(now - *since);
            if left.is_zero() {
                finished.push(file);
            } else {
                wait = Some(wait.map_or(left, |wait| wait.min(left)));
            }
        }
        (finished, wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, size: u64) -> Seen {
        Seen {
            name: name.into(),
            path: name.into(),
            print: Print { size, changed: 1 },
        }
    }

    #[test]
    fn a_growing_file_is_not_finished_and_holds_no_other() {
        let settle = Duration::from_secs(2);
        let mut looks = Looks::new(settle);
        let names = |files: Vec<Seen>| files.into_iter().map(|file| file.name).collect::<Vec<_>>();
        let start = Instant::now();
        let (finished, wait) = looks.look(vec![file("a", 1), file("b", 1)], start);
        assert!(finished.is_empty());
        assert_eq!(wait, Some(settle));
        let (finished, _) = looks.look(vec![file("a", 2), file("b", 1)], start + settle);
        assert_eq!(names(finished), ["b"]);
        let (finished, wait) = looks.look(vec![file("a", 2), file("b", 1)], start + settle * 3 / 2);
        assert_eq!(names(finished), ["b"]);
        assert_eq!(wait, Some(settle / 2));
        let (finished, wait) = looks.look(vec![file("a", 2), file("b", 1)], start + settle * 2);
        assert_eq!(names(finished), ["a", "b"]);
        assert_eq!(wait, None);
    }

    #[test]
    fn a_file_that_was_away_is_looked_at_anew() {
        let mut looks = Looks::new(Duration::from_secs(2));
        let start = Instant::now();
        looks.look(vec![file("a", 1)], start);
        looks.look(vec![], start + Duration::from_secs(1));
        let (finished, _) = looks.look(vec![file("a", 1)], start + Duration::from_secs(5));
        assert!(finished.is_empty());
    }
}
