# The whole house from a bare python3. `make` alone lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
BIN := .venv/bin
UV := $(BIN)/uv
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate

.PHONY: help setup lock

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/^([a-z-]+):[^#]*## /  make \1\t/' | expand -t 18

# ---- the environment: two stamps, so that only a changed lock or a changed pyproject costs anything
setup: .venv/.ready  ## .venv with everything locked and hashed, and .venv/bin/coordwatch

.venv/.tools: requirements/bootstrap.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "coordwatch needs Python 3.11 or newer, and '$(PYTHON)' is not one. Name one: make setup PYTHON=python3.12" >&2; \
	  echo "On Debian or Ubuntu: sudo apt-get install python3 python3-venv" >&2; exit 2; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "'$(PYTHON)' has no venv module. On Debian or Ubuntu: sudo apt-get install python3-venv" >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt || { \
	  echo "The packages could not be fetched. Check the network, a proxy (HTTPS_PROXY) or a mirror (PIP_INDEX_URL and UV_INDEX_URL), then: make setup" >&2; exit 2; }
	@touch $@

.venv/.synced: .venv/.tools requirements/dev.txt
	@VIRTUAL_ENV=.venv $(UV) pip sync --quiet --require-hashes requirements/bootstrap.txt requirements/dev.txt || { \
	  echo "The packages could not be fetched. Check the network, a proxy (HTTPS_PROXY) or a mirror (PIP_INDEX_URL and UV_INDEX_URL), then: make setup" >&2; exit 2; }
	@touch $@

.venv/.ready: .venv/.synced pyproject.toml
	@VIRTUAL_ENV=.venv $(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

lock:  ## write requirements/*.txt again from pyproject.toml
	@test -x $(UV) || { echo "First: make setup" >&2; exit 2; }
	$(COMPILE) pyproject.toml --group build --group test --group tools -o requirements/dev.txt
	$(COMPILE) pyproject.toml -c requirements/dev.txt -o requirements/runtime.txt
	$(COMPILE) pyproject.toml --all-extras -c requirements/dev.txt -o requirements/all-extras.txt
	echo 'uv==0.13.9' | $(COMPILE) - -o requirements/bootstrap.txt
