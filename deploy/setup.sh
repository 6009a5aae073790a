#!/usr/bin/env bash
# Makes a fresh Debian or Ubuntu machine ready for `make demo` and `make test`.
#
#   deploy/setup.sh rust     says so when Rust is missing or too old, and does nothing else
#   deploy/setup.sh run      what the demo needs: PostgreSQL 15+, a C compiler, Rust
#   deploy/setup.sh console  what the console is built with: a Node of its own where the machine's is too old
#   deploy/setup.sh browser  what the console is tested with: Chromium, and a font with Chinese characters
#   deploy/setup.sh test     the same as `run`, and what the tests need beside it: MariaDB's server, strace
#   deploy/setup.sh trace    what the power-loss suite records an agent with: strace
#   deploy/setup.sh fault    what the fault suite sets clocks with: libfaketime
#   deploy/setup.sh lint     the linters that are not part of Rust: buf, cargo-deny, promtool
#   deploy/setup.sh scan     the TLS scanner: sslyze, in a Python environment of its own
#   deploy/setup.sh api      what asks the REST interface all that its description allows: schemathesis, likewise
#   deploy/setup.sh sbom     what lists the parts of a release: cargo-cyclonedx
#   deploy/setup.sh versus   what person linkage is compared with: Splink, and FEBRL's data, in a Python of their own
#   deploy/setup.sh tools    prints the folder that those tools are in, outside the checkout: building one takes
#                            minutes, and a clean checkout should not cost them again
#
# It only finds and installs; it starts no service and changes no configuration. Without the right to
# install, it prints exactly what is missing and stops.
set -euo pipefail

readonly RUST_MIN="1.95"
readonly POSTGRES_MIN=15
readonly BUF_VERSION="1.75.0"
readonly CARGO_DENY_VERSION="0.20.2"
readonly CARGO_CYCLONEDX_VERSION="0.5.9"
readonly SSLYZE_VERSION="6.3.1"
readonly SCHEMATHESIS_VERSION="4.32.5"
readonly NODE_MIN="22.18"
readonly NODE_VERSION="24.21.0"
readonly NPM_VERSION="11.21.2"

cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly TOOLS="${XDG_CACHE_HOME:-$HOME/.cache}/notary-hub/tools"

say() { printf 'setup: %s\n' "$*" >&2; }

at_least() { # at_least WANTED FOUND
    [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]
}

has_postgres() {
    local bin
    for bin in "${NOTARY_HUB_PG_BIN:-}" /usr/lib/postgresql/*/bin "$(dirname "$(command -v postgres || echo /none/postgres)")"; do
        [ -x "$bin/postgres" ] && [ -x "$bin/initdb" ] || continue
        at_least "$POSTGRES_MIN" "$("$bin/postgres" --version | grep -oE '[0-9]+(\.[0-9]+)?' | head -n 1)" && return 0
    done
    return 1
}

has_mariadb() {
    { command -v mariadbd || [ -x /usr/sbin/mariadbd ]; } >/dev/null && command -v mariadb-install-db >/dev/null
}

has_rust() {
    command -v cargo >/dev/null && at_least "$RUST_MIN" "$(cargo --version | cut -d' ' -f2)"
}

# Installs Debian packages, or says which ones a person with the rights has to install.
install_packages() {
    [ "$#" -gt 0 ] || return 0
    local sudo=""
    if [ "$(id -u)" -ne 0 ]; then
        if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then sudo="sudo"; else
            say "missing: $*"
            say "install with:  sudo apt-get update && sudo apt-get install --no-install-recommends $*"
            exit 1
        fi
    fi
    if ! command -v apt-get >/dev/null; then
        say "missing: $* (Debian's names); this machine has no apt-get, install them by its own means"
        exit 1
    fi
    say "installing: $*"
    # A package that brings a service must not start it: the project runs its own private servers.
    local policy=/usr/sbin/policy-rc.d made_policy=""
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | $sudo tee "$policy" >/dev/null
        $sudo chmod +x "$policy"
        made_policy=yes
    fi
    local status=0
    {
        $sudo apt-get update -qq &&
            $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
    } >&2 || status=$?
    [ -z "$made_policy" ] || $sudo rm -f "$policy"
    return "$status"
}

need_rust() {
    has_rust && return 0
    say "Rust $RUST_MIN or newer is needed (found: $(cargo --version 2>/dev/null || echo none))."
    say "install it with rustup: see https://rustup.rs"
    exit 1
}

setup_rust() { need_rust; }

setup_run() {
    need_rust
    local missing=()
    has_postgres || missing+=(postgresql)
    command -v cc >/dev/null || missing+=(gcc libc6-dev)
    install_packages "${missing[@]}"
    has_postgres || { say "PostgreSQL $POSTGRES_MIN or newer is still missing; set NOTARY_HUB_PG_BIN to its bin folder"; exit 1; }
}

setup_test() {
    setup_run
    local missing=()
    has_mariadb || missing+=(mariadb-server-core)
    command -v strace >/dev/null || missing+=(strace)
    install_packages "${missing[@]}"
}

setup_trace() {
    need_rust
    command -v strace >/dev/null || install_packages strace
}

setup_fault() {
    setup_run
    compgen -G '/usr/lib/*/faketime/libfaketime.so.1' >/dev/null || install_packages libfaketime
}

setup_lint() {
    need_rust
    mkdir -p "$TOOLS"
    if [ "$("$TOOLS/node_modules/.bin/buf" --version 2>/dev/null)" != "$BUF_VERSION" ]; then
        command -v npm >/dev/null || install_packages npm
        say "fetching buf $BUF_VERSION"
        npm install --prefix "$TOOLS" --silent --no-fund --no-audit --no-save "@bufbuild/buf@$BUF_VERSION"
    fi
    cargo_tool cargo-deny "$CARGO_DENY_VERSION"
    need_promtool
}

cargo_tool() { # cargo_tool NAME VERSION
    local name=$1 version=$2
    if command -v "$name" >/dev/null || [ -x "$TOOLS/bin/$name" ]; then return 0; fi
    say "building $name $version (once, some minutes)"
    CARGO_TARGET_DIR="$TOOLS/build" cargo install --quiet --locked --root "$TOOLS" --version "$version" "$name"
    rm -rf "$TOOLS/build"
}

setup_sbom() {
    need_rust
    cargo_tool cargo-cyclonedx "$CARGO_CYCLONEDX_VERSION"
    setup_console
}

# Taken out of Debian's package: a machine that lints needs no Prometheus to run.
need_promtool() {
    if command -v promtool >/dev/null || [ -x "$TOOLS/bin/promtool" ]; then return 0; fi
    if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
        say "missing: promtool (Prometheus); this machine has no apt-get, install it by its own means"
        exit 1
    fi
    say "fetching promtool"
    local folder
    folder=$(mktemp -d)
    chmod 755 "$folder"
    (
        cd "$folder"
        apt-get download -qq prometheus 2>/dev/null || { apt-get update -qq && apt-get download -qq prometheus; }
        dpkg-deb --fsys-tarfile prometheus_*.deb | tar -x ./usr/bin/promtool
    ) >&2
    install -D "$folder/usr/bin/promtool" "$TOOLS/bin/promtool"
    rm -rf "$folder"
}

has_node() {
    command -v node >/dev/null && command -v npm >/dev/null && at_least "$NODE_MIN" "$(node --version | tr -d v)"
}

# Debian's Node may be older than what the console is built with. npm's registry has Node as a package, with an npm
# that goes with it; both are put beside the machine's own, which only fetches them.
setup_console() {
    has_node && return 0
    local node="$TOOLS/node"
    [ "$("$node/bin/node" --version 2>/dev/null)" != "v$NODE_VERSION" ] || return 0
    command -v npm >/dev/null || install_packages npm
    local architecture
    case "$(uname -m)" in
    x86_64) architecture=x64 ;;
    aarch64) architecture=arm64 ;;
    *)
        say "Node $NODE_MIN or newer is needed to build the console; install it by this machine's own means"
        exit 1
        ;;
    esac
    say "fetching Node $NODE_VERSION"
    rm -rf "$node"
    mkdir -p "$node/bin"
    npm install --prefix "$node" --silent --no-fund --no-audit --no-save \
        "node-linux-$architecture@$NODE_VERSION" "npm@$NPM_VERSION"
    ln -s "../node_modules/node-linux-$architecture/bin/node" "$node/bin/node"
    ln -s ../node_modules/npm/bin/npm-cli.js "$node/bin/npm"
}

setup_browser() {
    setup_console
    local missing=()
    command -v chromium >/dev/null || missing+=(chromium)
    fc-list :lang=zh 2>/dev/null | grep -q . || missing+=(fonts-wqy-microhei)
    install_packages "${missing[@]}"
}

setup_scan() { python_tool sslyze "$SSLYZE_VERSION"; }

setup_api() { python_tool schemathesis "$SCHEMATHESIS_VERSION"; }

python_tool() { # python_tool NAME VERSION: in a Python environment of its own
    local name=$1 version=$2 python="$TOOLS/$1/bin/python"
    [ "$("$python" -m pip show "$name" 2>/dev/null | sed -n 's/^Version: //p')" != "$version" ] || return 0
    python3 -c 'import ensurepip, venv' 2>/dev/null || install_packages python3-venv
    say "fetching $name $version"
    python3 -m venv "$TOOLS/$name"
    "$python" -m pip install --quiet --disable-pip-version-check "$name==$version"
}

setup_versus() {
    need_rust
    local wanted=tests/linkage-quality/versus/requirements.txt have="$TOOLS/versus/requirements.txt"
    cmp --silent "$wanted" "$have" && return 0
    python3 -c 'import ensurepip, venv' 2>/dev/null || install_packages python3-venv
    say "fetching Splink and FEBRL's data (once)"
    rm -rf "$TOOLS/versus"
    mkdir -p "$TOOLS"
    python3 -m venv "$TOOLS/versus"
    "$TOOLS/versus/bin/pip" install --quiet --disable-pip-version-check -r "$wanted"
    cp "$wanted" "$have"
}

case "${1:-}" in
rust | run | console | browser | test | trace | fault | lint | scan | api | sbom | versus) "setup_$1" ;;
tools) echo "$TOOLS" ;;
*)
    sed -n '2,20s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac
