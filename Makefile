# Everything a newcomer types. `make` alone lists it. Needed beforehand: Python 3.11+ with venv, make, git.

PYTHON ?= python3
UV ?= uv
BIN := .venv/bin
READY := .venv/ready
BROWSERS := chromium chromium-browser google-chrome
MINUTES ?= 2
SEED ?=

# pip works quietly and asks for no newer pip; the caller's own settings of pip (an index, a proxy) count.
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help venv run test test-full chaos lint format browser lock wheel screenshot clean

help: ## List what there is
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

run: $(READY) ## Bring the whole system up and work the demo list; Ctrl-C stops it and keeps the data
	@exec $(BIN)/ringeliste up --demo

venv: $(READY) ## Make .venv and install everything in it, exactly as locked

test: lint browser ## Check everything that must hold before a commit
	$(BIN)/python -m pytest -m "not full"
	$(BIN)/python -m pytest -m "not full" --postgres 15

test-full: lint browser ## The same with the long forms: more seeds, whole grids
	$(BIN)/python -m pytest
	$(BIN)/python -m pytest -n 0 -m alone
	$(BIN)/python -m pytest --postgres 15

chaos: $(READY) ## Faults on the real processes, and an account of every call: MINUTES=60 SEED=7
	$(BIN)/python tests/chaos.py --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

lint: $(READY) ## Layers, style, types
	$(BIN)/lint-imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(READY) ## Put the code into its usual form
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

lock: ## Write requirements.lock anew from pyproject.toml (needs uv; UPGRADE=--upgrade takes new releases)
	@command -v $(UV) >/dev/null || { echo "make lock needs uv: pip install uv"; exit 1; }
	printf '%s\n' 'hatchling>=1.27' editables | $(UV) pip compile --quiet --universal --generate-hashes \
	    --python-version 3.11 --group dev --custom-compile-command "make lock" $(UPGRADE) \
	    --output-file requirements.lock pyproject.toml -

wheel: $(READY) ## Build dist/*.whl, which alone runs everything
	$(PIP) wheel --no-deps --no-build-isolation --wheel-dir dist .

screenshot: $(READY) browser ## Take the README's picture anew: KEY=rl_... as the running demo shows it
	$(BIN)/python -m web.screenshot docs/live-page.png --key "$(KEY)"
	$(BIN)/python -m web.screenshot docs/segments-page.png --key "$(KEY)" --page segments --click Ready --click services --click retired

clean: ## Remove what was built; the data of the servers stays
	rm -rf .venv dist build .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# hatchling, locked with the rest, builds the package here: no unlocked tool is fetched for it.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 venv"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' \
	    || { echo "Python's venv is missing: apt-get install python3-venv"; exit 1; }
	@echo "Installing into .venv, about a minute ..."
	@$(PYTHON) -m venv .venv
	@$(PIP) install --require-hashes --requirement requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@$(PIP) check
	@touch $@

# Browser tests use the system's Chromium. Without it they are skipped and say so; under CI they fail.
browser:
	@found() { for name in $(BROWSERS); do command -v $$name >/dev/null && return; done; false; }; \
	if ! found && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "Installing Chromium for the browser tests ..."; apt-get update -qq; \
	    DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends chromium >/dev/null; \
	fi; \
	if found; then exit 0; fi; \
	echo "No Chromium: browser tests cannot run (as root: apt-get install chromium)"; [ -z "$$CI" ]
