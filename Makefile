# Everything happens inside this folder: `.uv/` holds the installer, `.venv/` the project.
# Needed on the machine: make and Python 3.11 or newer.

.DEFAULT_GOAL := help
SHELL := /bin/bash
.DELETE_ON_ERROR:
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE
export UV_PROJECT_ENVIRONMENT := .venv
# Where the machine keeps certificates of its own, as behind a company's proxy, they count.
ifneq ($(wildcard /etc/ssl/certs/ca-certificates.crt /etc/ssl/cert.pem /etc/pki/tls/certs/ca-bundle.crt),)
export UV_SYSTEM_CERTS := true
endif

# Choose another interpreter with `make test PYTHON=/path/to/python`.
PYTHON ?=
PYTHONS := $(or $(PYTHON),python3.13 python3.12 python3.11 python3)
FIND_PYTHON = for candidate in $(PYTHONS); do \
	found=$$("$$candidate" -c 'import sys; print(sys.executable) if sys.version_info >= (3, 11) else sys.exit(1)' 2>/dev/null) && break || found=; \
  done; \
  if [ -z "$$found" ]; then \
	echo "Python 3.11 or newer is needed; none of these is: $(PYTHONS). Choose one with PYTHON=/path/to/python." >&2; exit 1; \
  fi
UV_VERSION := 0.13.9
UV := .uv/bin/uv
BIN := .venv/bin
WORKERS ?= 2
SBOM ?= build/sbom.json
AIRFLOW := src/basecamp/engines/airflow
# Right after the release of the Airflow that is named there: later packages may not fit it.
AIRFLOW_AS_OF := 2026-09-20
# But these are ours alone, and their floors are newer.
AIRFLOW_LATER := cronsim minijinja openlineage-python
AIRFLOW_LATER_AS_OF := 2026-11-20

.PHONY: help demo demo-airflow test test-airflow test-floor battery battery-long check bench bench-airflow serve docs airflow-lock sbom format clean lint types layers unit

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/.runtime ## the whole story on real data, in a temporary project
	@$(BIN)/python examples/demo.py

demo-airflow: .venv/.runtime ## the same story on a real Airflow, which is installed into .airflow/ once
	@$(BIN)/python examples/demo.py --engine airflow

test: .venv/.dev ## all tests but those on a real Airflow
	@$(BIN)/pytest -n $(WORKERS)

test-airflow: .venv/.dev ## tests on a real Airflow, which is installed into .airflow/ once
	@$(BIN)/pytest tests/airflow tests/acceptance/test_engine.py --engine airflow --engine airflow-services $(PYTEST_OPTIONS)

# Campaigns that measure time have the machine to themselves; the others share it.
BATTERY = status=0; \
	$(BIN)/pytest tests/battery $(1) -n $(WORKERS) -m "not alone" $(PYTEST_OPTIONS) || status=$$?; \
	$(BIN)/pytest tests/battery $(1) -n 0 -m alone $(PYTEST_OPTIONS) || status=$$?

test-floor: .floor/.ready ## tests without network, on the least versions of the packages that are needed
	@.floor/bin/pytest -q -n $(WORKERS) -p no:cacheprovider tests/unit/dli tests/unit/basecamp tests/contract/test_exports.py

battery: .venv/.dev ## campaigns of kills, faults and load, in the size for each push; minutes
	@$(call BATTERY,--battery ci); exit $$status

battery-long: .venv/.dev ## the same in the size for a release, into docs/reliability.md; hours
	@rm -f .battery/results.jsonl
	@$(call BATTERY,--battery long); \
	$(BIN)/python tests/battery/last_long_run.py && $(BIN)/python docs/generate.py && exit $$status

check: .venv/.dev ## format, lint, types, layers, unit tests
	@$(MAKE) --no-print-directory -j 2 $(if $(filter output-sync,$(.FEATURES)),--output-sync=target) lint types layers unit

bench: .venv/.dev ## yardstick and ours in turn, into benchmarks/RESULTS.md
	@$(BIN)/python -m benchmarks

bench-airflow: .venv/.dev ## the same for what concerns Airflow, into benchmarks/RESULTS-airflow.md
	@$(BIN)/python -m benchmarks.airflow

serve: .venv/.runtime ## Basecamp for examples/flights, until Ctrl-C
	@$(BIN)/dli up --foreground --path examples/flights

docs: .venv/.dev ## write the generated pages of docs/
	@$(BIN)/python docs/generate.py

airflow-lock: .uv/.ready ## choose the packages of the managed Airflow again
	@$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--exclude-newer $(AIRFLOW_AS_OF) $(AIRFLOW_LATER:%=--exclude-newer-package %=$(AIRFLOW_LATER_AS_OF)) --extra airflow pyproject.toml $(AIRFLOW)/requirements.in --output-file $(AIRFLOW)/requirements.txt

sbom: .uv/.ready ## every package that is shipped, in build/sbom.json (CycloneDX)
	@mkdir -p $(dir $(SBOM))
	@$(UV) export --quiet --frozen --no-dev --all-extras --format cyclonedx1.5 --output-file $(SBOM)

format: .venv/.dev ## write the one true layout
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

clean: ## remove what make has built
	rm -rf .venv .uv .floor .airflow .battery .yardsticks .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache build dist

lint: .venv/.dev
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/bandit --quiet --configfile pyproject.toml --recursive src
	@$(BIN)/zizmor --quiet --offline --no-progress .github

types: .venv/.dev
	@$(BIN)/mypy
	@$(BIN)/pyright

layers: .venv/.dev
	@$(BIN)/lint-imports --no-logo

unit: .venv/.dev
	@$(BIN)/pytest -q tests/unit tests/contract tests/architecture

.uv/.ready:
	@$(FIND_PYTHON); \
	echo "Setting up with $$found"; \
	rm -rf .uv && "$$found" -m venv .uv && \
	.uv/bin/python -m pip install --quiet --disable-pip-version-check "uv==$(UV_VERSION)"
	@touch $@

.floor/.ready: .uv/.ready pyproject.toml src/dli/__init__.py
	@$(UV) venv --quiet --clear --python .uv/bin/python .floor
	@$(UV) pip install --quiet --python .floor/bin/python --resolution lowest-direct --editable '.[all]' --group dev
	@touch $@

.venv/.runtime: .uv/.ready pyproject.toml uv.lock src/dli/__init__.py
	@$(UV) sync --quiet --frozen --all-extras --no-dev --inexact --compile-bytecode --python .uv/bin/python
	@touch $@

.venv/.dev: .venv/.runtime
	@$(UV) sync --quiet --frozen --all-extras --python .uv/bin/python
	@touch $@
