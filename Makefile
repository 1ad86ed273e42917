# Two commands to begin with: `make demo` and `make test`.
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
export JEVONS_HOME ?= $(CURDIR)/data

.PHONY: help demo test lint bench lock clean

help: ## What can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Jevons needs Python 3.11 or newer: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(STAMP) ## The sandbox organisation through the whole pipeline, under JEVONS_HOME (default data/)
	@$(BIN)/jevons demo

test: $(STAMP) lint ## Everything that is checked, also in CI
	@$(BIN)/python -m pytest -n 2 --dist loadscope --no-loadscope-reorder

lint: $(STAMP)
	@$(BIN)/ruff check .

bench: $(STAMP) ## A day of N calls, landing to published, beside a hand-written script (N=20000000)
	@$(BIN)/python bench/run.py $(if $(N),--calls $(N))

lock: $(STAMP) ## Resolve the newest allowed versions again: hashes, every platform, no index addresses
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --extra dev --extra postgresql \
		--generate-hashes --no-strip-extras --no-emit-index-url --no-header --no-annotate -o requirements.lock pyproject.toml
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-strip-extras \
		--no-emit-index-url --no-header --no-annotate -o requirements-litellm.lock requirements-litellm.in

clean: ## Remove the environment, not the data
	rm -rf $(VENV) dbt_project/target
