# Everything a person or CI runs. `make help` lists it.
#
# One environment, .venv, filled in two steps: `make run` needs less than `make test`, so a newcomer waits less.

SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= $(shell for each in python3 python3.13 python3.12 python3.11; do \
	"$$each" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$each" && break; done)
# What the tests of the platform's worker library need; without one they are skipped.
PYTHON313 ?= $(shell for each in python3.13 $$(ls -d ~/.pyenv/versions/3.13*/bin/python3.13 2>/dev/null); do \
	"$$each" -c '' 2>/dev/null && echo "$$each" && break; done)
BIN := .venv/bin
JOBS ?= 2
TYPED := $(wildcard function_app.py) shared functions infra
# Trust whom the machine trusts: companies have certificates of their own.
export UV_SYSTEM_CERTS ?= 1
# npm writes this file last, so it tells when node_modules is complete.
NODE_MODULES := node_modules/.package-lock.json
# The tests' queue service: 190 MB that `make run` does without.
AZURITE := node_modules/azurite/package.json
NPM_OMIT := --omit=dev
test soak func azurite: NPM_OMIT :=

.PHONY: help run test check bench soak audit setup func golden fmt assets azurite worker-env
.DELETE_ON_ERROR:

help: ## List these targets
	@sed -nE 's/^([a-z-]+):.*## (.*)$$/\1\t\2/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r name text; do \
		printf '  make %-10s %s\n' "$$name" "$$text"; done

run: .venv/.run-stamp assets ## Start everything on this machine: database, web app, timers (DEMO=0: start empty)
	@exec $(BIN)/python -m infra.local.run

test: check assets azurite worker-env ## Everything that CI runs, but the long proofs
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m "not soak" $(ARGS)

check: setup ## Lint, format, types, import contracts, static security scan; no network
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(TYPED)
	$(BIN)/lint-imports --no-cache --no-logo

bench: setup ## Measure, as ratios
	$(BIN)/python -m shared.cli bench $(ARGS)

soak: setup assets azurite ## The long proofs: kills, faults, load, fuzz
	$(BIN)/python -m pytest -m soak $(ARGS)

audit: setup ## Look for known faults in the dependencies (asks the network)
	$(BIN)/pip-audit --strict -r requirements.txt
	npm audit --omit=dev

setup: .venv/.test-stamp ## Create .venv and install everything that `make test` needs

worker-env: $(if $(PYTHON313),.venv313/.made-stamp) ## Set up Microsoft's worker library for its tests, where Python 3.13 is found

func: setup assets azurite ## Start the app under Azure Functions Core Tools, with Azurite
	@command -v func >/dev/null || { \
		echo "Azure Functions Core Tools (func) are not installed: npm install -g azure-functions-core-tools@4" >&2; \
		echo "The same app starts without them: make run" >&2; exit 1; }
	@test -f local.settings.json || cp local.settings.json.example local.settings.json
	@mkdir -p .local/azurite
	@node node_modules/azurite/dist/src/azurite.js --silent --skipApiVersionCheck --disableTelemetry \
		--location .local/azurite & azurite=$$!; \
		trap 'kill $$azurite' EXIT; source $(BIN)/activate; func start

golden: setup ## Write what the parsers read from their samples as the expectation (ARGS=vendor)
	$(BIN)/python -m shared.parsers.golden $(ARGS)

fmt: setup ## Format, and fix what can be fixed
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

assets: .venv/.run-stamp $(NODE_MODULES)
	@$(BIN)/python -m infra.local.assets

# uv installs in seconds what takes pip a minute; where it cannot be had or does not know the way out, pip does.
# Arguments: the requirements, the bin folder of the environment.
define install
	$(BIN)/uv --quiet pip install --python $(2)/python -r $(1) || { \
		echo "Trying again with pip, which takes longer"; \
		$(2)/python -m pip --quiet --disable-pip-version-check install -r $(1); }
endef

.venv/.made-stamp:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; found: $$(python3 --version 2>&1)" >&2; exit 1; }
	@echo "Creating .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv --clear .venv || { \
		echo "python3 has no working venv module; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip --quiet --disable-pip-version-check install uv || echo "uv cannot be installed"
	@touch $@

.venv/.run-stamp: .venv/.made-stamp requirements.txt requirements-local.txt
	@echo "Installing requirements-local.txt"
	@$(call install,requirements-local.txt,$(BIN))
	@touch $@

.venv/.test-stamp: .venv/.run-stamp requirements-dev.txt
	@echo "Installing requirements-dev.txt"
	@$(call install,requirements-dev.txt,$(BIN))
	@touch $@

.venv313/.made-stamp: .venv/.made-stamp requirements.txt requirements-dev.txt
	@echo "Creating .venv313 for the tests of Microsoft's worker library"
	@$(PYTHON313) -m venv --clear .venv313
	@grep -h '^azure-functions-runtime' requirements-dev.txt > .venv313/worker.txt
	@cat requirements.txt >> .venv313/worker.txt
	@$(call install,.venv313/worker.txt,.venv313/bin)
	@touch $@

$(NODE_MODULES): package.json package-lock.json
	@node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)' 2>/dev/null || { \
		echo "Node 20 or newer is needed; found: $$(node --version 2>&1)" >&2; exit 1; }
	@echo "Installing the front-end assets"
	@npm ci $(NPM_OMIT) --silent
	@touch $@

azurite: $(AZURITE)

$(AZURITE): | $(NODE_MODULES)
	@test -f $@ || { echo "Installing Azurite for the tests"; npm ci --silent && touch $(NODE_MODULES); }
