#!/usr/bin/env bash
# Says whether a release is what the holder of a key signed: run it before anything of the archive.
#
#   deploy/verify-release.sh FOLDER PUBLIC_KEY
#
# PUBLIC_KEY is the operator's, from elsewhere than the release. Exit 0 when all is as signed; 1 when not; 2 when it
# could not be looked at.
set -euo pipefail

[ $# -eq 2 ] && [ -d "$1" ] && [ -r "$2" ] || { sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
key=$(realpath "$2")
cd "$1"
refuse() {
    echo "not to be trusted: $*" >&2
    exit 1
}

[ -r SHA256SUMS ] && [ -r SHA256SUMS.sig ] || refuse "SHA256SUMS or its signature is missing"
openssl pkeyutl -verify -pubin -inkey "$key" -rawin -in SHA256SUMS -sigfile SHA256SUMS.sig >/dev/null 2>&1 ||
    refuse "SHA256SUMS is not signed with this key"
# A list of names in this folder and nothing else: no path leads out of it.
! grep -qvE '^[0-9a-f]{64}  [A-Za-z0-9][A-Za-z0-9._-]*$' SHA256SUMS || refuse "SHA256SUMS names something strange"
sha256sum --check --strict --quiet SHA256SUMS >&2 || refuse "a file is not the one that was signed"
shopt -s dotglob
for file in *; do
    case $file in
    SHA256SUMS | SHA256SUMS.sig) ;;
    *) grep -qF "  $file" SHA256SUMS && grep -qxE "[0-9a-f]{64}  ${file//./\\.}" SHA256SUMS || refuse "$file was not signed" ;;
    esac
done
grep -qE '\.tar\.gz$' SHA256SUMS || refuse "there is no archive"
for list in notary-hub office-agent console; do
    grep -qF "  $list.cdx.json" SHA256SUMS || refuse "the list of parts of $list is missing"
done
echo "as signed: $(sed 's/^[0-9a-f]*  //' SHA256SUMS | paste -sd ' ')"
