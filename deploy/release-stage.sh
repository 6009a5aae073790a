#!/usr/bin/env bash
# Copies what a release has beside its programs: units, settings, rules, examples, scripts and documents.
#
#   deploy/release-stage.sh STAGE
set -euo pipefail
stage=$(realpath --canonicalize-missing "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/.."

mkdir -p "$stage"/{deploy,hub,office-agent}
cp -R deploy/{systemd,prometheus,grafana,proxy,notary-hub.toml,office-agent.toml,backup.sh,restore.sh,verify-release.sh} "$stage/deploy"
cp -R hub/rules "$stage/hub"
cp -R office-agent/examples "$stage/office-agent"
cp -R docs README.md README.zh-CN.md ARCHITECTURE.md CHANGELOG.md CONTRIBUTING.md LICENSE SECURITY.md THREATS.md "$stage"
