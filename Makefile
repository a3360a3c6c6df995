# Needs Python >= 3.11 and make; everything else goes into .venv.
PYTHON ?= python3
VENV := .venv
PROCESSES ?= 2
BIN := $(VENV)/bin
READY := $(VENV)/.installed

.PHONY: compare course test check docs mutants clean

compare: $(READY)
	$(BIN)/jamscape compare --out compare || [ $$? -eq 3 ]  # 3: done, some runs stalled and say so

course: $(VENV)/.course  # lessons that are in the folder already are left as they are
	$(BIN)/python docs/notebooks.py course
	$(BIN)/jupyter lab course

test: $(READY)
	$(BIN)/python -m pytest -n $(PROCESSES) --dist worksteal

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.docs
	rm -rf docs/reference
	$(BIN)/python docs/architecture.py
	$(BIN)/python docs/papers.py
	$(BIN)/sphinx-build -W --keep-going -q docs docs/_build/html
	@echo open docs/_build/html/index.html

mutants: $(VENV)/.mutants  # neither part of the tests nor of what a change must pass
	$(BIN)/python benchmarks/mutants.py

$(VENV)/.mutants: $(READY)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[mutants]'
	touch $(VENV)/.mutants

$(VENV)/.course: $(READY)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[course]'
	touch $(VENV)/.course

$(VENV)/.docs: $(READY)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[docs]'
	touch $(VENV)/.docs

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "expected Python >= 3.11, got %d.%d: run make PYTHON=python3.12" % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test,check]'
	touch $(READY)

clean:
	rm -rf $(VENV) claims compare build dist docs/_build docs/commands.md docs/course docs/reference
