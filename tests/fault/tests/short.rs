//! A small city for a few faults; `make fault` is the long form.

use fault::{Fault, KEPT, Round};

#[tokio::test]
async fn a_city_that_is_broken_again_and_again_loses_nothing_and_counts_nothing_twice() {
    // Below the build's own folder: a disk is mounted there, and servers of other users must get to it.
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("fault");
    let round = Round {
        seed: KEPT[0],
        cases: 600,
        faults: 8,
        kinds: Fault::all().collect(),
    };
    let outcome = round.play(&folder).await.expect("played to its end");
    assert!(outcome.is_well(), "{}", outcome.line());
    assert!(outcome.acked > 0, "agents were told of what is at the hub");
    assert!(outcome.looks > 0, "somebody looked meanwhile");
}
