#!/usr/bin/env bash
# Puts a backup of deploy/backup.sh in the place of the hub's private database, with the hub stopped and its keys in place
# (`pki/` in the data directory; from `backup.sh keys` on a new machine). It runs as the hub's user; root becomes that.
#
#   deploy/restore.sh --from DIR/base/TIME --config FILE [--wal DIR/wal [--until TIME]]
#
# What was there before is put aside, not removed: the database, and DIR/base and DIR/wal together, to DIR/before-NOW, for
# what is written from now on does not continue them. Another try takes both from there. With --wal everything is taken
# in that `backup.sh wal` had, or as much as came before --until ("2026-03-01 08:00+08"). At the end `notary-hub restored`
# announces a new data epoch: every office then hands over again what its outbox keeps (outbox.retention_days, 30), and
# what the hub has already changes nothing. `notary-hub` is taken from PATH, or from NOTARY_HUB.
#
# A database that is not the private one is restored by its own means (Patroni, pgBackRest); then `notary-hub restored`.
set -euo pipefail
umask 077

say() { printf 'restore: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
usage() { sed -n '2,14s/^# \{0,1\}//p' "$self" >&2; exit 2; }

self=$(realpath "${BASH_SOURCE[0]}")
given=()
from="" config="" wal="" until=""
while [ $# -gt 0 ]; do
    [ $# -gt 1 ] || usage
    case "$1" in
    --from | --wal) value=$(realpath -m "$2") ;;
    # What it names stands beside it, not beside what it may be a link to.
    --config) value=$(realpath -ms "$2") ;;
    *) value=$2 ;;
    esac
    case "$1" in
    --from) from=$value ;;
    --config) config=$value ;;
    --wal) wal=$value ;;
    --until) until=$value ;;
    *) usage ;;
    esac
    given+=("$1" "$value")
    shift 2
done
[ -n "$from" ] && [ -n "$config" ] || usage
[ -n "$wal" ] || [ -z "$until" ] || fail "--until needs --wal: a copy alone is of one moment"
hub=$(command -v "${NOTARY_HUB:-notary-hub}") || fail "notary-hub is not in PATH; set NOTARY_HUB"
hub=$(realpath -s "$hub")
export NOTARY_HUB=$hub
# From root's home, say, which the hub's user may not enter, no program would find its way back.
cd /
in_force=$("$hub" check-config --config "$config")
! grep -q '^url = ' <<<"$in_force" ||
    fail "the hub has a database of its own (database.url), which is restored by its own means; then notary-hub restored"
data_dir=$(sed -n 's/^data_dir = "\(.*\)"$/\1/p' <<<"$in_force")
owner=$(stat -c %U "$data_dir")
if [ "$(id -u)" -eq 0 ] && [ "$owner" != root ]; then
    exec runuser -u "$owner" -- "$self" "${given[@]}"
fi
[ -d "$data_dir/pki" ] || fail "no keys in $data_dir/pki; put them back first"
# Copies that root made with the script of before are root's.
closed=$(LC_ALL=C find "$from" ${wal:+"$wal"} ! -readable -print -quit 2>&1 || true)
case "$closed" in
"" | *"No such file or directory"*) ;;
*) fail "not readable for $(id -un), whose base and wal have to be (chown -R): ${closed%%$'\n'*}" ;;
esac
[ -f "$from/database/PG_VERSION" ] || fail "$from is no backup"
# Left by a hub that runs, or by one that was killed.
id=$(head -n 1 "$data_dir/postgres/postmaster.pid" 2>/dev/null || true)
if [ -n "$id" ] && [ "$(cat "/proc/$id/comm" 2>/dev/null)" = postgres ]; then
    fail "PostgreSQL runs in $data_dir; stop the hub first"
fi

# DIR, also where an earlier restore has put aside what is restored now.
beside=$(dirname "$(dirname "$from")")
[ "$from" = "$beside/base/$(basename "$from")" ] || fail "$from is not DIR/base/TIME, as backup.sh makes it"
[ -z "$wal" ] || [ "$wal" = "$beside/wal" ] || fail "$wal is not the log of $from, which is $beside/wal"
backups=$beside
case "$(basename "$beside")" in before-*) backups=$(dirname "$beside") ;; esac
for folder in "$backups" "$backups/base" "$backups/wal"; do
    [ ! -d "$folder" ] || [ -w "$folder" ] ||
        fail "$folder is not to be written by $(id -un), who has to put it aside for what comes"
done

version=$(cat "$from/database/PG_VERSION")
bin=${NOTARY_HUB_PG_BIN:-/usr/lib/postgresql/$version/bin}
[ -x "$bin/pg_verifybackup" ] || bin=$(dirname "$(command -v pg_verifybackup || echo .)")
"$bin/pg_verifybackup" --quiet "$from/database" || fail "$from is damaged, or PostgreSQL $version, which it is of, is not here"

# The first segment behind the copy; segments are of 16 MiB.
following() {
    local timeline high low segment
    read -r timeline high low < <(sed -n 's|.*"Timeline": \([0-9]*\),.*"End-LSN": "\([0-9A-F]*\)/\([0-9A-F]*\)".*|\1 \2 \3|p' \
        "$from/database/backup_manifest" | tail -n 1)
    segment=$(((((0x$high << 32) + 0x$low - 1) >> 24) + 1))
    printf '%08X%08X%08X' "$timeline" $((segment >> 8)) $((segment & 255))
}
if [ -n "$wal" ]; then
    # PostgreSQL takes a log that does not reach the copy for one that has ended.
    next=$(following)
    [ -f "$wal/$next" ] || [ -f "$wal/$next.partial" ] ||
        fail "$wal does not continue $from: it lacks $next. Another copy may do; without --wal the hub gets what the offices keep"
fi

time=$(date -u +%Y%m%dT%H%M%SZ)
place="$data_dir/postgres" owner=$(stat -c %u:%g "$data_dir")
if [ -d "$place" ]; then
    owner=$(stat -c %u:%g "$place")
    mv "$place" "$place.before-$time"
    say "what was there is now in $place.before-$time"
fi
cp -R "$from/database" "$place"
settings="$place/postgresql.auto.conf"
if [ -n "$wal" ]; then
    # Beside the database, whose account may not read the backups.
    cp -R "$wal" "$place/restored_wal"
    cp "$settings" "$settings.before"
    {
        # The last segment was not finished.
        printf "restore_command = 'cp \"restored_wal/%%f\" \"%%p\" 2>/dev/null || cp \"restored_wal/%%f.partial\" \"%%p\"'\n"
        [ -z "$until" ] || printf "recovery_target_time = '%s'\n" "$until"
        printf "recovery_target_action = 'promote'\n"
        # Whoever connects finds it whole.
        printf "hot_standby = off\n"
    } >>"$settings"
    touch "$place/recovery.signal"
fi
[ "$(id -u)" -ne 0 ] || chown -R "$owner" "$place"
chmod 700 "$place"
"$hub" restored --config "$config"
if [ -n "$wal" ]; then
    mv "$settings.before" "$settings"
    rm -rf "$place/restored_wal"
fi
# Also without --wal: the same numbers would be taken a second time.
for folder in base wal; do
    [ -d "$backups/$folder" ] || continue
    mkdir -p "$backups/before-$time"
    mv "$backups/$folder" "$backups/before-$time/"
    say "$backups/$folder is now in $backups/before-$time"
done
say "start the hub and backup.sh wal (notary-hub-wal), and take a new base at once"
say "watch GET /api/v1/offices/{id}/feed until no office has anything waiting"
