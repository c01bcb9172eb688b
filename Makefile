# The only door: people and CI use the same targets. `make` lists them.
SHELL := /bin/bash
export PATH := $(HOME)/.cargo/bin:$(PATH)

# Which models `make run` and `make models` want: auto, starter, cpu, gpu-8g, gpu-16g.
PACK ?= auto
CONFIG ?= config/demo/nightbell.toml

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-10s %s\n", $$1, $$2 }'

.PHONY: packages
packages:
	@.ci/packages build

.PHONY: build
build: packages ## build the four programs into target/release
	cargo build --release --locked --features engines

.PHONY: run
run: build ## build, choose the best models at hand and answer calls (PACK=starter: fetch nothing)
	@PACK=$(PACK) .ci/models
	target/release/nightbell run --config $(CONFIG)

.PHONY: models
models: packages ## fetch a model pack: make models PACK=cpu
	@test "$(PACK)" != auto || { echo "Say which pack: make models PACK=cpu (or gpu-8g, gpu-16g)"; exit 2; }
	cargo build --release --locked --features engines
	target/release/nightbell models fetch $(PACK) --config $(CONFIG)

.PHONY: test
test: ## everything that must hold, on the real engines too
	@.ci/packages test
	cargo fmt --check
	cargo build --release --locked --features engines
	cargo clippy --locked --all-targets -- -D warnings
	cargo test --locked --tests
	cargo test --release --locked --features engines --bins

# How long `make fuzz` goes on with each parser.
SECONDS_EACH ?= $(if $(filter command line,$(origin SECONDS)),$(SECONDS),60)

.PHONY: fuzz
fuzz: ## try to break every parser: make fuzz SECONDS=60 (for each of them)
	FUZZ_SECONDS=$(SECONDS_EACH) FUZZ_SEED=$(or $(SEED),$(shell date +%s)) cargo test --locked --test fuzz -- --nocapture

.PHONY: bench
bench: ## measure, and print how: gaps, barge-in, sending, cost per call, signalling
	@.ci/packages test
	cargo build --release --locked --features engines
	cargo bench --locked

.PHONY: lint
lint: ## formatting and clippy alone
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings

.PHONY: clean
clean: ## forget what was built
	cargo clean
