# `make help` lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

# The tests find their tools here first, then on the PATH.
export PATH := $(CURDIR)/target/tools/bin:$(PATH)

# Lists the tests that were skipped for want of a tool; see crates/test-support/src/tools.rs.
SKIPPED := target/skipped-tests.txt

# All tests but tests/third_party and tests/packages run without tools other than Rust's.
NEXTEST := $(shell command -v cargo-nextest)
ifdef NEXTEST
RUN_ALL  := cargo nextest run --workspace --no-fail-fast -E 'not binary(million)'
RUN_UNIT := cargo nextest run --workspace --no-fail-fast \
	-E 'not binary(third_party) and not binary(packages) and not binary(million)'
else
RUN_UNIT := cargo test --no-fail-fast --workspace --exclude nexmo-audit-exporter && cargo test --no-fail-fast \
	--package nexmo-audit-exporter --lib --bins \
	$(patsubst tests/%.rs,--test %,$(wildcard tests/*.rs)) \
	$(patsubst tests/%/main.rs,--test %,$(filter-out tests/third_party/% tests/packages/% tests/million/%,$(wildcard tests/*/main.rs)))
RUN_ALL  := $(RUN_UNIT) --test third_party --test packages
endif

# What `cargo package` makes packages of, but for the exporter itself.
CRATES := audit-core audit-simulator exporter-web yaml-tree

# $(call with,TOOL,COMMAND,TARGET) runs COMMAND, or notes that it is skipped for want of TOOL,
# which TARGET installs.
define with
@if command -v $(1) >/dev/null; then \
	echo "$(2)"; $(2); \
elif [[ -n $${CI:-} ]]; then \
	echo '$(1) is missing: run `make $(3)`' >&2; exit 1; \
else \
	echo 'SKIPPED $@: $(1) (run `make $(3)`)' | tee -a $(SKIPPED); \
fi
endef

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 20

.PHONY: test
test: tools ## install what the tests need, then check and test everything
	@rm -f $(SKIPPED)
	@$(MAKE) lint
	cargo test --workspace --doc --quiet
	@status=0; MILLION_HISTORIES=$${MILLION_HISTORIES:-10000} $(MAKE) million || status=$$?; \
	STORE_KILLS=1000 $(RUN_ALL) || status=$$?; \
	$(MAKE) bench-instructions || status=$$?; \
	$(MAKE) bench || status=$$?; \
	if [[ -s $(SKIPPED) ]]; then sort -u $(SKIPPED); else echo 'Nothing was skipped.'; fi; \
	exit $$status

# MILLION_HISTORIES, MILLION_FROM, and MILLION_SEED, which replays one history, are read
# from the environment.
.PHONY: million
million: ## the whole system in simulated time, 100,000 histories of it
	MILLION_HISTORIES=$${MILLION_HISTORIES:-100000} \
		cargo test --locked --profile million --test million -- --nocapture

# ARGUMENTS are for cargo-mutants: ARGUMENTS="--file 'crates/audit-core/src/gate/**'" is one
# module. The whole crate takes hours.
.PHONY: mutants
mutants: ## change the core crate in small ways, and see that its tests notice
	@bash tests/mutants.sh $(ARGUMENTS)

# HISTORY_SCOPE, a part of the names of the scopes to visit, is read from the environment.
.PHONY: every-history
every-history: ## every history of small scopes, with the gate and the ledger
	EVERY_HISTORY=1 cargo test --locked --profile million -p audit-core --test every_history \
		-- --nocapture --test-threads 1

.PHONY: unit
unit: ## run the tests that need no tools other than Rust's
	$(RUN_UNIT)

.PHONY: lint
lint: ## formatting, clippy, documentation, dependencies, Dockerfile
	@mkdir -p target
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --locked
	@# By itself a crate has only the features that it asks for.
	for crate in $(CRATES); do cargo check --locked --package $$crate; done
	$(call with,cargo-deny,cargo deny --all-features check --hide-inclusion-graph bans licenses sources,tools)
	$(call with,hadolint,hadolint Dockerfile,tools)

# SOAK_SEED, SOAK_DURATION (2h), SOAK_KILLS, SOAK_RATE (events a second) and
# SOAK_SCRAPE_INTERVAL (0: without the publish gate) are read from the environment.
.PHONY: soak
soak: tools ## half an hour of kills, crash loops, outages and replacements, with two Prometheus servers and nginx
	cargo test --locked --test third_party -- --ignored --exact exactly_once::soak --nocapture

# SOAK_SEED and SOAK_DURATION are read from the environment.
.PHONY: soak-accounts
soak-accounts: tools ## an hour of 100 accounts, with reloads, rotations, a full disk, strangers and kills
	cargo test --locked --release --test third_party -- --ignored --exact many_accounts::soak --nocapture

.PHONY: alarm-time
alarm-time: tools ## the time from an event to the notification, for ten settings, with real Prometheus servers and Alertmanagers
	cargo test --locked --test third_party -- --ignored --exact alerts::time_to_alarm::table --nocapture

# Each of FUZZ_TARGETS runs for FUZZ_SECONDS. An input that breaks a property is kept below
# fuzz/artifacts, and inputs that reach new code below target/fuzz, from which `make
# fuzz-corpus` keeps the fewest that reach the same code. cargo-fuzz needs a nightly
# compiler, or RUSTC_BOOTSTRAP.
FUZZ_SECONDS ?= 60
FUZZ_TARGETS ?= $(patsubst fuzz/targets/%.rs,%,$(wildcard fuzz/targets/*.rs))
FUZZ := RUSTC_BOOTSTRAP=1 cargo fuzz
# Safe Rust needs no sanitizer, and is faster without.
FUZZ_OPTIONS := --sanitizer none --codegen-units 16

.PHONY: fuzz
fuzz: ## look for inputs that break a property, FUZZ_SECONDS for each of FUZZ_TARGETS
	@for target in $(FUZZ_TARGETS); do \
		mkdir -p target/fuzz/$$target; \
		$(FUZZ) run $(FUZZ_OPTIONS) $$target target/fuzz/$$target fuzz/corpus/$$target -- \
			-max_total_time=$(FUZZ_SECONDS) -timeout=60 -rss_limit_mb=4096; \
	done

.PHONY: fuzz-corpus
fuzz-corpus: ## keep the fewest inputs that reach what `make fuzz` reached
	@for target in $(FUZZ_TARGETS); do \
		mkdir -p target/fuzz/$$target.least target/fuzz/$$target; \
		rm -f target/fuzz/$$target.least/*; \
		$(FUZZ) run $(FUZZ_OPTIONS) $$target target/fuzz/$$target.least fuzz/corpus/$$target \
			target/fuzz/$$target -- -set_cover_merge=1 -use_counters=0 -max_len=1024; \
		rm -f fuzz/corpus/$$target/*; cp target/fuzz/$$target.least/* fuzz/corpus/$$target/; \
	done

# Builds the binary of the release image, as the Dockerfile does, and measures that. The
# head of benches/side_by_side/settings.rs lists the variables that choose what.
BENCH = RUSTFLAGS='-C target-feature=+crt-static -C link-arg=-Wl,-z,pack-relative-relocs -C link-arg=-Wl,--icf=all' \
	cargo bench --locked --target $$(rustc --print host-tuple)

# These need no peer that is a script.
bench bench-instructions: PEERS = debian

.PHONY: bench
bench: peers ## measure the exporter beside two other programs, in two minutes
	$(call with,target/tools/peers/bin/wrk,BENCH_SHORT=1 $(BENCH) --bench side_by_side,peers)

.PHONY: bench-whole
bench-whole: peers ## measure the exporter beside other programs for a quarter of an hour: benches/RESULTS.md
	$(BENCH) --bench side_by_side

# RENEW_GENERATED=1 writes the file.
.PHONY: bench-instructions
bench-instructions: peers ## count instructions, and compare them with benches/instructions.txt
	$(call with,target/tools/peers/bin/valgrind,BENCH_PARTS=instructions $(BENCH) --bench side_by_side,peers)

.PHONY: bench-accounts
bench-accounts: peers ## measure ten thousand accounts in one exporter
	BENCH_PARTS=accounts $(BENCH) --bench side_by_side

.PHONY: bench-hour
bench-hour: peers ## watch memory and descriptors of a hundred accounts for an hour
	BENCH_PARTS=hour $(BENCH) --bench side_by_side

.PHONY: bench-polls
bench-polls: ## count the requests of a poll, which takes six minutes
	BENCH_PARTS=polls $(BENCH) --bench side_by_side

.PHONY: bench-micro
bench-micro: ## time the single steps of counting an event
	$(BENCH) --bench micro

.PHONY: bench-listing
bench-listing: tools ## time reading a million events beside the vendor's client
	$(BENCH) --bench listing

.PHONY: many-ids
many-ids: ## time a start with two million ids that a shorter lookback no longer needs
	cargo test --locked --release --test store_many_ids -- --ignored --nocapture

.PHONY: generated
generated: ## renew what is made from other files: manual pages, completions, rules and dashboards
	RENEW_GENERATED=1 cargo test --locked --test packages -- manual_pages completions_are the_rules_of the_dashboards_of

# ARGUMENTS are for the engine that builds it.
.PHONY: image
image: ## build the image by docker, podman or buildah
	packaging/image.sh $(ARGUMENTS)

.PHONY: image-offline
image-offline: tools ## the same by buildah, with a base image made of this machine
	tests/packages/image_offline.sh

.PHONY: deb
deb: ## build a Debian package of the static program into target/packages
	packaging/build.sh target/packages/nexmo-audit-exporter
	packaging/debian/build.sh target/packages/nexmo-audit-exporter target/packages

.PHONY: dist
dist: sbom-tools ## make what a release publishes in target/dist: archive, Debian package, SBOM, checksums
	rm -rf target/dist
	packaging/dist.sh target/dist

.PHONY: sbom-tools
sbom-tools:
	@bash tests/tools/system.sh
	@bash tests/tools/python.sh

.PHONY: sbom
sbom: sbom-tools ## list what the program is made of: target/packages/*.cdx.json, CycloneDX
	packaging/sbom.sh target/packages/nexmo-audit-exporter.cdx.json

# Into target/package, each built from nothing but the packages.
.PHONY: crates
crates: ## make the packages that `cargo publish` would upload
	cargo package --locked

.PHONY: reproducible
reproducible: ## build the release twice in different folders, and compare the bytes
	packaging/reproducible.sh

# Fetches the advisory database, which `make lint` does without.
.PHONY: audit
audit: ## every check of the dependencies, advisories too
	cargo deny --all-features check --hide-inclusion-graph

.PHONY: manifests
manifests: ## print the example for Kubernetes as one file
	@kubectl kustomize packaging/kubernetes/example

.PHONY: peers
peers: ## install what the exporter is measured beside into target/tools/peers
	@mkdir -p target
	@bash benches/install.sh $(PEERS) || [[ -z $${CI:-} ]]

.PHONY: tools
tools: ## install what the tests run against into target/tools
	@bash tests/tools/install.sh
