//! Some thousand power cuts; `make power-loss` is the long form.

use std::path::Path;
use std::sync::LazyLock;

use power_loss::{Disk, Life, cut};

static LIVES: LazyLock<[Life; 2]> = LazyLock::new(|| {
    let program = Path::new(env!("CARGO_BIN_EXE_power-loss"));
    [1, 2].map(|seed| Life::record(program, seed).expect("recorded"))
});

#[test]
fn a_power_cut_at_any_moment_takes_nothing_that_the_agent_had_promised() {
    let report = cut(&LIVES[..], Disk::Honest, 1_000).expect("cut");
    assert!(report.is_well(), "{}", report.text());
}

/// Or the test above would not see either what is not synced.
#[test]
fn promises_are_missed_on_disks_that_forget_what_they_were_told_to_keep() {
    for disk in [Disk::ForgetsFiles, Disk::ForgetsFolders] {
        let report = cut(&LIVES[..1], disk, 100).expect("cut");
        assert!(report.lost > 0, "{disk:?}: {}", report.text());
    }
}
