//! libFuzzer on one of the targets: `FUZZ_TARGET=name libfuzzer CORPUS_FOLDER`.
#![no_main]

use std::sync::LazyLock;

use fuzz_targets::{Target, target, targets};
use libfuzzer_sys::fuzz_target;

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    target(&name).unwrap_or_else(|| {
        let names: Vec<_> = targets().iter().map(|target| target.name).collect();
        panic!("set FUZZ_TARGET to one of {}", names.join(", "))
    })
});

fuzz_target!(|bytes: &[u8]| (TARGET.run)(bytes));
