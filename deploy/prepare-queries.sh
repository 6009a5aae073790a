#!/usr/bin/env bash
# Checks every SQL query against a freshly migrated private PostgreSQL and writes what the compiler
# needs to check them offline into .sqlx/. Does what `cargo sqlx prepare` does, without needing it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scratch=$(mktemp -d)
chmod 755 "$scratch"
bin=${NOTARY_HUB_PG_BIN:-$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)}

# PostgreSQL refuses to run as root.
as_postgres=()
if [ "$(id -u)" -eq 0 ]; then
    chown postgres "$scratch"
    as_postgres=(setpriv --reuid=postgres --regid=postgres --clear-groups)
fi

stop() {
    (cd / && "${as_postgres[@]}" "$bin/pg_ctl" -D "$scratch/data" -m immediate stop >/dev/null 2>&1) || true
    rm -rf "$scratch"
}
trap stop EXIT

(cd / && "${as_postgres[@]}" "$bin/initdb" -D "$scratch/data" -A trust -E UTF8 --locale=C.UTF-8 -U postgres >/dev/null)
(cd / && "${as_postgres[@]}" "$bin/pg_ctl" -D "$scratch/data" -l "$scratch/log" -w \
    -o "-k $scratch -c listen_addresses='' -c fsync=off" start >/dev/null)
url="postgres:///postgres?host=$scratch&user=postgres"
for migration in migrations/*.sql; do
    psql -q -v ON_ERROR_STOP=1 -f "$migration" "$url" >/dev/null
done

rm -rf .sqlx
mkdir .sqlx
# The macros write one file per query while they expand; touching the crate makes them expand.
touch hub/src/lib.rs
SQLX_OFFLINE=false SQLX_OFFLINE_DIR="$PWD/.sqlx" DATABASE_URL="$url" cargo check --quiet -p notary-hub --all-targets
echo "wrote $(find .sqlx -name '*.json' | wc -l) queries to .sqlx/"
