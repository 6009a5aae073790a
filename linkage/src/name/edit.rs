//! Names one stroke of the keyboard apart.

use super::prepared::Character;

/// Whether leaving one character out of the longer gives the shorter.
pub(super) fn one_dropped(a: &[Character], b: &[Character]) -> bool {
    let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
    if short.len() + 1 != long.len() {
        return false;
    }
    let before = short
        .iter()
        .zip(long)
        .take_while(|(s, l)| s.standard == l.standard)
        .count();
    short[before..]
        .iter()
        .zip(&long[before + 1..])
        .all(|(s, l)| s.standard == l.standard)
}

/// Where two names of equal length differ: how often, first and last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Differences {
    pub(super) count: usize,
    pub(super) first: usize,
    pub(super) last: usize,
}

pub(super) fn differences(a: &[Character], b: &[Character]) -> Differences {
    let mut found = Differences {
        count: 0,
        first: 0,
        last: 0,
    };
    for (at, (a, b)) in a.iter().zip(b).enumerate() {
        if a.standard != b.standard {
            if found.count == 0 {
                found.first = at;
            }
            found.count += 1;
            found.last = at;
        }
    }
    found
}

/// Whether the two differences are neighbours that changed places.
pub(super) fn is_swap(a: &[Character], b: &[Character], found: Differences) -> bool {
    let Differences { count, first, last } = found;
    count == 2
        && first + 1 == last
        && a[first].standard == b[last].standard
        && a[last].standard == b[first].standard
}
