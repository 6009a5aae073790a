# Two commands to begin with: `make demo` and `make test`. Each does its own set-up.
SHELL := /bin/bash
.DEFAULT_GOAL := help

CARGO ?= cargo
CASES ?= 100000
SEED ?= 2012
RECORDS ?= 100000,1000000
GROWTH_CASES ?= 10000000
TOOLS = $(shell deploy/setup.sh tools)
# The Node that set-up fetched goes before the machine's own.
NODE = PATH="$(TOOLS)/node/bin:$$PATH"
CONSOLE := hub/console
CONSOLE_SOURCES := $(shell find $(CONSOLE)/src $(CONSOLE)/public $(CONSOLE)/tools -type f ! -name schema.d.ts ! -name components.d.ts) \
	$(addprefix $(CONSOLE)/,index.html openapi.json package.json tsconfig.json vite.config.ts)
FAULT_MINUTES ?= 2
POINTS ?= 100000
SEEDS ?= 500
FUZZ_SECONDS ?= 60
ATTACK_SECONDS ?= 2
PROGRAMS ?= notary-hub office-agent

.PHONY: help rust demo demo-once console console-test openapi schema api-test test lint format bench bench-linkage bench-growth hostile answer-times fault power-loss failover attack scan-tls full-disk simulate fuzz train linkage-quality prepare sbom release reproducible clean-demo

help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: rust console ## A whole city on this machine: hub, 15 offices, 100,000 cases; stays up until Ctrl-C
	@deploy/setup.sh run
	@$(CARGO) build --release --locked -p notary-hub -p office-agent -p sandbox
	@target/release/sandbox --cases $(CASES) --seed $(SEED)

demo-once: rust console ## The same without staying; ends with one line SUMMARY {json}
	@deploy/setup.sh run
	@$(CARGO) build --release --locked -p notary-hub -p office-agent -p sandbox
	@target/release/sandbox --cases $(CASES) --seed $(SEED) --once

# Before the console is built, which takes minutes.
rust:
	@deploy/setup.sh rust

# Nothing is done when nothing changed.
console: $(CONSOLE)/dist/index.html ## Build the web console, which the hub embeds

$(CONSOLE)/node_modules/.package-lock.json: $(CONSOLE)/package-lock.json
	@deploy/setup.sh console
	@cd $(CONSOLE) && $(NODE) npm ci --silent
	@touch $@

$(CONSOLE)/dist/index.html: $(CONSOLE)/node_modules/.package-lock.json $(CONSOLE_SOURCES)
	@cd $(CONSOLE) && $(NODE) npm run --silent build

openapi: ## Write the OpenAPI document anew that the console's client is made of
	@WRITE_OPENAPI=1 $(CARGO) test --locked --quiet -p notary-hub --lib -- openapi

schema: ## Draw the database anew: docs/schema.md
	@WRITE_SCHEMA=1 $(CARGO) test --locked --quiet -p notary-hub --test schema

api-test: ## Hold the OpenAPI document against a running hub with schemathesis
	@deploy/setup.sh run
	@deploy/setup.sh api
	@$(CARGO) test --locked -p notary-hub --test routes -- --ignored schema

console-test: rust console ## The console in a browser on a small city: every role does its job; target/screenshots/
	@deploy/setup.sh run
	@deploy/setup.sh browser
	@$(CARGO) build --locked -p notary-hub -p office-agent -p sandbox
	@cd $(CONSOLE) && $(NODE) npm run --silent browser

test: rust console ## Unit, property and end-to-end tests with real PostgreSQL, MariaDB, TLS and processes
	@deploy/setup.sh test
	@# Both programs are built with the tests of their own crates; the end-to-end tests run those.
	@cd $(CONSOLE) && $(NODE) npm test --silent
	@$(CARGO) test --locked --workspace

lint: console ## rustfmt, clippy with warnings denied, buf, vue-tsc, cargo-deny, npm's licences, promtool, THREATS.md's tests
	@deploy/setup.sh lint
	@$(CARGO) fmt --all --check
	@$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	@deploy/check-threats.sh
	@cd proto && "$(TOOLS)/node_modules/.bin/buf" lint && "$(TOOLS)/node_modules/.bin/buf" format --diff --exit-code
	@cd $(CONSOLE) && $(NODE) npm run --silent licences && $(NODE) npm run --silent check
	@PATH="$(TOOLS)/bin:$$PATH" cargo deny --log-level error check licenses bans sources
	@PATH="$(TOOLS)/bin:$$PATH" promtool check config --lint-fatal deploy/prometheus/prometheus.yml >/dev/null
	@PATH="$(TOOLS)/bin:$$PATH" promtool test rules deploy/prometheus/rules.test.yml >/dev/null

format: ## Format Rust and proto files in place
	@$(CARGO) fmt --all
	@cd proto && "$(TOOLS)/node_modules/.bin/buf" format --write

bench: ## Ratios against raw COPY and pgbench, interleaved, on nothing and on 3 million cases, then bench-linkage; target/bench/
	@deploy/setup.sh run
	@$(CARGO) build --release --locked -p notary-hub -p bench
	@target/release/bench
	@target/release/bench --on-top-of 3000000 --lookup-seconds 0 --persons 0 --report target/bench/on-top.json
	@$(MAKE) --no-print-directory bench-linkage

bench-linkage: ## Person linkage beside Splink and on FEBRL: RECORDS (100000,1000000), about 5 minutes; target/bench/linkage.json
	@deploy/setup.sh versus
	@$(CARGO) build --release --locked -p linkage-quality
	@target/release/linkage-quality versus --records $(RECORDS) --python "$(TOOLS)/versus/bin/python"

bench-growth: ## What ten times the cases and thirty times the offices cost: GROWTH_CASES, with 10 million 20 GB and half an hour; target/bench/growth.json
	@deploy/setup.sh run
	@deploy/setup.sh versus
	@$(CARGO) build --release --locked -p notary-hub -p bench
	@target/release/bench growth --cases $(GROWTH_CASES) --python "$(TOOLS)/versus/bin/python"

hostile: ## Person linkage under attack: 65,000 records made to cost much; a few minutes
	@deploy/setup.sh test
	@$(CARGO) test --release --locked -p notary-hub --test linking -- --ignored --nocapture

answer-times: ## Whether the time of a look-up's answer tells what the answer does not; a minute behind the build
	@deploy/setup.sh run
	@$(CARGO) test --release --locked -p notary-hub --test lookup -- --ignored --nocapture answer_times

fault: ## Kill, pause, cut, fill and set clocks under load for FAULT_MINUTES; as root with a disk of its own; target/fault/report.json
	@deploy/setup.sh fault
	@$(CARGO) build --release --locked -p notary-hub -p office-agent -p fault
	@target/release/fault --minutes $(FAULT_MINUTES)

power-loss: ## Cut an agent's power at POINTS (100,000) moments and see what its disk has left; target/power-loss/report.json
	@deploy/setup.sh trace
	@$(CARGO) build --release --locked -p power-loss
	@target/release/power-loss --points $(POINTS)

failover: ## Kill the primary of two local PostgreSQL clusters under load, promote the standby; the hub goes on
	@deploy/setup.sh run
	@$(CARGO) build --locked -p notary-hub -p office-agent
	@$(CARGO) test --locked -p end-to-end --test deploy -- --ignored failover

simulate: ## The sync protocol under SEEDS (500) simulated worlds that break; each make test has a few
	@SIMULATION_SEEDS=1..$$(($(SEEDS) + 1)) $(CARGO) test --locked -p simulation -- --nocapture

full-disk: ## An office's agent on a disk that fills up and gets room again; as root, it mounts one
	@deploy/setup.sh run
	@$(CARGO) build --locked -p notary-hub -p office-agent
	@$(CARGO) test --locked -p end-to-end --test city -- --ignored full_disk

attack: ## Abuse HTTP/2 and gRPC, ATTACK_SECONDS each vector, then scan TLS; target/attack/report.json
	@deploy/setup.sh run
	@$(CARGO) build --release --locked -p notary-hub -p attack
	@target/release/attack --seconds $(ATTACK_SECONDS)
	@$(MAKE) --no-print-directory scan-tls

scan-tls: ## sslyze against both doors of a hub of its own
	@deploy/setup.sh scan
	@$(CARGO) build --release --locked -p notary-hub -p attack
	@target/release/attack --scan "$(TOOLS)/sslyze/bin/python"

fuzz: ## Search behind every parser at an edge with libFuzzer, FUZZ_SECONDS each
	@SECONDS_EACH=$(FUZZ_SECONDS) tests/fuzz/run.sh

train: ## Train the weights of person linkage on a synthetic city of seed SEED, measure on another; docs/linkage.md
	@$(CARGO) build --release --locked -p linkage-quality
	@target/release/linkage-quality train --seed $(SEED)

linkage-quality: ## Measure the shipped weights on a city they were not trained on, and where they err
	@$(CARGO) build --release --locked -p linkage-quality
	@target/release/linkage-quality measure --seed $$(($(SEED) + 1))

sbom: ## What both programs and the console are made of, in CycloneDX; target/sbom/
	@deploy/setup.sh sbom
	@PATH="$(TOOLS)/bin:$(TOOLS)/node/bin:$$PATH" deploy/sbom.sh target/sbom

release: console ## Build, pack and sign a release with the key RELEASE_KEY; target/release-VERSION/ (docs/release.md)
	@deploy/setup.sh sbom
	@PATH="$(TOOLS)/bin:$(TOOLS)/node/bin:$$PATH" deploy/release.sh "$(RELEASE_KEY)"

reproducible: console ## Build PROGRAMS in two folders as a release is built, and compare their digests
	@PROGRAMS="$(PROGRAMS)" deploy/reproducible.sh

prepare: ## Refresh .sqlx/ (offline data of the compile-time checked queries) after changing SQL
	@deploy/setup.sh run
	@deploy/prepare-queries.sh

clean-demo: ## Remove the demo's data directory
	@rm -rf .sandbox
