#!/bin/bash
# Lets libFuzzer search behind each target for SECONDS_EACH (default 60). What it finds worth keeping goes to
# target/fuzz/corpus; an input that breaks a parser goes to target/fuzz/broken and ends the run with an error.
#   tests/fuzz/run.sh [TARGET ...]
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${SECONDS_EACH:-60}
host=$(rustc -vV | sed -n 's/^host: //p')

# What cargo-fuzz sets, less the sanitizers that want a nightly compiler; --target keeps it off build scripts.
flags="-Cpasses=sancov-module -Ccodegen-units=1"
for option in level=4 inline-8bit-counters pc-table trace-compares; do
    flags+=" -Cllvm-args=-sanitizer-coverage-$option"
done
RUSTFLAGS=$flags cargo build --release --locked --manifest-path tests/fuzz/libfuzzer/Cargo.toml \
    --target "$host" --target-dir target/fuzz/build
libfuzzer=target/fuzz/build/$host/release/libfuzzer

if [ $# -eq 0 ]; then
    set -- $(sed -n 's/^ *name: "\([a-z_]*\)",$/\1/p' tests/fuzz/src/{linkage,hub,agent}.rs)
fi
mkdir -p target/fuzz/broken
printf '%-22s %12s %10s %10s\n' target executions covered corpus
for name in "$@"; do
    mkdir -p "target/fuzz/corpus/$name" "tests/fuzz/corpus/$name"
    log=target/fuzz/$name.log
    if ! FUZZ_TARGET=$name "$libfuzzer" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=65536 \
        -print_final_stats=1 -artifact_prefix="target/fuzz/broken/$name-" \
        "target/fuzz/corpus/$name" "tests/fuzz/corpus/$name" >"$log" 2>&1; then
        tail -n 30 "$log"
        echo "$name is broken by an input in target/fuzz/broken" >&2
        exit 1
    fi
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    covered=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
    printf '%-22s %12s %10s %10s\n' "$name" "$executions" "$covered" "$(find "target/fuzz/corpus/$name" -type f | wc -l)"
done
