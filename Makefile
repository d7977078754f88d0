# The whole house from a bare python3. `make` alone lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory
# Hundreds of processes start in a run of the tests: where Python may keep nothing compiled, each takes three times as long.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
WORKERS ?= 4
PORT ?= 9092
ONLY ?=
BIN := .venv/bin
UV_PIN := uv==0.13.9
UPGRADE ?=
UV := UV_PYTHON_DOWNLOADS=never VIRTUAL_ENV=.venv $(BIN)/uv
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
           --no-emit-index-url --no-header --no-annotate $(UPGRADE)
OFFLINE := echo "The packages could not be fetched. Check the network, or name a proxy (HTTPS_PROXY) or a mirror \
(PIP_INDEX_URL and UV_DEFAULT_INDEX); then type again: make setup" >&2; exit 2

.PHONY: help setup demo test kafka lint format schemas boards laws mutants chaos bench-kafka bench bench-mapping bench-sql bench-live lock clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

# ---- the environment: stamps, so that only a changed lock or a changed pyproject costs anything

setup: .venv/.ready  ## .venv with everything locked and hashed, and .venv/bin/coordwatch

.venv/.tools: requirements/bootstrap.txt
	@command -v $(PYTHON) >/dev/null || { \
	  echo "There is no '$(PYTHON)' here. On Debian or Ubuntu: sudo apt-get install python3 python3-venv" >&2; \
	  echo "Or name one that is 3.11 or newer: make setup PYTHON=/path/to/python3.12" >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "coordwatch needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) -V 2>&1)." >&2; \
	  echo "Name a newer one: make setup PYTHON=python3.12" >&2; exit 2; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "'$(PYTHON)' cannot make environments. On Debian or Ubuntu: sudo apt-get install python3-venv" >&2; exit 2; }
	@test -x $(BIN)/python || { echo "Making .venv with $$($(PYTHON) -V) ..."; $(PYTHON) -m venv .venv; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt \
	  || { $(OFFLINE); }
	@touch $@

.venv/.synced: .venv/.tools requirements/dev.txt
	@echo "Installing what requirements/dev.txt names ..."
	@$(UV) pip sync --quiet --compile-bytecode --require-hashes requirements/bootstrap.txt requirements/dev.txt || { $(OFFLINE); }
	@touch $@

.venv/.ready: .venv/.synced pyproject.toml
	@$(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# ---- the two commands that a stranger types

demo: setup  ## real conflicts in a browser at 127.0.0.1:8484
	@$(BIN)/coordwatch demo

test: setup  ## everything: style, types, layers, drift, and the whole suite with a real browser, Kafka and Prometheus
	@bash tests/chromium.sh
	@bash tests/prometheus.sh
	@$(MAKE) lint
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -q

# ---- its parts, and the long ones

kafka: setup  ## one real Kafka node at 127.0.0.1:9092 until Ctrl-C, from packages alone (PORT=9093 for another port)
	@$(BIN)/python -m tests.services.kafka --port $(PORT)

lint: setup  ## style, types, layers, drift of schemas and boards
	@echo "style";  $(BIN)/ruff check --quiet . && $(BIN)/ruff format --check --quiet .
	@echo "types";  $(BIN)/mypy --strict src
	@echo "layers"; $(BIN)/lint-imports --no-logo
	@echo "drift";  $(BIN)/python -m tests.schemas --check && $(BIN)/python -m deploy.grafana.generate --check

format: setup  ## write the style
	@$(BIN)/ruff check --quiet --fix . ; $(BIN)/ruff format .

schemas: setup  ## write schemas/events/ and schemas/rule.schema.json from the models
	@$(BIN)/python -m tests.schemas

boards: setup  ## write deploy/grafana/boards/ from the code beside it
	@$(BIN)/python -m deploy.grafana.generate

LAWS := tests/laws tests/detecting tests/identity tests/processor tests/rules tests/sources tests/alerts tests/notify tests/audit

laws: setup  ## the laws on 200,000 generated examples that are new each time (hours)
	@COORDWATCH_EXAMPLES=$${COORDWATCH_EXAMPLES:-200000} $(BIN)/python -m pytest $(LAWS) -n $(WORKERS) -q

mutants: setup  ## break the engine on purpose; the suite must notice each
	@$(BIN)/python -m tests.mutants

chaos: setup  ## hundreds of faults on three brokers, with a seed that it prints (FAULTS=200 SEED=1)
	@$(BIN)/python -m tests.chaos --faults $${FAULTS:-200} $${SEED:+--seed $$SEED} $${RUNTIME:+--runtime $$RUNTIME}

bench-kafka: setup  ## the speed beside a real broker, what its guards cost, and recovery
	@$(BIN)/python -m bench.kafka --guards
	@$(BIN)/python -m bench.recovery

bench: setup  ## the speed table, all ratios from one run
	@$(BIN)/python -m bench.run

bench-sql: setup  ## the store on SQLite and PostgreSQL: detections a minute, and pages over a hundred thousand alerts
	@$(BIN)/python -m bench.sql

bench-live: setup  ## how long a new alert takes into an open browser tab, written here and by another process
	@$(BIN)/python -m bench.live
	@$(BIN)/python -m bench.live --elsewhere

bench-mapping: setup  ## how fast each tool's payloads are mapped, beside decoding them
	@$(BIN)/python -m bench.mapping

screenshots: setup  ## every page of a demo in light, dark and on a phone, into screenshots/ (ONLY=^inbox for some)
	@bash tests/chromium.sh
	@$(BIN)/python -m tests.pages.screenshots --only '$(ONLY)'

lock: .venv/.tools  ## write requirements/*.txt again from pyproject.toml (UPGRADE=--upgrade for the newest)
	echo '$(UV_PIN)' | $(COMPILE) - -o requirements/bootstrap.txt
	$(COMPILE) pyproject.toml --extra kafka --extra postgres --extra notify --group build --group test --group tools -o requirements/dev.txt
	$(COMPILE) --group build -c requirements/dev.txt -o requirements/build.txt
	$(COMPILE) pyproject.toml -c requirements/dev.txt -o requirements/runtime.txt
	$(COMPILE) pyproject.toml --extra kafka --extra postgres --extra notify -c requirements/dev.txt -o requirements/worker.txt
	$(COMPILE) pyproject.toml --all-extras -c requirements/dev.txt -o requirements/all-extras.txt

clean:  ## remove what the targets made, .venv too
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
