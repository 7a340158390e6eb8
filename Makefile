# Every target works on a fresh machine that has Python with venv, git and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Most of the suite waits for processes that it has started: two of it share a processor well.
WORKERS ?= $(shell expr 2 \* $$(nproc))
STAMP := $(VENV)/.installed

# Without bytecode every server and every command that a test starts compiles the program anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup demo test check bench simulate lock clean

setup: $(STAMP)

$(VENV)/bin/uv:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

$(STAMP): requirements.txt pyproject.toml | $(VENV)/bin/uv
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

demo: setup
	@$(BIN)/python examples/demo.py

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: setup
	$(BIN)/pytest -n $(WORKERS) --dist worksteal

bench: setup
	$(BIN)/python -m bench

# Every tick of 1,000 random tasks against other calendars: some minutes.
simulate: setup
	$(BIN)/python -m bench.simulation

# Pins for Python 3.11 to 3.13; the file names no registry.
lock: | $(VENV)/bin/uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--extra dev --group build -o requirements.txt pyproject.toml

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .cache
