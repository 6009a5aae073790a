#!/usr/bin/env bash
# Writes what the programs and the console are made of to a folder, in CycloneDX's JSON: one document for each.
#
#   deploy/sbom.sh FOLDER
#
# The crates are those of Cargo.lock, by cargo-cyclonedx; the console's packages those of package-lock.json that are in
# what it ships, by npm.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

mkdir -p "$1"
out=$(cd "$1" && pwd)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
name=release-sbom
# cargo-cyclonedx writes one beside the manifest of every crate of the workspace.
sweep() { git ls-files '*Cargo.toml' 'Cargo.toml' | xargs -n 1 dirname | sort -u | while IFS= read -r folder; do rm -f "$folder/$name.json"; done; }
trap sweep EXIT
cargo cyclonedx --quiet --format json --spec-version 1.5 --all --target all --override-filename "$name"
for program in hub:notary-hub office-agent:office-agent; do
    # Where this checkout lies is nobody's business.
    sed "s,file://$PWD/,file:///src/,g" "${program%%:*}/$name.json" >"$out/${program##*:}.cdx.json"
done
(cd hub/console && npm sbom --package-lock-only --omit dev --sbom-format cyclonedx) >"$out/console.cdx.json"
for document in "$out"/*.cdx.json; do
    parts=$(grep -c '"purl"' "$document")
    [ "$parts" -gt 1 ] || { echo "$document lists nothing" >&2; exit 1; }
    echo "$(basename "$document"): $parts parts"
done
