# Two commands do everything on a fresh machine: `make up` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
# In a process for each core; the tests of one file stay together, and the files of slow tests begin first.
PYTEST := $(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder
ARGS ?=
ONLY ?=
SEED ?=
SEEDS ?=
FROM ?=

.DEFAULT_GOAL := help
.PHONY: help up dev test test-all check lint types imports simulate bench docs screenshots lock clean

help:      ## Show this list
	@grep -hE '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 11

up: .venv/.runtime  ## Run the main job on this machine; ARGS="--once --data DIR" hands options through
	@$(BIN)/patchwindow up $(ARGS)

dev: .venv/.dev  ## Create the environment and install everything that development needs

check: lint types imports test  ## All that must pass before a merge

lint: .venv/.dev  ## Format check and lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: .venv/.dev  ## mypy --strict, on source, tests and bench
	$(BIN)/mypy

imports: .venv/.dev  ## The house rules: who may import whom, and the oldest Python of the agent
	$(BIN)/lint-imports --no-cache
	$(BIN)/vermin --quiet --no-tips --violations --target=3.9- src/patchwindow_agent

test: .venv/.dev  ## Fast tests: unit, SQLite and PostgreSQL, wire, agent, acceptance
	$(PYTEST) -m "not slow"

test-all: .venv/.dev  ## The above and the slow ones, and ten times as many examples of each property
	$(PYTEST) --hypothesis-profile=many

simulate: .venv/.dev  ## 3,000 simulated worlds; SEED=123 repeats one, SEEDS=300 runs that many, FROM=5000 begins there
	@SEED=$(SEED) SEEDS=$(SEEDS) FROM=$(FROM) $(BIN)/python -m tests.simulation

bench: .venv/.dev  ## The numbers; ONLY=name runs one group
	$(BIN)/python -m bench $(ONLY)

docs: .venv/.dev  ## Check the documentation: links, commands, settings, operations
	$(BIN)/pytest tests/docs

screenshots: .venv/.dev  ## The pictures of docs/screenshots, made of the console in Chromium
	$(BIN)/python -m tests.console.screenshots

lock: .venv/.dev  ## Choose the newest dependencies that pyproject.toml allows, and lock them
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --upgrade --no-header --no-annotate \
	  --no-emit-index-url --no-emit-find-links --group dev --extra postgres pyproject.toml -o requirements/dev.txt
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --no-emit-index-url --no-emit-find-links -c requirements/dev.txt pyproject.toml requirements/build.in -o requirements/runtime.txt

clean:     ## Remove the environment and what tests and tools left
	rm -rf .venv .mypy_cache .ruff_cache .hypothesis

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "patchwindow needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version). Set PYTHON=… to another."; exit 1; }
	$(PYTHON) -m venv .venv

# The stamp files say which lock the environment was made from.
.venv/.runtime: .venv/bin/python requirements/runtime.txt pyproject.toml
	@test -e .venv/.dev || $(BIN)/pip install --quiet --require-hashes -r requirements/runtime.txt
	@test -e .venv/.dev || $(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: .venv/bin/python requirements/dev.txt pyproject.toml
	@$(BIN)/pip install --quiet --require-hashes -r requirements/dev.txt
	@$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@ .venv/.runtime
