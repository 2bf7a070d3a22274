# Everything a fresh machine needs is made here: Python >= 3.11, make and git are all that must be there before.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo test check style types floors bench clean

demo: $(READY)  ## run the main job: a refusal becomes a composition, then this repository's last change is gated
	@$(BIN)/squads demo --yes

test: $(READY)  ## run all tests
	$(BIN)/python -m pytest -n 2 --dist worksteal

check: style types floors test  ## everything that CI asks for

style: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(READY)
	$(BIN)/mypy

floors: $(READY)
	$(BIN)/lint-imports --no-cache

bench: $(READY)  ## print one JSON line per benchmark
	@for file in step import_time local_run gate_speed journal; do $(BIN)/python benchmarks/$$file.py; done

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "squads needs Python 3.11 or newer, and '$(PYTHON)' is older; run: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@if command -v uv >/dev/null 2>&1; then \
	  uv venv --quiet --allow-existing --python "$(PYTHON)" .venv && \
	  uv pip install --quiet --python $(BIN)/python -c constraints.txt hatchling editables && \
	  uv pip install --quiet --python $(BIN)/python -c constraints.txt --no-build-isolation -e '.[dev]'; \
	else \
	  $(PYTHON) -m venv .venv && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt hatchling editables && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --no-build-isolation -e '.[dev]'; \
	fi
	@touch $(READY)

clean:
	rm -rf .venv dist build .mypy_cache .ruff_cache .import_linter_cache .hypothesis
