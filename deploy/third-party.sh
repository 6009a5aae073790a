#!/usr/bin/env bash
# Writes the notices of whatever is in the programs that others made: crates, the console's packages, and data.
#
#   deploy/third-party.sh FILE
#
# The texts are those that the parts bring themselves, out of Cargo's cache and hub/console/node_modules, so both programs
# and the console have to be built before. Equal texts stand once, under all whose they are.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

out=$1
texts=$(mktemp -d)
trap 'rm -rf "$texts"' EXIT

note() { # note NAME LICENCE FOLDER
    local file sum found=""
    while IFS= read -r file; do
        sum=$(sha256sum <"$file" | cut -c 1-16)
        cp "$file" "$texts/$sum.text"
        echo "$1 ($2)" >>"$texts/$sum.names"
        found=yes
    done < <(find "$3" -maxdepth 2 -type f -regextype posix-extended -iregex '.*/(licen[cs]e|copying|copyright|notice|unlicense)[^/]*' | sort)
    [ -n "$found" ] || echo "$1 ($2)" >>"$texts/without"
}

sources=$(ls -d "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/ | head -n 1)
crates=0
while IFS='|' read -r package licence; do
    # Without a path: from the registry, not of this workspace.
    read -r name version rest <<<"$package"
    [[ $rest != *"($PWD"* ]] || continue
    folder="$sources$name-${version#v}"
    [ -d "$folder" ] || { echo "$folder is not there; build the programs first" >&2; exit 1; }
    note "$name ${version#v}" "$licence" "$folder"
    crates=$((crates + 1))
done < <(cargo tree --locked -p notary-hub -p office-agent -e normal --prefix none --format '{p}|{l}' | sed '/^$/d; s/ (\*)//; s/ (proc-macro)//' | sort -u)

packages=0
while IFS= read -r folder; do
    about='const p = require(process.argv[1]); console.log(`${p.name} ${p.version}|${p.license}`)'
    IFS='|' read -r name licence < <(node -e "$about" "$folder/package.json")
    note "$name" "$licence" "$folder"
    packages=$((packages + 1))
done < <(cd hub/console && npm ls --omit dev --all --parseable 2>/dev/null | grep /node_modules/ | sort -u)
[ "$crates" -gt 0 ] && [ "$packages" -gt 0 ] || { echo "nothing was found: $crates crates, $packages packages" >&2; exit 1; }

{
    echo "What others made of notary-hub, office-agent and the console, and on what terms."
    cat deploy/third-party-data.txt
    for names in "$texts"/*.names; do
        printf '\n%s\n' "--------------------------------------------------------------------------------"
        sort -u "$names"
        echo
        cat "${names%.names}.text"
    done
    if [ -f "$texts/without" ]; then
        printf '\n%s\n' "--------------------------------------------------------------------------------"
        printf 'These bring no text of the licence that they name:\n\n'
        sort -u "$texts/without"
    fi
} >"$out"
echo "$out: $crates crates, $packages packages, $(find "$texts" -name '*.text' | wc -l) texts"
