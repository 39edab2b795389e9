# The commands of this project; CI calls the same ones. `make` alone lists them.

PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# 0: leave torch out; the tests of training are then skipped, with the reason.
DEEPFAKE_TEST_TRAINING ?= 1
TEST_NEEDS := $(if $(filter 0,$(DEEPFAKE_TEST_TRAINING)),,$(VENV)/train.done)

.DEFAULT_GOAL := help
.PHONY: help run test lint bench bench-history bench-relight load bench-scale fuzz chaos clean frontend

help:  ## list the commands
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/make \1	\2/p' $(MAKEFILE_LIST) | expand -t 22

run: $(VENV)/run.done frontend  ## serve the site on 127.0.0.1 (PORT=8000), installing what it needs first
	$(BIN)/python manage.py check
	$(BIN)/python manage.py runserver --noreload 127.0.0.1:$(PORT)

test: lint frontend $(TEST_NEEDS)  ## lint, types and all tests (DEEPFAKE_SLOW=1 and DEEPFAKE_E2E=1 for those that take long)
	$(BIN)/python -m pytest

lint: $(VENV)/dev.done  ## format, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(VENV)/run.done  ## speed and memory of `manage.py detect`, beside decoding alone
	$(BIN)/python -m tests.benchmarks.bench_detect

bench-history: $(VENV)/run.done  ## the history's pages with 100,000 runs
	$(BIN)/python -m tests.benchmarks.bench_history

bench-relight: $(VENV)/run.done  ## quality and speed of relighting (needs the light stage in ../shared/data)
	$(BIN)/python -m tests.benchmarks.bench_relight

load: $(VENV)/dev.done  ## a hundred uploads at once and five hundred readers while two analyses run
	$(BIN)/python -m tests.benchmarks.bench_load

bench-scale: $(VENV)/dev.done  ## the same batch through one and through two workers on Redis
	$(BIN)/python -m tests.benchmarks.bench_scale

fuzz: $(VENV)/dev.done  ## a thousand hostile files through probe, decode, detect and upload
	$(BIN)/python -m tests.hostile.fuzz --seed 6 --cases 1000

chaos: $(VENV)/dev.done  ## worker and server killed at fifty random moments, a full disk, a clock that jumps
	$(BIN)/python -m tests.chaos.run --seed 6 --moments 50

frontend: $(VENV)/run.done
	@$(BIN)/python tools/frontend.py

clean:  ## remove what these commands installed; media/ stays
	rm -rf $(VENV) node_modules static/vendor build .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "This needs Python 3.11 or newer. Name one: make PYTHON=python3.12 …"; exit 1; }
	$(PYTHON) -m venv $(VENV) || \
		{ rm -rf $(VENV); echo "Python cannot make $(VENV). On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }

# Each .done file stands for a list of requirements that is installed; it is made anew when the list changes.
$(VENV)/run.done: requirements.txt | $(BIN)/python
	$(PIP) -r requirements.txt
	@touch $@

$(VENV)/dev.done: requirements-dev.txt $(VENV)/run.done
	$(PIP) -r requirements.txt -r requirements-dev.txt
	@touch $@

$(VENV)/train.done: requirements-train.txt $(VENV)/run.done
	$(PIP) -r requirements.txt -r requirements-train.txt
	@touch $@
