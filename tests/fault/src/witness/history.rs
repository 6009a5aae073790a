//! What was written and what was seen of it, held against each other.

use std::collections::BTreeMap;

/// Cases of the witness. Its writes are numbered from 1, and each gives the next of them a new revision.
pub(crate) const CASES: u64 = 8;

/// Anomalies that are told in words; the others are counted.
const TOLD: usize = 20;

/// The writes of one office in their order, and the looks at them.
///
/// A look shows every case at one moment, so that one number says what it saw: up to which write. It must not be less
/// than what was acknowledged, or had been seen, before it began, nor more than was sent; and a case whose newest
/// revision among those writes is missing was overtaken.
#[derive(Debug, Default)]
pub(crate) struct History {
    sent: u64,
    acknowledged: u64,
    seen: u64,
    looks: u64,
    unanswered: u64,
    anomalies: u64,
    told: Vec<String>,
    /// Why something was not answered the last time.
    last_failure: String,
}

/// A look that has begun, with what it has to show at the least.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    acknowledged: u64,
    seen: u64,
}

/// What a history came to.
#[derive(Clone, Debug)]
pub(crate) struct Verdict {
    pub(crate) writes: u64,
    pub(crate) looks: u64,
    pub(crate) unanswered: u64,
    pub(crate) anomalies: u64,
    /// Those in words, and whatever else is wrong.
    pub(crate) complaints: Vec<String>,
}

impl History {
    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    /// Everything up to this write goes out.
    pub(crate) fn send(&mut self, write: u64) {
        self.sent = self.sent.max(write);
    }

    /// The hub says that everything up to this write is durable.
    pub(crate) fn acknowledge(&mut self, write: u64) {
        self.acknowledged = self.acknowledged.max(write);
    }

    /// The hub says what it has, as at the beginning of a stream.
    pub(crate) fn told_of(&mut self, write: u64) {
        if write < self.acknowledged {
            let acknowledged = self.acknowledged;
            self.object(format!(
                "the hub has {write} writes, and had acknowledged {acknowledged}"
            ));
        }
        self.acknowledge(write);
    }

    /// The hub put a write into quarantine.
    pub(crate) fn refuse(&mut self, write: u64, rule_id: &str) {
        self.object(format!("write {write} was refused: {rule_id}"));
    }

    pub(crate) fn begin(&self) -> Look {
        Look {
            acknowledged: self.acknowledged,
            seen: self.seen,
        }
    }

    /// A look was answered: of each case the write that it showed.
    pub(crate) fn end(&mut self, look: Look, shown: &BTreeMap<u64, u64>) {
        self.looks += 1;
        let newest = shown.values().copied().max().unwrap_or(0);
        for case in 0..CASES {
            let (write, wanted) = (shown.get(&case).copied(), newest_of(case, newest));
            if write != wanted {
                self.object(format!(
                    "a look showed write {newest}, and of case {case} {write:?} instead of {wanted:?}"
                ));
            }
        }
        let Look { acknowledged, seen } = look;
        if newest < acknowledged {
            self.object(format!(
                "a look showed nothing behind write {newest} when {acknowledged} was acknowledged"
            ));
        }
        if newest < seen {
            self.object(format!(
                "a look showed nothing behind write {newest} when {seen} had been seen"
            ));
        }
        if newest > self.sent {
            self.object(format!(
                "a look showed write {newest}, which was never sent"
            ));
        }
        self.seen = self.seen.max(newest);
    }

    pub(crate) fn unanswered(&mut self, why: String) {
        self.unanswered += 1;
        self.failed(why);
    }

    pub(crate) fn failed(&mut self, why: String) {
        self.last_failure = why;
    }

    fn object(&mut self, what: String) {
        self.anomalies += 1;
        if self.told.len() < TOLD {
            self.told.push(format!("witness: {what}"));
        }
    }

    pub(crate) fn verdict(&self) -> Verdict {
        let mut complaints = self.told.clone();
        if self.looks == 0 || self.acknowledged == 0 {
            complaints.push(format!(
                "witness: {} writes were acknowledged and {} looks answered: {}",
                self.acknowledged, self.looks, self.last_failure
            ));
        }
        Verdict {
            writes: self.acknowledged,
            looks: self.looks,
            unanswered: self.unanswered,
            anomalies: self.anomalies,
            complaints,
        }
    }
}

/// Whose turn a write is.
pub(crate) const fn case_of(write: u64) -> u64 {
    write % CASES
}

/// The newest write of a case among so many.
fn newest_of(case: u64, among: u64) -> Option<u64> {
    let write = among - among.checked_sub(case)? % CASES;
    (write > 0).then_some(write)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A look at a hub that has so many writes.
    fn at(writes: u64) -> BTreeMap<u64, u64> {
        let cases = 0..CASES;
        cases
            .filter_map(|case| Some((case, newest_of(case, writes)?)))
            .collect()
    }

    fn history(sent: u64, acknowledged: u64) -> History {
        let mut history = History::default();
        history.send(sent);
        history.acknowledge(acknowledged);
        history
    }

    fn anomalies_of(history: &mut History, shown: &BTreeMap<u64, u64>) -> u64 {
        let look = history.begin();
        history.end(look, shown);
        history.verdict().anomalies
    }

    #[test]
    fn the_newest_write_of_a_case_is_its_last_turn() {
        assert_eq!(newest_of(3, 2), None);
        assert_eq!(newest_of(3, 3), Some(3));
        assert_eq!(newest_of(0, 7), None);
        assert_eq!(newest_of(0, 17), Some(16));
        assert_eq!(newest_of(1, 17), Some(17));
    }

    #[test]
    fn a_look_may_show_what_was_acknowledged_and_what_is_under_way() {
        for shown in 20..=23 {
            assert_eq!(anomalies_of(&mut history(23, 20), &at(shown)), 0);
        }
        assert_eq!(anomalies_of(&mut history(3, 0), &at(0)), 0);
    }

    #[test]
    fn a_look_that_lacks_what_was_acknowledged_is_an_anomaly() {
        assert_eq!(anomalies_of(&mut history(23, 20), &at(19)), 1);
    }

    #[test]
    fn a_look_that_goes_back_behind_an_earlier_one_is_an_anomaly() {
        let mut history = history(23, 20);
        assert_eq!(anomalies_of(&mut history, &at(23)), 0);
        assert_eq!(anomalies_of(&mut history, &at(21)), 1);
    }

    #[test]
    fn a_look_owes_nothing_to_what_came_after_its_beginning() {
        let mut history = history(23, 20);
        let look = history.begin();
        history.acknowledge(23);
        history.end(look, &at(20));
        assert_eq!(history.verdict().anomalies, 0);
    }

    #[test]
    fn a_case_that_was_overtaken_or_never_sent_is_an_anomaly() {
        let mut shown = at(23);
        shown.insert(5, 13);
        assert_eq!(
            anomalies_of(&mut history(23, 20), &shown),
            1,
            "21 is missing"
        );
        assert_eq!(anomalies_of(&mut history(23, 20), &at(24)), 1);
    }

    #[test]
    fn a_hub_that_forgets_or_refuses_is_an_anomaly() {
        let mut history = history(23, 20);
        history.told_of(20);
        assert_eq!(history.verdict().anomalies, 0);
        history.told_of(19);
        history.refuse(21, "REVISION_CONFLICT");
        assert_eq!(history.verdict().anomalies, 2);
    }

    #[test]
    fn whoever_saw_nothing_says_so() {
        assert_eq!(history(3, 3).verdict().complaints.len(), 1);
    }
}
