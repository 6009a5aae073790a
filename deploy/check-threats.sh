#!/usr/bin/env bash
# Checks that THREATS.md speaks of every security goal, and that each row of it and of docs/asvs.md names tests and
# targets that exist.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

faults=0
fault() {
    echo "$1" >&2
    faults=1
}

functions=$(git ls-files --cached --others --exclude-standard '*.rs' | xargs grep -hoE '\bfn [a-z0-9_]+\(' | sed 's/^fn //; s/($//' | sort -u)

# What the last cell of a row names.
proofs_of() { sed -E 's/ *\|$//; s/.*\| ?//' <<<"$1" | grep -oE '`[^`]+`' | tr -d '`'; }

check() { # check FILE ROW
    local proof
    while IFS= read -r proof; do
        case $proof in
        '') ;;
        'make '*) grep -qE "^${proof#make }:" Makefile || fault "$1: no such target: $proof" ;;
        *) grep -qxF "$proof" <<<"$functions" || fault "$1: no such test: $proof" ;;
        esac
    done < <(proofs_of "$2")
}

while IFS= read -r row; do
    [ -n "$(proofs_of "$row")" ] || fault "THREATS.md: names no test: $row"
    check THREATS.md "$row"
done < <(grep -E '^\| S[0-9]+ \|' THREATS.md)
for goal in S{1..16}; do
    grep -qE "^(\| $goal \||- $goal:)" THREATS.md || fault "THREATS.md: says nothing of $goal"
done

asvs=docs/asvs.md
while IFS= read -r row; do
    IFS='|' read -r _ id _ stands how _ <<<"$row"
    case ${stands// /} in
    met | inpart | notmet | bydesign | n/a) ;;
    *) fault "$asvs: row$id stands as nothing known:$stands" ;;
    esac
    # Whatever is not met by a test says how it stands.
    [ -n "$(proofs_of "$row")" ] || [ -n "${how// /}" ] || [[ $stands == *design* || $stands == *'not met'* ]] ||
        fault "$asvs: row$id says neither how nor by which test"
    check "$asvs" "$row"
done < <(grep -E '^\| [0-9]+\.[0-9]+\.[0-9]+' "$asvs")
exit $faults
