#!/usr/bin/env bash
# Checks that THREATS.md speaks of every security goal, and that each row names tests and targets that exist.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

faults=0
fault() {
    echo "THREATS.md: $1" >&2
    faults=1
}

functions=$(git ls-files '*.rs' | xargs grep -hoE '\bfn [a-z0-9_]+\(' | sed 's/^fn //; s/($//' | sort -u)
while IFS= read -r row; do
    proofs=$(sed -E 's/ *\|$//; s/.*\| //' <<<"$row" | grep -oE '`[^`]+`' | tr -d '`') || fault "names no test: $row"
    while IFS= read -r proof; do
        case $proof in
        '') ;;
        'make '*) grep -qE "^${proof#make }:" Makefile || fault "no such target: $proof" ;;
        *) grep -qxF "$proof" <<<"$functions" || fault "no such test: $proof" ;;
        esac
    done <<<"$proofs"
done < <(grep -E '^\| S[0-9]+ \|' THREATS.md)
for goal in S{1..16}; do
    grep -qE "^(\| $goal \||- $goal:)" THREATS.md || fault "says nothing of $goal"
done
exit $faults
