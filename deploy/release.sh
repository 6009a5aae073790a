#!/usr/bin/env bash
# Builds both programs, packs them with their units, settings, documents and the notices of what others made, lists what they
# are made of and signs it all. `make release RELEASE_KEY=FILE` has the tools ready; docs/release.md says how a key is made and kept.
#
#   deploy/release.sh KEY
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

[ -r "${1:-}" ] || { echo "which key? openssl genpkey -algorithm ed25519 -out ../release-key.pem makes one" >&2; exit 2; }
key=$(realpath "$1")
[ -z "$(git status --porcelain)" ] || { echo "the checkout has changes that no commit has" >&2; exit 1; }
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
stage="$work/stage"

deploy/release-build.sh . target/release-build notary-hub office-agent
install -D -t "$stage/bin" target/release-build/release/{notary-hub,office-agent}
deploy/release-stage.sh "$stage"
deploy/third-party.sh "$stage/THIRD-PARTY.txt"
git rev-parse HEAD >"$stage/COMMIT"
deploy/sbom.sh "$work/sbom"
deploy/release-pack.sh "$stage" "$work/sbom" "$key" "target/release-$version" "$version"
echo "target/release-$version is what to publish, beside the public key:"
openssl pkey -in "$key" -pubout
