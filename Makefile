# Each target works alone on a fresh clone: it makes .venv first. `make` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

BIN := .venv/bin

# Where it is set, as in many containers, each process compiles all it imports anew: seconds of each start.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

.PHONY: demo
demo: .venv/.ready ## a text and a voice note in, videos out: outputs/demo/
	@$(BIN)/smarttalker demo

# Most of a test's time is waiting; each worker has servers of its own and keeps whole files, the slow folders first.
WORKERS := 3

PYTEST := $(BIN)/python -m pytest tests -n $(WORKERS) --dist loadfile --no-loadscope-reorder

.PHONY: test
test: .venv/.models ## all tests; WORKERS=0: one after another
	@$(PYTEST)

.PHONY: test-fast
test-fast: .venv/.ready ## the tests that need no torch
	@$(PYTEST) -m "not models"

.PHONY: run
run: .venv/.ready ## talk to it: http://127.0.0.1:8080
	@exec $(BIN)/smarttalker up

.PHONY: check
check: .venv/.ready ## ruff and mypy
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

.PHONY: audit
audit: .venv/.ready ## ask PyPI for known vulnerabilities of everything that is pinned
	@scripts/audit.sh

.PHONY: bench
bench: .venv/.ready ## measure: outputs/bench.json
	@$(BIN)/smarttalker bench

.PHONY: bench-gpu
bench-gpu: .venv/.models ## measure the GPU profile's engines on random weights: outputs/bench-gpu.json
	@$(BIN)/smarttalker bench --gpu

SEEDS := 1

.PHONY: chaos
chaos: .venv/.ready ## break everything while 1,000 turns are answered, SEEDS=1-20: twenty times: outputs/chaos.json
	@$(BIN)/python -m tests.chaos --seeds $(SEEDS) --figures outputs/chaos.json

.PHONY: models
models: .venv/.ready ## weights and engines: what there is, what is here, what is missing
	@$(BIN)/smarttalker models list

.PHONY: gpu
gpu: .venv/.models ## add torch and the packages of the GPU profile's engines to .venv (3 GB)

.PHONY: format
format: .venv/.ready ## ruff's own layout
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

.PHONY: screenshots
screenshots: .venv/.ready ## the README's pictures of the page: docs/pictures/page-*.png
	@$(BIN)/python -m scripts.screenshots

.PHONY: lock
lock: .venv/.ready ## pin the newest versions that pyproject.toml allows: requirements*.lock
	@scripts/lock.sh --upgrade
	@scripts/lock-environments.sh

.PHONY: clean
clean: ## remove .venv and caches; .data (the conversations) and outputs stay
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.ready: requirements.lock pyproject.toml setup.py worker/engines/video/puppet/drawing/kernel.c scripts/environment.sh
	@PYTHON="$(PYTHON)" scripts/environment.sh
	@touch $@

.venv/.models: .venv/.ready requirements-torch.lock requirements-models.lock models/environments/voxcpm.lock
	@scripts/environment.sh models
	@touch $@
