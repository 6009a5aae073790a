#!/usr/bin/env bash
# Builds PROGRAMS (both, unless it says otherwise) twice as a release is built, from the last commit in two folders of
# different names, and says whether their digests are the same. The second build has nothing of the first. A crate that
# is a library (`PROGRAMS="linkage notary-proto"`) is compared as one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

read -ra programs <<<"${PROGRAMS:-notary-hub office-agent}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
for place in first another-place; do
    mkdir -p "$work/$place"
    git archive HEAD | tar -x -C "$work/$place"
    # The console is built apart, and the same for both.
    mkdir -p "$work/$place/hub/console/dist"
    if [ -d hub/console/dist ]; then cp -R hub/console/dist/. "$work/$place/hub/console/dist"; fi
    deploy/release-build.sh "$work/$place" "$work/$place/target" "${programs[@]}"
    for program in "${programs[@]}"; do
        built="$work/$place/target/release/$program"
        [ -f "$built" ] || built="${built%/*}/lib${program//-/_}.rlib"
        printf '%s  %s\n' "$(sha256sum "$built" | cut -d' ' -f1)" "$program"
    done >"$work/$place.sums"
    rm -rf "${work:?}/$place"
done
cat "$work/first.sums"
if ! diff "$work/first.sums" "$work/another-place.sums"; then
    echo "the two builds differ" >&2
    exit 1
fi
echo "both builds are the same"
