# Two commands: `make run` starts everything, `make test` proves everything. Both set up first.
# Needs Python 3.11 or later and make; everything else is fetched into .venv/ and node_modules/.

VENV   := .venv
BIN    := $(VENV)/bin
STAMPS := $(VENV)/stamps
NAME   ?=
SHELL  := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: help setup run check quick test bench clean

PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input

help: ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

setup: $(STAMPS)/project $(STAMPS)/frontend ## Fetch what is needed; nothing to do when nothing changed

run: setup ## Start everything; open http://127.0.0.1:8000 (PORT, CALLCENTER_HOME, DEMO=0, DATABASE_URL, REDIS_URL)
	@exec $(BIN)/callcenter up

check: setup ## Linters, types, import layers, templates, migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint callcenter/templates --lint --quiet
	$(BIN)/callcenter migrate --check

# What a change breaks first: the rules, the stages on a database, every template with every sample.
quick: setup ## The everyday tests, a minute or so
	$(BIN)/pytest -n 2 --dist worksteal -m "not browser and not faults and not log and not slow" \
		tests/unit tests/contract tests/house tests/scripts_library tests/service tests/web/test_pages_render.py

# Without a browser the other tests still run, and the command fails: nothing passes unseen. Tests in a browser mostly
# wait: two files at a time, each with an instance of its own. Those that kill processes have the machine to themselves.
test: setup ## Every test, including the browser's
	@if CHROMIUM="$$(.ci/chromium $(BIN))"; then \
		export CHROMIUM; $(BIN)/pytest -n 2 --dist worksteal -m "not browser and not faults" && \
		$(BIN)/pytest -n 2 --dist loadfile -m "browser and not faults" && $(BIN)/pytest -m faults; \
	else \
		$(BIN)/pytest -n 2 --dist worksteal -m "not browser and not faults" && $(BIN)/pytest -m faults; \
		echo "make test: FAILED: the browser tests were not run, because no Chromium was found (see above)." >&2; \
		exit 1; \
	fi

bench: setup ## Benchmarks (NAME=... for one)
	$(BIN)/python -m benchmarks $(NAME)

clean: ## Remove what set-up and tests made; the data in CALLCENTER_HOME stays
	rm -rf $(VENV) node_modules callcenter/static/vendor build *.egg-info .mypy_cache .ruff_cache .pytest_cache \
		.hypothesis .import_linter_cache

# A virtual environment holds absolute paths, so one that was copied or moved is made anew.
ifneq ($(shell cat $(STAMPS)/python 2>/dev/null),$(CURDIR))
.PHONY: $(STAMPS)/python
endif
$(STAMPS)/python: .ci/python
	@if [ "$$(cat $@ 2>/dev/null)" != "$(CURDIR)" ] || ! $(BIN)/python -c "" 2>/dev/null; then \
		rm -rf $(VENV) && .ci/python $(VENV) && mkdir -p $(STAMPS) && echo "$(CURDIR)" > $@; \
	else touch $@; fi

$(STAMPS)/packages: requirements-dev.lock $(STAMPS)/python
	$(PIP) install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

$(STAMPS)/project: pyproject.toml $(STAMPS)/packages
	$(PIP) install --quiet --no-build-isolation --no-deps --no-index -e .
	@touch $@

# npm of this machine when it is new enough, else the one in the virtual environment, told to trust the
# authorities this machine trusts (the machine's own npm has its own settings for that).
$(STAMPS)/npm: package.json package-lock.json $(STAMPS)/packages
	@if [ "$$(npm --version 2>/dev/null | cut -d. -f1)" -ge 9 ] 2>/dev/null; then npm=npm; \
	else npm="$(CURDIR)/$(BIN)/npm"; export PATH="$(CURDIR)/$(BIN):$$PATH" NODE_OPTIONS=--use-system-ca; fi; \
	echo "$$npm ci --ignore-scripts"; "$$npm" ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

TRANSLATIONS := $(wildcard callcenter/translations/*/LC_MESSAGES/*.po)
$(STAMPS)/frontend: callcenter/assets.py $(TRANSLATIONS) $(STAMPS)/npm $(STAMPS)/project
	$(BIN)/python -m callcenter.assets
	@touch $@
