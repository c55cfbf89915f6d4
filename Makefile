# Run, test and measure Gatehouse; `make` alone lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -e -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
WORKERS ?= 2
ARGS ?=

PYTHON ?=

# The folders that hold Python; one that is still empty would stop mypy.
CODE = manage.py $(foreach folder,portal authz audit bench client tests,$(if $(wildcard $(folder)/*.py),$(folder)))

# uv knows neither pip's settings nor the system's certificates.
UV = $(if $(SSL_CERT_FILE),,$(if $(wildcard /etc/ssl/certs/ca-certificates.crt),SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt)) \
	UV_PYTHON_DOWNLOADS=never $(BIN)/uv pip install --quiet --python $(BIN)/python

PYTEST = $(BIN)/python -m pytest
RUN = $(PYTEST) -n $(WORKERS) --dist loadfile --no-loadscope-reorder
# What `make test` sums up; a run by hand keeps nothing.
KEEP = $(if $(KEPT),--results $(RESULTS)/$@.json)

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: $(VENV)/.runtime $(VENV)/.ldap ## Install what is needed and start the portal on this machine, with nothing else to set up
	@PORTAL_MODE=local exec $(BIN)/python manage.py quickstart $(ARGS)

STEPS := parts lint types house test-sqlite test-postgresql
RESULTS := $(VENV)/results

.PHONY: test
test: $(VENV)/.dev $(VENV)/.ldap-built ## Run every check and every test, on SQLite and on PostgreSQL, and sum up
	@rm -rf $(RESULTS); mkdir $(RESULTS); \
	for step in $(STEPS); do \
		printf '\n== %s\n' $$step; begun=$$SECONDS; \
		if $(MAKE) $$step KEPT=yes 2>&1 | tee $(RESULTS)/$$step.log; then said=ok; else said=FAILED; fi; \
		echo $$said $$((SECONDS - begun)) > $(RESULTS)/$$step; \
	done; \
	printf '\n== Summary\n'; \
	grep -h -E '^(MISSING|NOT TESTED|NOT INSTALLED)' $(addsuffix .log,$(addprefix $(RESULTS)/,$(STEPS))) || true; \
	$(BIN)/python -m tests.run.report $(RESULTS) $(STEPS); \
	! grep -q FAILED $(addprefix $(RESULTS)/,$(STEPS))

.PHONY: check
check: $(VENV)/.dev lint types contracts ## Check the form, the types, the rooms and the tests nearest to what changed since BASE, in two minutes
	@$(BIN)/python -m tests.run.nearest $(if $(BASE),--base $(BASE)) > $(VENV)/nearest || { cat $(VENV)/nearest; exit 1; }
	@grep -v '^tests/' $(VENV)/nearest || true
	@if grep -q '^tests/' $(VENV)/nearest; then $(RUN) -q $$(grep '^tests/' $(VENV)/nearest) $(ARGS); fi

.PHONY: fuzz
fuzz: $(VENV)/.dev ## Try the tests of properties with forty times as many examples, for half an hour at most
	@timeout --foreground 1800 $(RUN) -q -x -m hypothesis --hypothesis-profile=fuzz $(ARGS) || { said=$$?; \
		[ $$said != 124 ] || echo "The half hour is over, and nothing was found in it."; [ $$said = 124 ]; }

.PHONY: slowest
slowest: ## Write tests/slowest.toml anew from the last `make test`
	@$(BIN)/python -m tests.run.report $(RESULTS) --files

.PHONY: parts
parts: $(BIN)/python ## Install the programs that tests run against, or say which are missing
	@$(BIN)/python tests/peers/install

.PHONY: traefik
traefik: $(BIN)/python ## Build Traefik, so that docker/traefik.yml is tested too; this takes some ten minutes
	@$(BIN)/python tests/peers/install --optional

.PHONY: test-sqlite
test-sqlite: $(VENV)/.dev ## Run the tests on SQLite
	@$(RUN) $(KEEP) $(ARGS)

.PHONY: test-postgresql
test-postgresql: $(VENV)/.dev ## Run the tests on a throw-away PostgreSQL
	@if [ "$$CI" = true ] || $(BIN)/python tests/peers/install --has PostgreSQL; then \
		$(RUN) $(KEEP) --database=postgresql $(ARGS); \
	else \
		echo "NOT TESTED on PostgreSQL: it is not installed on this machine"; \
	fi

.PHONY: lint
lint: $(VENV)/.dev ## Check the code's form
	@$(BIN)/ruff check --output-format concise .
	@$(BIN)/ruff format --check --output-format concise .

.PHONY: types
types: $(VENV)/.dev ## Check the types
	@PORTAL_MODE=local DATA_DIR=.mypy_cache/data $(BIN)/mypy $(CODE)

.PHONY: house
house: contracts ## Check that the rooms keep to their invariants
	@$(PYTEST) -q tests/test_house.py

.PHONY: contracts
contracts: $(VENV)/.dev ## Check who imports whom
	@$(BIN)/lint-imports

.PHONY: bench
bench: $(VENV)/.dev $(VENV)/.ldap-built ## Measure the hot path behind a real nginx
	@$(BIN)/python tests/peers/install --bench
	@$(BIN)/python -m bench $(ARGS)

.PHONY: format
format: $(VENV)/.dev ## Put the code into form
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

.PHONY: clean
clean: ## Remove the venv and every cache; the data folder stays
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .coverage .coverage.* htmlcov staticfiles
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# What is installed is remembered by a file beside it, so that a second `make run` starts at once.

# The quickest Python 3.11 there is: one that was built without optimizations takes a third longer for everything. Each
# is tried in three rounds and by the time of the processor, whatever else the machine does meanwhile.
# Without a 3.11, a newer one; `make run PYTHON=/path/to/python3` names another.
define TRIAL
import sys
if sys.version_info < (3, 11):
    sys.exit(1)
import ensurepip, time, venv
def seconds():
    begun, counts = time.process_time(), {}
    for number in range(40000):
        word = str(number % 97)
        counts[word] = counts.get(word, 0) + len(word.encode().split(b"1"))
    return time.process_time() - begun
print(int(min(seconds() for _ in range(9)) * 1e6), sys.executable)
endef
$(BIN)/python: export WORK = $(TRIAL)
PATIENTLY := $(if $(shell command -v timeout),timeout 10)
$(BIN)/python:
	@python="$(PYTHON)"; \
	for name in $(if $(PYTHON),,python3.11 python3 python3.12 python3.13 python3.14); do \
		python=$$({ type -ap $$name || true; } | awk '!seen[$$0]++ { found[++n] = $$0 } \
			END { for (round = 0; round < 3; round++) for (i = 1; i <= n; i++) print found[i] }' | while IFS= read -r each; do \
			said=$$($(PATIENTLY) "$$each" -c "$$WORK" 2>/dev/null </dev/null) && tail -n 1 <<< "$$said" | grep -E '^[0-9]+ /' || true; \
		done | sort -n | head -n 1 | cut -d ' ' -f 2-); \
		[ -z "$$python" ] || break; \
	done; \
	if [ -z "$$python" ]; then \
		echo "Gatehouse needs Python 3.11 or newer with venv and ensurepip, and found $$(python3 --version 2>/dev/null || echo no Python)."; \
		echo "Install it (on Debian: apt install python3 python3-venv), or name it: make run PYTHON=/path/to/python3.11"; exit 1; \
	fi; \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Gatehouse needs Python 3.11 or newer; $$python is $$("$$python" --version 2>&1)."; exit 1; }; \
	"$$python" -m venv $(VENV) || { \
		rm -rf $(VENV); echo "$$python could not make $(VENV); on Debian it needs the package python3-venv."; exit 1; }

$(VENV)/.uv: | $(BIN)/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION) 2>&1 | tail -n 1 || \
		echo "uv $(UV_VERSION) could not be installed; pip installs the rest, which takes longer."
	@touch $@

$(VENV)/.runtime: requirements.txt | $(VENV)/.uv
	@echo "Installing what the portal needs"
	@if [ -x $(BIN)/uv ]; then $(UV) -r requirements.txt; \
	else $(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt; fi || { \
		echo "NOT INSTALLED: some of requirements.txt; the lines above say why."; exit 1; }
	@touch $@

# LDAP is apart: python-ldap has no wheels, and a machine without a compiler must still start the portal.
LDAP = $(shell $(BIN)/python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['optional-dependencies']['ldap'])" 2>/dev/null)
INSTALL_LDAP = if [ -x $(BIN)/uv ]; then $(UV) $(LDAP); else $(BIN)/python -m pip install --quiet $(LDAP); fi

$(VENV)/.ldap: pyproject.toml | $(VENV)/.runtime
	@echo "Installing what LDAP directories need"
	@$(INSTALL_LDAP) > $(VENV)/ldap.log 2>&1 || { grep -m 1 -E 'fatal error|rror:' $(VENV)/ldap.log || true; \
		echo "NOT INSTALLED: python-ldap, so LDAP directories cannot be read; everything else works."; \
		echo "On Debian: apt install gcc libldap-dev libsasl2-dev python3-dev, and then: make ldap"; }
	@touch $@

$(VENV)/.ldap-built: pyproject.toml | $(VENV)/.uv
	@$(BIN)/python tests/peers/install --ldap
	@rm -f $(VENV)/.ldap
	@$(MAKE) $(VENV)/.ldap
	@touch $@

.PHONY: ldap
ldap: $(BIN)/python ## Install what LDAP directories need: python-ldap, and what it is built with
	@rm -f $(VENV)/.ldap-built
	@$(MAKE) $(VENV)/.ldap-built

$(VENV)/.dev: requirements.txt pyproject.toml | $(VENV)/.uv
	@echo "Installing what the portal and its tests need"
	@if [ -x $(BIN)/uv ]; then $(UV) -r requirements.txt --group dev; \
	else $(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1' && \
		$(BIN)/python -m pip install --quiet -r requirements.txt --group dev; fi || { \
		echo "NOT INSTALLED: some of requirements.txt or of the group dev in pyproject.toml; the lines above say why."; exit 1; }
	@touch $@ $(VENV)/.runtime
