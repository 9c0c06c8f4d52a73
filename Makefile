PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: demo test chaos fuzz test-platforms lint bench lock clean

demo: $(INSTALLED)  ## read a sandbox workspace end to end, twice, and verify what was read
	$(BIN)/python -m integration_tests.demo

test: lint  ## format, lint, types, every test, coverage
	$(BIN)/python -m pytest -n 2 --cov --cov-report=term --hypothesis-profile=suite

SEEDS ?= 300
FIRST ?= 0
chaos: $(INSTALLED)  ## hundreds of seeded ordeals of both connectors; FIRST=17 SEEDS=1 is seed 17 again
	CHAOS_SEEDS=$(SEEDS) CHAOS_FIRST=$(FIRST) $(BIN)/python -m pytest -n 2 -p no:randomly \
		integration_tests/chaos/test_ordeals.py

EXAMPLES ?= 300
fuzz: $(INSTALLED)  ## garbage from every side: stdin, config, catalog, state, answers of the server
	FUZZ_EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest -n 2 \
		integration_tests/chaos/test_garbage_source.py integration_tests/chaos/test_garbage_destination.py

lint: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

test-platforms: $(INSTALLED) .venv-pyairbyte/.installed .venv-source-faker/.installed  ## PyAirbyte drives them (Python < 3.13)
	PYAIRBYTE_ENV=.venv-pyairbyte SOURCE_FAKER_ENV=.venv-source-faker \
		$(BIN)/python -m pytest integration_tests/platforms/destination_in_pyairbyte.py

.venv-%/.installed: integration_tests/platforms/%.lock
	$(PYTHON) -m venv .venv-$*
	.venv-$*/bin/python -m pip install --quiet --no-deps --require-hashes --requirement $<
	touch $@

bench: $(INSTALLED)
	$(BIN)/python -m benchmarks

lock: $(INSTALLED)  ## resolve the locks again, for every supported Python
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.10 --generate-hashes --no-header \
		--no-emit-index-url --no-annotate --upgrade --output-file requirements.lock
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.10 --generate-hashes --no-header \
		--no-emit-index-url --no-annotate --upgrade --constraint requirements.lock --output-file requirements-dev.lock
	for name in pyairbyte source-faker; do $(BIN)/uv pip compile integration_tests/platforms/$$name.in --universal \
		--python-version 3.10 --generate-hashes --no-header --no-emit-index-url --no-annotate --upgrade \
		--output-file integration_tests/platforms/$$name.lock; done

$(INSTALLED): requirements-dev.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements-dev.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $(INSTALLED)

clean:
	rm -rf $(VENV) .venv-* build dist .coverage* .pytest_cache .mypy_cache .ruff_cache .hypothesis
