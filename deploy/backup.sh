#!/usr/bin/env bash
# Backs the hub's database up while the hub runs. It runs as the hub's user, whose data directory it is; root becomes that.
#
#   deploy/backup.sh base --to DIR [--data-dir DIR] [--database CONNINFO] [--checkpoints DIR] [--keep N]
#       A whole copy, verified, in DIR/base/TIME: the database, and the audit log's signed checkpoints beside it.
#       The newest N (14) stay, and of DIR/wal what a restore from the oldest of them needs. Once a day: the hub's alert
#       HubBaseBackupOld goes by what is noted in the database at the end.
#   deploy/backup.sh wal --to DIR [--data-dir DIR] [--database CONNINFO]
#       Takes every change as it is made into DIR/wal, until it is ended: a service of its own. With it a restore
#       comes to within seconds of the end; without it, agents hand over again what came after the last base.
#   deploy/backup.sh keys --to DIR [--data-dir DIR]
#       The CA's key, the city's token key and the others, once after `notary-hub init` and after each rotation. DIR is
#       not where the database goes: who has both can undo the tokens.
#
# --data-dir is the hub's (/var/lib/notary-hub). Without --database the hub's private PostgreSQL is meant, which has to
# run; CONNINFO names the hub's database (dbname=…) and a user that may copy it and update hub_state. --checkpoints is
# audit.checkpoint_dir, when it is not `checkpoints` in the data directory; a copy kept by other people is worth more than
# this one. The agents' outboxes need no backup.
set -euo pipefail
umask 077

say() { printf 'backup: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
usage() { sed -n '2,20s/^# \{0,1\}//p' "$self" >&2; exit 2; }

self=$(realpath "${BASH_SOURCE[0]}")
what=${1:-}
shift || usage
given=("$what")
data_dir=/var/lib/notary-hub to="" database="" checkpoints="" keep=14
while [ $# -gt 0 ]; do
    [ $# -gt 1 ] || usage
    case "$1" in
    --data-dir | --to | --checkpoints) value=$(realpath -m "$2") ;;
    *) value=$2 ;;
    esac
    case "$1" in
    --data-dir) data_dir=$value ;;
    --to) to=$value ;;
    --database) database=$value ;;
    --checkpoints) checkpoints=$value && [ -d "$value" ] || fail "there is no folder $value" ;;
    --keep) keep=$value && [[ $keep =~ ^[1-9][0-9]*$ ]] || usage ;;
    *) usage ;;
    esac
    given+=("$1" "$value")
    shift 2
done
[ -n "$to" ] || usage
# From root's home, say, which the hub's user may not enter, no program would find its way back.
cd /
# What root left here the nightly copy, which is the hub's user, could neither use nor remove. Keys may be root's own.
owner=$(stat -c %U "$data_dir" 2>/dev/null || echo root)
if [ "$(id -u)" -eq 0 ] && [ "$owner" != root ] && [ "$what" != keys ]; then
    exec runuser -u "$owner" -- "$self" "${given[@]}"
fi
mkdir -p "$to"
checkpoints=${checkpoints:-$data_dir/checkpoints}

# The folder of PostgreSQL's programs of the major version that a folder's data is of, and of the newest for no folder.
programs() {
    local major='*' folder
    [ -z "$1" ] || major=$(cat "$1/PG_VERSION") || exit 1
    # shellcheck disable=SC2086 # a pattern
    folder=${NOTARY_HUB_PG_BIN:-$(ls -d /usr/lib/postgresql/$major/bin 2>/dev/null | sort -V | tail -n 1)}
    [ -n "$folder" ] || folder=$(dirname "$(command -v pg_verifybackup)")
    [ -x "$folder/pg_verifybackup" ] || fail "PostgreSQL's programs (${major/\*/any version}) are not here; install them, or set NOTARY_HUB_PG_BIN"
    echo "$folder"
}

# The private PostgreSQL says itself where its socket is.
if [ -n "$database" ]; then
    bin=$(programs "")
elif [ "$what" != keys ]; then
    running="$data_dir/postgres/postmaster.pid"
    [ -s "$running" ] || fail "no private PostgreSQL runs in $data_dir; start the hub, or give --database"
    bin=$(programs "$data_dir/postgres")
    socket=$(sed -n 5p "$running")
    [ -d "$socket" ] || fail "PostgreSQL's socket is in $socket, which is not there for this process; give the hub a data_dir of a shorter path"
    database="host=$socket user=postgres dbname=notary_hub"
fi

base() {
    local time done of_its_version before
    time=$(date -u +%Y%m%dT%H%M%SZ)
    done="$to/base/$time"
    mkdir -p "$to/base"
    exec 9>"$to/base/.lock"
    flock --nonblock 9 || fail "another copy is being made in $to/base"
    rm -rf "$to"/base/*.partial
    "$bin/pg_basebackup" --dbname "$database" --pgdata "$done.partial/database" --checkpoint=fast --wal-method=stream
    of_its_version=$(programs "$done.partial/database")
    "$of_its_version/pg_verifybackup" --quiet "$done.partial/database"
    # After the database: whatever a checkpoint signs was in the log before.
    if [ -d "$checkpoints" ]; then
        # They never change: those that the copy before has are linked, not copied again.
        before=$(find "$to/base" -mindepth 1 -maxdepth 1 -type d -name '*Z' | sort | tail -n 1)
        [ ! -d "${before:-none}/checkpoints" ] || cp -al "$before/checkpoints" "$done.partial/checkpoints"
        # One that differs is another file from here on: the older copies keep theirs.
        cp -RuT --remove-destination "$checkpoints" "$done.partial/checkpoints"
    else
        say "no checkpoints of the audit log in $checkpoints; name audit.checkpoint_dir with --checkpoints"
    fi
    sync
    mv "$done.partial" "$done"
    find "$to/base" -mindepth 1 -maxdepth 1 -type d -name '*Z' | sort -r | tail -n +$((keep + 1)) | xargs -r rm -rf
    forget_wal
    "$bin/psql" --no-psqlrc --no-password --quiet --dbname "$database" --command "UPDATE hub_state SET base_backup_at = now()" ||
        say "$done is whole, but the database could not note it: HubBaseBackupOld will be raised"
    echo "$done"
}

# The oldest copy says from where on it needs what was written.
forget_wal() {
    local oldest first
    [ -d "$to/wal" ] || return 0
    oldest=$(find "$to/base" -mindepth 1 -maxdepth 1 -type d -name '*Z' | sort | head -n 1)
    first=$(sed -n 's/^START WAL LOCATION: .*(file \([0-9A-F]*\))$/\1/p' "$oldest/database/backup_label")
    [ -n "$first" ] || fail "$oldest does not say where its log begins; nothing of $to/wal was removed"
    "$bin/pg_archivecleanup" "$to/wal" "$first"
}

wal() {
    mkdir -p "$to/wal"
    # The slot keeps what was not taken yet. It is there already at every start but the first.
    "$bin/pg_receivewal" --dbname "$database" --directory "$to/wal" --slot notary_hub_backup --create-slot --if-not-exists
    exec "$bin/pg_receivewal" --dbname "$database" --directory "$to/wal" --slot notary_hub_backup --synchronous
}

keys() {
    [ -d "$data_dir/pki" ] || fail "no keys in $data_dir/pki"
    [ ! -d "$to/base" ] || fail "$to holds backups of the database; keep the keys apart from them"
    local file
    file="$to/pki-$(date -u +%Y%m%dT%H%M%SZ).tar"
    tar -C "$data_dir" -cf "$file" pki
    echo "$file"
}

case "$what" in
base | wal | keys) "$what" ;;
*) usage ;;
esac
