# Every target does its own set-up: a fresh machine needs Python 3.11 or newer and make, nothing else.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: help demo test test-slow test-deep test-all coverage lab bench scale scoreboard samples pictures api lowest clean
help:      ## show the targets
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 11

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, found " + sys.version.split()[0] + "; say make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	@echo "Making $(VENV) …"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install "pip>=25.1"

# one stamp per set of packages, so that the demo does not wait for the test tools
$(VENV)/core.stamp: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing bounceanalytics …"
	@$(PIP) install -c constraints.txt -e .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/core.stamp
	@echo "Installing the test tools …"
	@$(PIP) install -c constraints.txt -e . --group dev
	@touch $@

$(VENV)/lab.stamp: $(VENV)/core.stamp
	@echo "Installing JupyterLab …"
	@$(PIP) install -c constraints.txt -e '.[lab]'
	@touch $@

demo: $(VENV)/core.stamp  ## exports in, report and cleaned list out, on the bundled samples
	@$(BIN)/bounceanalytics demo --out demo --overwrite

test: $(VENV)/dev.stamp   ## format, lint, types, and every test that is not slow
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest -n logical --dist worksteal -m "not slow"

test-slow: $(VENV)/dev.stamp  ## big files, kills, notebooks, a built wheel
	$(BIN)/pytest -n logical --dist worksteal -m "slow and not huge" --hypothesis-profile=ci

test-deep: $(VENV)/dev.stamp  ## four times the examples of every property, and millions of events, before a release
	$(BIN)/pytest -n logical --dist worksteal -m "hypothesis or huge" --hypothesis-profile=ci

test-all: test test-slow test-deep  ## all of them

coverage: $(VENV)/dev.stamp  ## which lines the tests of make test run; fails below what pyproject.toml asks for
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n logical --dist worksteal -m "not slow"
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

lab: $(VENV)/lab.stamp    ## open JupyterLab on the notebooks
	$(BIN)/jupyter lab --notebook-dir=notebooks

# make bench ARGS=--quick; the other programs of benchmarks/ look at one step each
bench: $(VENV)/dev.stamp  ## measure every step beside DuckDB, pandas, polars and a loop, into benchmarks/RESULTS.md
	$(BIN)/python benchmarks/bench.py $(ARGS)

scale: $(VENV)/dev.stamp  ## fit the cost model anew, into docs/scale.md
	$(BIN)/python benchmarks/cost_model.py $(ARGS)

scoreboard: $(VENV)/dev.stamp  ## score the classifier on labelled texts, and how far its confidence can be trusted
	@$(BIN)/python scripts/scoreboard.py
	@$(BIN)/python scripts/train_reader.py --dry --readme

samples: $(VENV)/core.stamp  ## write data/samples anew
	$(BIN)/python scripts/make_samples.py

pictures: $(VENV)/dev.stamp  ## draw the pictures of the README from the samples (needs Chromium)
	$(BIN)/python scripts/make_pictures.py

api: $(VENV)/dev.stamp    ## write the snapshot of what users may call anew
	$(BIN)/python scripts/check_api.py --write

lowest: $(VENV)/dev.stamp ## the examples and some tests with the lowest versions that are allowed
	$(BIN)/python scripts/check_lowest.py

clean:     ## remove what the targets made
	rm -rf $(VENV) demo dist build .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis
