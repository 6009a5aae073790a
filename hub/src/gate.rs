//! How many of something there may be at once, in all and of one caller, so that nobody takes every place.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// An address as far as it tells one caller from another: whoever has one IPv6 address usually has its whole /64.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.into(),
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64)).into(),
    }
}

/// Counts places, by whom they are taken. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Gate<K> {
    total: usize,
    of_one: usize,
    taken: Arc<Mutex<Taken<K>>>,
}

#[derive(Debug)]
struct Taken<K> {
    total: usize,
    by_whom: HashMap<K, usize>,
}

/// Why somebody is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// All places are taken.
    Total,
    /// The caller has as many as one gets.
    OfOne,
}

/// One place; given back when dropped.
#[derive(Debug)]
pub(crate) struct Place<K: Copy + Eq + Hash> {
    gate: Gate<K>,
    whose: K,
}

impl<K: Copy + Eq + Hash> Gate<K> {
    pub(crate) fn new(total: usize, of_one: usize) -> Self {
        let taken = Taken {
            total: 0,
            by_whom: HashMap::new(),
        };
        Self {
            total,
            of_one,
            taken: Arc::new(Mutex::new(taken)),
        }
    }

    pub(crate) fn enter(&self, whose: K) -> Result<Place<K>, Full> {
        let mut taken = self.lock();
        if taken.total >= self.total {
            return Err(Full::Total);
        }
        let of_one = taken.by_whom.entry(whose).or_default();
        if *of_one >= self.of_one {
            return Err(Full::OfOne);
        }
        *of_one += 1;
        taken.total += 1;
        Ok(Place {
            gate: self.clone(),
            whose,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Taken<K>> {
        // The counts are right at every point where a holder could panic.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Copy + Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        let mut taken = self.gate.lock();
        taken.total -= 1;
        if let Some(of_one) = taken.by_whom.get_mut(&self.whose) {
            *of_one -= 1;
            if *of_one == 0 {
                taken.by_whom.remove(&self.whose);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_and_given_back() {
        let gate = Gate::new(3, 2);
        let one = gate.enter("one").expect("free");
        let _two = gate.enter("one").expect("free");
        assert_eq!(gate.enter("one").err(), Some(Full::OfOne));
        let _three = gate.enter("other").expect("free");
        assert_eq!(gate.enter("third").err(), Some(Full::Total));
        drop(one);
        let _four = gate.enter("one").expect("free again");
    }

    #[test]
    fn who_has_no_place_leaves_nothing_behind() {
        let gate = Gate::new(10, 1);
        let place = gate.enter("one").expect("free");
        assert_eq!(gate.enter("one").err(), Some(Full::OfOne));
        drop(place);
        assert!(gate.lock().by_whom.is_empty());
        assert_eq!(gate.lock().total, 0);
    }
}
