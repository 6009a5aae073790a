//! How many connections there may be, in all and of one address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// Counts connections.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    total: usize,
    per_address: usize,
    open: Arc<Mutex<Open>>,
}

#[derive(Debug, Default)]
struct Open {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// Why a connection is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    Total,
    Address,
}

impl Full {
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Total => "total",
            Self::Address => "address",
        }
    }
}

/// One connection's place; given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    gate: Gate,
    key: IpAddr,
}

impl Gate {
    pub(super) fn new(total: usize, per_address: usize) -> Self {
        Self {
            total,
            per_address,
            open: Arc::default(),
        }
    }

    pub(super) fn enter(&self, address: IpAddr) -> Result<Place, Full> {
        let key = key(address);
        let mut open = self.lock();
        if open.total >= self.total {
            return Err(Full::Total);
        }
        let of_address = open.by_address.entry(key).or_default();
        if *of_address >= self.per_address {
            return Err(Full::Address);
        }
        *of_address += 1;
        open.total += 1;
        Ok(Place {
            gate: self.clone(),
            key,
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Open> {
        // The counts are right at every point where a holder could panic.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.gate.lock();
        open.total -= 1;
        if let Some(of_address) = open.by_address.get_mut(&self.key) {
            *of_address -= 1;
            if *of_address == 0 {
                open.by_address.remove(&self.key);
            }
        }
    }
}

/// Whoever has one IPv6 address usually has its whole /64.
fn key(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => {
            let mut octets = v6.octets();
            octets[8..].fill(0);
            IpAddr::V6(Ipv6Addr::from(octets))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn places_are_counted_and_given_back() {
        let gate = Gate::new(3, 2);
        let one = gate.enter(address("10.0.0.1")).expect("free");
        let _two = gate.enter(address("::ffff:10.0.0.1")).expect("free");
        assert_eq!(gate.enter(address("10.0.0.1")).err(), Some(Full::Address));
        let _three = gate.enter(address("10.0.0.2")).expect("free");
        assert_eq!(gate.enter(address("10.0.0.3")).err(), Some(Full::Total));
        drop(one);
        let _four = gate.enter(address("10.0.0.1")).expect("free again");
    }

    #[test]
    fn a_refused_address_leaves_nothing_behind() {
        let gate = Gate::new(10, 1);
        let place = gate.enter(address("2001:db8::1")).expect("free");
        assert_eq!(
            gate.enter(address("2001:db8::2")).err(),
            Some(Full::Address)
        );
        drop(place);
        assert!(gate.lock().by_address.is_empty());
        assert_eq!(gate.lock().total, 0);
    }
}
