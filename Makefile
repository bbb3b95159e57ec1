# Two commands do all the set-up: `make run` and `make test`. Only git, python3 with venv, and make are needed.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
OFFSET ?= 2000

.PHONY: help run test lint types bench clean

help:
	@echo 'make run       install into $(VENV) and start the appliance in ./var, ports + $(OFFSET) (OFFSET=n changes that)'
	@echo 'make test      install and run all tests (COVERAGE=1: and hold the coverage floor)'
	@echo 'make lint      ruff, formatting'
	@echo 'make types     mypy'
	@echo 'make bench     first figures against a hostmail started for it'
	@echo 'make clean     remove the virtual environment and caches (never ./var: that is mail)'

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=23'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	touch $@

run: $(STAMP)
	$(BIN)/python -m hostmail.demo --offset $(OFFSET)

test: $(STAMP)
	$(BIN)/python -m pytest -q -n 2 --dist loadfile $(if $(COVERAGE),--cov --cov-report=term) tests

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

bench: $(STAMP)
	$(BIN)/python bench/run.py

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .hypothesis
