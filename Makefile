# centime: `make invoices` makes the sample's invoices, `make test` runs every test, `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
BENCH_READY := $(VENV)/.bench-ready
PLATFORMS_READY := $(VENV)/.platforms-ready
OUT := out
# Tests wait for disks and for other processes: one worker more than there are processors.
WORKERS = $(shell $(BIN)/python -c 'import os; print((os.cpu_count() or 1) + 1)')
# The sample's three months, each with the moment its run acts as of.
SAMPLE_RUNS := 2026-09@2026-09-30T22:00:00Z 2026-10@2026-10-31T23:00:00Z 2026-11@2026-11-30T23:00:00Z

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "centime needs Python 3.11 or newer; give one with PYTHON=..." >&2; exit 1; }
	@echo "making the environment in $(VENV) from requirements.lock"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q -j 0 $(VENV)/lib cli.py invoicing rating schemas  # pip would use one processor
	@touch $@

.PHONY: env
env: $(READY) ## Make the environment from the lock file

.PHONY: system
system: $(READY)
	@$(BIN)/python -m invoicing.documents.system_libraries

.PHONY: test-programs
test-programs: $(READY)
	@$(BIN)/python -m tests.programs

.PHONY: invoices
invoices: system ## Rate and bill the months of sample_cdrs/ into out/
	@rm -rf $(OUT)
	@for run in $(SAMPLE_RUNS); do \
	  month=$${run%%@*}; \
	  echo "== $$month"; \
	  status=0; \
	  $(BIN)/centime run $$month --platform sample_cdrs/$$month/platform --cdrs sample_cdrs/$$month/cdrs \
	    --config sample_cdrs/centime.toml --store $(OUT) --now $${run##*@} || status=$$?; \
	  [ $$status -le 1 ] || exit $$status; \
	done
	@echo
	@echo "The invoices are in $(OUT)/invoices/2026/, such as $$(find $(OUT)/invoices -name '*.pdf' | sort | head -n 1)"

.PHONY: test
test: system test-programs ## Run every test (quick and complete)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not soak and not platforms"

$(PLATFORMS_READY): $(READY) tests/platforms/requirements.lock
	@echo "adding what reads MariaDB from tests/platforms/requirements.lock"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tests/platforms/requirements.lock
	@touch $@

.PHONY: test-platforms
test-platforms: system $(PLATFORMS_READY) ## Calls through Kamailio into invoices, MariaDB (a minute; installs them as root)
	@$(BIN)/python -m tests.programs platforms
	@$(BIN)/python -m pytest -m platforms tests/platforms

.PHONY: soak
soak: system test-programs ## Run the long tests too
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --hypothesis-profile soak -m "not platforms"

$(BENCH_READY): $(READY) tests/bench/requirements.lock
	@echo "adding what the bench needs from tests/bench/requirements.lock"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tests/bench/requirements.lock
	@touch $@

.PHONY: bench
bench: system $(BENCH_READY) ## Measure a million calls beside other means, reading, documents (two to five minutes)
	@$(BIN)/python -m tests.bench

.PHONY: bench-full
bench-full: system $(BENCH_READY) ## Measure up to a hundred million calls too (one to two hours, 25 GB of disk)
	@$(BIN)/python -m tests.bench --full

.PHONY: check
check: $(READY) ## Lint, types, import directions
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

.PHONY: sample
sample: $(READY) ## Make sample_cdrs/ again from its scripts
	@$(BIN)/python sample_cdrs/make_sample.py
	@$(BIN)/python sample_cdrs/make_formats.py

.PHONY: golden
golden: system ## Write the golden outputs of the sample again; look at the difference before you commit it
	@$(BIN)/python -m tests.golden.sample_run

.PHONY: lock
lock: $(READY) ## Write requirements.lock and the bench's again from pyproject.toml
	@$(BIN)/pip-compile --quiet --extra dev --extra einvoice --extra databases --all-build-deps --allow-unsafe --generate-hashes \
	  --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --strip-extras --no-header \
	  --output-file requirements.lock pyproject.toml
	@$(BIN)/pip-compile --quiet --extra bench --constraint requirements.lock --allow-unsafe --generate-hashes \
	  --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --strip-extras --no-header \
	  --output-file tests/bench/requirements.lock pyproject.toml
	@$(BIN)/pip-compile --quiet --extra mariadb --constraint requirements.lock --allow-unsafe --generate-hashes \
	  --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --strip-extras --no-header \
	  --output-file tests/platforms/requirements.lock pyproject.toml

.PHONY: clean
clean: ## Remove what the other targets made
	@rm -rf $(VENV) $(OUT)
