PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: install demo docs test coverage mutants promises chaos fuzz image test-image test-platforms dbt dbt-models dist test-dist submission test-submission \
	test-form test-pythons lint bench advisories lock clean

install: $(INSTALLED)  ## both commands into .venv, exactly as locked

demo: $(INSTALLED)  ## read a sandbox workspace end to end, twice, and verify what was read
	$(BIN)/python -m integration_tests.demo

# Test modules are rewritten and compiled once, not by each process, whatever the environment says.
export PYTHONDONTWRITEBYTECODE :=
SUITE := $(BIN)/python -m pytest -n 2 --dist worksteal --hypothesis-profile=suite
test: lint  ## format, lint, types, every test
	$(SUITE)

coverage: $(INSTALLED)  ## which code the unit tests run by themselves; fails where that is too little
	$(SUITE) unit_tests --cov --cov-report=term

mutants: $(INSTALLED)  ## bugs that tests should find, in the modules of integration_tests/mutants; ONLY="scan budget"
	$(BIN)/python -m integration_tests.mutants $(ONLY)

promises: $(INSTALLED)  ## bugs against the promises of docs/reliability.md, and whether their tests find them; ONLY="moves back"
	$(BIN)/python -m integration_tests.promises $(if $(ONLY),"$(ONLY)")

SEEDS ?= 300
FIRST ?= 0
chaos: $(INSTALLED)  ## hundreds of seeded chaos runs of both connectors; FIRST=17 SEEDS=1 is seed 17 again
	CHAOS_SEEDS=$(SEEDS) CHAOS_FIRST=$(FIRST) $(BIN)/python -m pytest -n 2 -p no:randomly \
		integration_tests/chaos/test_runs.py

EXAMPLES ?= 300
fuzz: $(INSTALLED)  ## garbage from every side: stdin, config, catalog, state, answers of the server
	FUZZ_EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest -n 2 \
		integration_tests/chaos/test_garbage_source.py integration_tests/chaos/test_garbage_destination.py \
		integration_tests/chaos/test_odd_destination.py unit_tests/source/test_scan_machine.py

lint: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m shipping.pages --check
	$(BIN)/hadolint --failure-threshold warning Dockerfile shipping/stand_in/Dockerfile

docs: $(INSTALLED)  ## what the code can make of docs/: the marked regions of the pages
	$(BIN)/python -m shipping.pages

image:  ## both images, with the engine there is; BASE_IMAGE=... for another base; REGISTRY=... pushes them below it
	$(PYTHON) -m shipping --base-image "$(BASE_IMAGE)" --registry "$(REGISTRY)"

test-image: $(INSTALLED)  ## the connectors inside the images that `make image` built
	$(BIN)/python -m pytest -p no:randomly integration_tests/images/built_images.py

test-pythons: $(INSTALLED)  ## the unit tests on each CPython from 3.10 to 3.13 that is here
	$(BIN)/nox

FORM := integration_tests/form
test-form: $(INSTALLED) $(FORM)/node_modules/.installed  ## both specs as forms in a browser; SCREENSHOTS=docs/images keeps pictures
	$(PYTHON) -m shipping.packages chromium
	cd $(FORM) && npm run build
	SCREENSHOTS="$(SCREENSHOTS)" $(BIN)/python -m pytest $(FORM)/filled_in.py

$(FORM)/node_modules/.installed: $(FORM)/package.json $(FORM)/package-lock.json
	$(PYTHON) -m shipping.packages npm
	cd $(FORM) && npm ci --ignore-scripts --no-audit --no-fund
	touch $@

test-platforms: dist/.built  ## the tools of the ecosystem drive them, from what `make dist` made (Python < 3.13)
	$(BIN)/python -m pytest -n 2 integration_tests/platforms/driven_by_pyairbyte.py integration_tests/platforms/driven_by_others.py

dbt: dist/.built  ## the dbt package, on what PyAirbyte reads into DuckDB, and on a Postgres where there is one; the journal, in DuckDB
	$(BIN)/python -m pytest -p no:randomly integration_tests/platforms/built_by_dbt.py integration_tests/platforms/read_by_duckdb.py

dbt-models: $(INSTALLED)  ## what of the dbt package follows from the source's schemas
	$(BIN)/python -m shipping.dbt_package

dist: dist/.built  ## a wheel and an sdist of the code with both commands, and of each name; what each image is made of

PROJECTS := . $(wildcard shipping/distributions/*)
SHIPPED := pyproject.toml shipping/bill.py $(wildcard locks/*) $(shell find vitally_api source_vitally destination_vitally shipping/distributions -type f \
	-not -path '*/__pycache__/*')
dist/.built: $(INSTALLED) $(SHIPPED)
	rm -rf dist
	for project in $(PROJECTS); do $(BIN)/python -m build --no-isolation --outdir dist $$project || exit 1; done
	$(BIN)/python -m shipping.bill
	touch $@

test-dist: dist/.built  ## each by its name, and the repository itself, in environments that had nothing
	$(BIN)/python -m shipping.alone

submission: $(INSTALLED)  ## both connectors as the monorepo of Airbyte's connectors wants them, into build/submission
	$(BIN)/python -m shipping.submission

test-submission: $(INSTALLED)  ## Airbyte's validator and standard tests judge what `make submission` writes (Python 3.11, 3.12)
	$(BIN)/python -m pytest -n 2 integration_tests/submission/submitted.py

bench: $(INSTALLED)
	$(BIN)/python -m benchmarks

advisories: $(INSTALLED)  ## known advisories of what is locked, where the network lets one ask
	$(BIN)/python -m shipping.advisories

RESOLVE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --no-annotate --upgrade
COMPILE := $(RESOLVE) --python-version 3.10
# The CDK asks for Unidecode, which is under the GPL, and never imports it: SECURITY.md.
SHIP := $(COMPILE) --no-emit-package unidecode
PLATFORMS := $(wildcard integration_tests/platforms/*.in)
JUDGES := integration_tests/submission
lock: $(INSTALLED)  ## resolve the locks again, for every supported Python
	$(SHIP) pyproject.toml --output-file locks/source.lock
	$(SHIP) pyproject.toml --extra s3 --constraint locks/source.lock --output-file locks/destination.lock
	$(SHIP) pyproject.toml --extra s3 --extra dev --constraint locks/destination.lock \
		--output-file locks/dev.lock
	for given in $(PLATFORMS); do $(COMPILE) $$given --output-file $${given%.in}.lock || exit 1; done
	$(COMPILE) $(JUDGES)/poetry.in --output-file $(JUDGES)/poetry.lock
	$(RESOLVE) --python-version 3.11 $(JUDGES)/validator.in --output-file $(JUDGES)/validator.lock
	$(BIN)/python -m shipping.submission lock

$(INSTALLED): locks/dev.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m shipping.installing locks/dev.lock
	touch $(INSTALLED)

clean:
	rm -rf $(VENV) .nox build dist try .cache .coverage* .pytest_cache .mypy_cache .ruff_cache .hypothesis $(FORM)/node_modules
