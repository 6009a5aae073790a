#!/usr/bin/env bash
# Packs what a release consists of, and signs it.
#
#   deploy/release-pack.sh STAGE SBOM KEY OUT VERSION
#
# STAGE is a folder with all that is to be in the archive, SBOM one with the lists of parts, KEY the operator's Ed25519
# key (PEM, PKCS #8), OUT an empty or new folder. OUT then has the archive, the lists, SHA256SUMS of them all and
# SHA256SUMS.sig, the signature of that.
set -euo pipefail

stage=$1 sbom=$2 key=$3 out=$4 version=$5
mkdir -p "$out"
[ -z "$(ls -A "$out")" ] || { echo "$out is not empty" >&2; exit 1; }
when=${SOURCE_DATE_EPOCH:-$(date +%s)}
archive="notary-hub-$version-$(uname -m).tar.gz"
# The same files make the same archive, whoever packs them and when.
tar --create --sort=name --mtime="@$when" --owner=0 --group=0 --numeric-owner --mode='go-w' \
    --transform "s,^\.,notary-hub-$version," --directory "$stage" . | gzip --no-name --best >"$out/$archive"
cp "$sbom"/*.cdx.json "$out"
cd "$out"
sha256sum -- *.tar.gz *.cdx.json >SHA256SUMS
openssl pkeyutl -sign -rawin -inkey "$key" -in SHA256SUMS -out SHA256SUMS.sig
