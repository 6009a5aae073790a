#!/usr/bin/env bash
# Builds programs as a release has them: the same bytes from the same sources with the same compiler, wherever they lie.
#
#   deploy/release-build.sh SOURCES TARGET PROGRAM...
#
# SOURCES is a checkout, TARGET Cargo's folder for what is built; the programs are then in TARGET/release.
set -euo pipefail

sources=$(cd "$1" && pwd)
target=$2
shift 2
packages=()
for program in "$@"; do packages+=(--package "$program"); done

# A path in the binary would tell where it was built, and make two builds differ.
export CARGO_ENCODED_RUSTFLAGS
printf -v CARGO_ENCODED_RUSTFLAGS '%s\x1f%s' \
    "--remap-path-prefix=$sources=/src" "--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo"
# C sources are compiled as well; for a time in them the commit's counts.
export CFLAGS="-ffile-prefix-map=$sources=/src -ffile-prefix-map=${CARGO_HOME:-$HOME/.cargo}=/cargo"
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$sources" log -1 --format=%ct)}
export CARGO_INCREMENTAL=0
cd "$sources"
cargo build --release --locked --target-dir "$target" "${packages[@]}"
