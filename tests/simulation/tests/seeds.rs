//! Seeds that are simulated with every `make test`; `SIMULATION_SEEDS=FROM..TO` names others (`make simulate`).
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::ops::Range;

use simulation::{Fault, simulate};

const SEEDS: Range<u64> = 1..9;
/// Seeds that failed once.
const REGRESSIONS: [u64; 0] = [];

fn seeds() -> Range<u64> {
    let Ok(named) = std::env::var("SIMULATION_SEEDS") else {
        return SEEDS;
    };
    let (from, to) = named.split_once("..").expect("FROM..TO");
    from.parse().unwrap()..to.parse().unwrap()
}

#[test]
fn nothing_promised_is_lost_or_has_two_effects_whatever_breaks() {
    let mut faults = BTreeMap::<Fault, u64>::new();
    for seed in seeds().chain(REGRESSIONS) {
        let outcome = simulate(seed).unwrap();
        assert!(outcome.effects > 0, "seed {seed}: {outcome:?}");
        for (fault, count) in outcome.faults {
            *faults.entry(fault).or_default() += count;
        }
    }
    for fault in Fault::ALL {
        assert!(faults.contains_key(&fault), "{fault:?} never happened");
    }
}

#[test]
fn a_seed_comes_to_the_same_every_time() {
    assert_eq!(simulate(7).unwrap(), simulate(7).unwrap());
}
