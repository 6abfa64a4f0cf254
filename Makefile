# make demo   sets up .venv by itself and shows the whole main job     (SERVE=0: don't serve the page at the end)
# make test   sets up in the same way and runs the whole test suite
# make check  style, types, one-way imports

SHELL := /bin/bash
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
SERVE ?= 1
DEMO_HOME ?= demo-home
WORKERS ?= auto
PYTEST_ARGS ?=

.PHONY: setup setup-dev demo test check format benchmarks clean help

help:
	@sed -n '1,4p' Makefile

setup: $(VENV)/.ready
setup-dev: $(VENV)/.ready-dev

$(VENV)/.ready: infra/setup.sh pyproject.toml constraints.txt
	@PYTHON="$(PYTHON)" VENV="$(VENV)" infra/setup.sh
	@touch $@

$(VENV)/.ready-dev: $(VENV)/.ready
	@PYTHON="$(PYTHON)" VENV="$(VENV)" infra/setup.sh dev
	@touch $@

demo: setup
	@LIVEPROOF_WHISPER_MODEL="$${LIVEPROOF_WHISPER_MODEL:-demo-whisper}" $(BIN)/liveproof demo --home "$(DEMO_HOME)" $(if $(filter 0,$(SERVE)),--no-serve,--serve)

test: setup-dev
	@$(BIN)/python -m pytest -n $(WORKERS) $(PYTEST_ARGS)

check: setup-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: setup-dev
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

clean:
	rm -rf $(VENV) demo-home .pytest_cache .mypy_cache .ruff_cache
