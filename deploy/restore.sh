#!/usr/bin/env bash
# Puts a backup of deploy/backup.sh in the place of the hub's private database. Run it as the hub's user (or as root),
# with the hub stopped and its keys in place (`pki/` in the data directory; from `backup.sh keys` on a new machine).
#
#   deploy/restore.sh --from DIR/base/TIME --config FILE [--data-dir DIR] [--wal DIR/wal [--until TIME]]
#
# What was there before is put aside, not removed; so is the backup's `wal`, which what is written from now on does not
# continue: a log of both would restore neither. With --wal everything is taken in that `backup.sh wal` had, or as
# much as came before --until ("2026-03-01 08:00+08"). At the end `notary-hub restored` announces a new data epoch:
# every office then hands over again what its outbox keeps (outbox.retention_days, 30), and what the hub has already
# changes nothing. `notary-hub` is taken from PATH, or from NOTARY_HUB.
#
# A database that is not the private one is restored by its own means (Patroni, pgBackRest); then `notary-hub restored`.
set -euo pipefail
umask 077

say() { printf 'restore: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
usage() { sed -n '2,14s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }

data_dir=/var/lib/notary-hub from="" config="" wal="" until=""
while [ $# -gt 0 ]; do
    [ $# -gt 1 ] || usage
    case "$1" in
    --data-dir) data_dir=$2 ;;
    --from) from=$(realpath "$2") ;;
    --config) config=$2 ;;
    --wal) wal=$(realpath "$2") ;;
    --until) until=$2 ;;
    *) usage ;;
    esac
    shift 2
done
[ -n "$from" ] && [ -n "$config" ] || usage
hub=${NOTARY_HUB:-notary-hub}
command -v "$hub" >/dev/null || fail "notary-hub is not in PATH; set NOTARY_HUB"
[ -d "$data_dir/pki" ] || fail "no keys in $data_dir/pki; put them back first"
[ -f "$from/database/PG_VERSION" ] || fail "$from is no backup"
# Left by a hub that runs, or by one that was killed.
id=$(head -n 1 "$data_dir/postgres/postmaster.pid" 2>/dev/null || true)
if [ -n "$id" ] && [ "$(cat "/proc/$id/comm" 2>/dev/null)" = postgres ]; then
    fail "PostgreSQL runs in $data_dir; stop the hub first"
fi

bin=${NOTARY_HUB_PG_BIN:-$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)}
[ -n "$bin" ] || bin=$(dirname "$(command -v pg_verifybackup || echo .)")
"$bin/pg_verifybackup" --quiet "$from/database"

place="$data_dir/postgres" owner=$(stat -c %u:%g "$data_dir")
if [ -d "$place" ]; then
    owner=$(stat -c %u:%g "$place")
    aside="$place.before-$(date -u +%Y%m%dT%H%M%SZ)"
    mv "$place" "$aside"
    say "what was there is now in $aside"
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
taken=${wal:-$(dirname "$(dirname "$from")")/wal}
if [ -d "$taken" ]; then
    aside="$taken.before-$(date -u +%Y%m%dT%H%M%SZ)"
    mv "$taken" "$aside" || fail "the database is restored, but $taken cannot be put aside; move it before backup.sh wal starts again"
    say "the log up to now is in $aside; start backup.sh wal again (notary-hub-wal), and take a new base at once"
fi
say "start the hub; watch GET /api/v1/offices/{id}/feed until no office has anything waiting"
