# Two commands do all the set-up: `make run` and `make test`. Only git, python3 with venv, and make are needed.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
TOOLS := $(VENV)/.installed-tools
OFFSET ?= 2000

.PHONY: help run test lint types bench clean

help:
	@echo 'make run       install into $(VENV) and start the appliance in ./var, ports + $(OFFSET) (OFFSET=n changes that)'
	@echo 'make test      install and run all tests (COVERAGE=1: and hold the coverage floor)'
	@echo 'make lint      ruff, formatting'
	@echo 'make types     mypy'
	@echo 'make bench     figures of a hostmail started for it, beside a Dovecot where there is one'
	@echo 'make clean     remove the virtual environment and caches (never ./var: that is mail)'

$(STAMP): pyproject.toml
	@echo 'installing into $(VENV), a minute or two'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=23'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(TOOLS): $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	touch $@

run: $(STAMP)
	$(BIN)/python -m hostmail.demo --offset $(OFFSET)

test: $(TOOLS)
	$(BIN)/python -m pytest -q -n 2 --dist loadscope $(if $(COVERAGE),--cov --cov-report=term) tests

lint: $(TOOLS)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(TOOLS)
	$(BIN)/mypy

bench: $(TOOLS)
	$(BIN)/python bench/run.py

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .hypothesis
