//! Whether the hub is to hear of a case as it was read now.

use notary_proto::hub::v1 as wire;
use time::OffsetDateTime;

/// How often content that the hub refused may be offered again unchanged, seconds: what made the hub refuse
/// it may have gone meanwhile (another case gave up the number), but not with every poll.
pub(super) const REFUSED_AGAIN_AFTER: i64 = 3600;

/// Revisions from here on were made of this machine's clock, microseconds since 1970: no office's system counts so far.
const CLOCK_MADE: u64 = 1_000_000_000_000_000;

/// A case as it was last taken.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub(super) content_hash: Vec<u8>,
    pub(super) revision: u64,
    /// When the hub refused it.
    pub(super) refused_at: Option<i64>,
    /// A row of it is refused here.
    pub(super) is_refused_here: bool,
    /// What is added to the revisions of the office's own system.
    pub(super) raised: u64,
    /// The next key that the newest record has tokens under; 0 for none.
    pub(super) next_key: u32,
    /// Of what it was read from, when that was a file.
    pub(super) age: Option<Age>,
}

/// How new it is what a file says of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Age {
    /// Time of the file, nanoseconds since 1970.
    pub(super) told_at: i64,
    /// When the office's system changed the case, where that is mapped, seconds since 1970.
    pub(super) modified_at: Option<i64>,
}

impl Age {
    /// Whether something newer is known: an old file may be read after a newer one, because it was away or corrected.
    pub(super) fn is_before(self, known: Self) -> bool {
        match (self.modified_at, known.modified_at) {
            (Some(own), Some(known)) if own != known => own < known,
            _ => self.told_at < known.told_at,
        }
    }
}

/// What is to become of a case that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The hub has it so, as it were new.
    Same,
    /// Something newer is known.
    Old,
    /// It is read now and differs, under a revision below the one that was sent: the hub would take no notice.
    Behind,
    /// It goes out under this revision.
    Send {
        revision: u64,
        /// What is added from now on to the revisions of the office's own system, where that changes.
        raised: Option<u64>,
    },
}

/// A revision of the office's own system as the hub has it.
#[derive(Clone, Copy)]
struct Own {
    revision: u64,
    raised: Option<u64>,
}

impl Own {
    /// `None` when the system has none. One that counts from low on what was numbered by the clock so far goes on above:
    /// else everything that was known before `revision` was mapped would count as old for ever.
    fn of(given: u64, known: &Known) -> Option<Self> {
        let revision = given.saturating_add(known.raised);
        let above = known.revision.saturating_add(1);
        match given {
            0 => None,
            _ if revision < CLOCK_MADE && CLOCK_MADE <= known.revision => Some(Self {
                revision: above,
                raised: Some(above - given),
            }),
            _ => Some(Self {
                revision,
                raised: None,
            }),
        }
    }
}

/// What is to become of a case with this content, read from something of that age.
pub(super) fn decide(
    known: Option<&Known>,
    case: &wire::CaseRecord,
    content_hash: &[u8],
    age: Option<Age>,
    now: OffsetDateTime,
) -> Verdict {
    let send = |revision| Verdict::Send {
        revision,
        raised: None,
    };
    let Some(known) = known else {
        return send(match case.revision {
            0 => microseconds(now),
            own => own,
        });
    };
    let own = Own::of(case.revision, known);
    let after = (known.revision + 1).max(microseconds(now));
    // The hub lacks it and its record is not kept: whatever its content, it is news. The source's own revision may be one
    // that the hub has under other content.
    if known.content_hash.is_empty() {
        return match own {
            None => send(after),
            Some(Own { revision, raised }) => Verdict::Send {
                revision: revision.max(known.revision),
                raised,
            },
        };
    }
    let has_content = known.content_hash == content_hash;
    if matches!((age, known.age), (Some(age), Some(known)) if age.is_before(known)) {
        return Verdict::Old;
    }
    // What the hub would leave aside: an older revision never changes anything.
    if own.is_some_and(|own| own.revision < known.revision) {
        // Lines of one file may tell of a case at several times.
        return match has_content || (age.is_some() && age == known.age) {
            true => Verdict::Old,
            false => Verdict::Behind,
        };
    }
    let offer_again = known
        .refused_at
        .is_some_and(|at| now.unix_timestamp() - at >= REFUSED_AGAIN_AFTER);
    let has_tokens = (case.next_tokens.as_ref()).is_none_or(|next| next.key_id == known.next_key);
    // A case that was refused meanwhile goes out even with its old content: the hub's reject is open until a good record
    // comes.
    match has_content && has_tokens && !offer_again && !known.is_refused_here {
        true => Verdict::Same,
        false => own.map_or(send(after), |Own { revision, raised }| Verdict::Send {
            revision,
            raised,
        }),
    }
}

/// Microseconds since 1970: an outbox that was lost and rebuilt goes on above what it gave out before.
fn microseconds(now: OffsetDateTime) -> u64 {
    u64::try_from(now.unix_timestamp_nanos() / 1000).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use Verdict::{Behind, Old, Same};

    use super::*;

    const NOW: i64 = 10_000;
    const CLOCK: u64 = 10_000_000_000;

    fn send(revision: u64) -> Verdict {
        Verdict::Send {
            revision,
            raised: None,
        }
    }

    fn age(told_at: i64, modified_at: Option<i64>) -> Option<Age> {
        Some(Age {
            told_at,
            modified_at,
        })
    }

    #[test]
    fn a_case_is_sent_for_every_reason_and_left_for_every_other() {
        let known = |change: fn(&mut Known)| {
            let mut known = Known {
                content_hash: vec![1],
                revision: 7,
                ..Known::default()
            };
            change(&mut known);
            Some(known)
        };
        let sent = send(CLOCK);
        // What is known; own revision, content and age of what is read.
        let table = [
            ("unknown", None, 0, 1, None, sent),
            ("unknown, with a revision", None, 5, 1, None, send(5)),
            ("the same", known(|_| ()), 0, 1, None, Same),
            ("changed", known(|_| ()), 0, 2, None, sent),
            ("an older revision", known(|_| ()), 6, 1, None, Old),
            ("behind", known(|_| ()), 6, 2, None, Behind),
            (
                "an older line of the same file",
                known(|it| it.age = age(5, None)),
                6,
                2,
                age(5, None),
                Old,
            ),
            (
                "behind in a newer file",
                known(|it| it.age = age(5, None)),
                6,
                2,
                age(6, None),
                Behind,
            ),
            ("a newer revision", known(|_| ()), 8, 2, None, send(8)),
            ("raised", known(|it| it.raised = 2), 6, 2, None, send(8)),
            (
                "wanted",
                known(|it| it.content_hash.clear()),
                3,
                1,
                None,
                send(7),
            ),
            (
                "refused just now",
                known(|it| it.refused_at = Some(NOW - 9)),
                0,
                1,
                None,
                Same,
            ),
            (
                "refused long ago",
                known(|it| it.refused_at = Some(9)),
                0,
                1,
                None,
                sent,
            ),
            (
                "refused here",
                known(|it| it.is_refused_here = true),
                0,
                1,
                None,
                sent,
            ),
            (
                "an older file",
                known(|it| it.age = age(5, None)),
                0,
                2,
                age(4, None),
                Old,
            ),
            (
                "the same file",
                known(|it| it.age = age(5, None)),
                0,
                2,
                age(5, None),
                sent,
            ),
            (
                "no file",
                known(|it| it.age = age(5, None)),
                0,
                2,
                None,
                sent,
            ),
            (
                "an old row in a new file",
                known(|it| it.age = age(5, Some(9))),
                0,
                2,
                age(6, Some(8)),
                Old,
            ),
            (
                "a new row in an old file",
                known(|it| it.age = age(5, Some(9))),
                0,
                2,
                age(4, Some(10)),
                sent,
            ),
        ];
        let now = OffsetDateTime::from_unix_timestamp(NOW).expect("in range");
        for (what, known, revision, content, age, expected) in table {
            let case = wire::CaseRecord {
                revision,
                ..wire::CaseRecord::default()
            };
            let verdict = decide(known.as_ref(), &case, &[content], age, now);
            assert_eq!(verdict, expected, "{what}");
        }
    }

    #[test]
    fn a_counter_of_the_office_goes_on_above_revisions_that_the_clock_made() {
        let now = OffsetDateTime::from_unix_timestamp(NOW).expect("in range");
        let verdict = |known: &Known, revision, content| {
            let case = wire::CaseRecord {
                revision,
                ..wire::CaseRecord::default()
            };
            decide(Some(known), &case, &[content], None, now)
        };
        let mut known = Known {
            content_hash: vec![1],
            revision: CLOCK_MADE + 5,
            ..Known::default()
        };
        assert_eq!(verdict(&known, 3, 1), Same);
        let lifted = Verdict::Send {
            revision: CLOCK_MADE + 6,
            raised: Some(CLOCK_MADE + 3),
        };
        assert_eq!(verdict(&known, 3, 2), lifted);
        // As the outbox knows it afterwards.
        (known.content_hash, known.revision, known.raised) =
            (vec![2], CLOCK_MADE + 6, CLOCK_MADE + 3);
        assert_eq!(verdict(&known, 4, 3), send(CLOCK_MADE + 7));
        assert_eq!(verdict(&known, 2, 3), Behind);
        // A system that counts by a clock of its own.
        assert_eq!(verdict(&known, CLOCK_MADE, 3), send(2 * CLOCK_MADE + 3));
    }

    #[test]
    fn tokens_under_another_next_key_are_news() {
        let known = Known {
            content_hash: vec![1],
            next_key: 2,
            ..Known::default()
        };
        let now = OffsetDateTime::from_unix_timestamp(NOW).expect("in range");
        for (key_id, expected) in [(2, Same), (3, send(CLOCK))] {
            let case = wire::CaseRecord {
                next_tokens: Some(wire::NextTokens {
                    key_id,
                    ..wire::NextTokens::default()
                }),
                ..wire::CaseRecord::default()
            };
            assert_eq!(decide(Some(&known), &case, &[1], None, now), expected);
        }
    }
}
