# `make demo` needs Python 3.11 or newer, make and a package index; nothing else.
# `make test` needs npm as well: it installs anvil, a real node, below node_modules.
#
#   make demo    simulate a market, index it, write a report
#   make test    everything CI checks: lint, then tests
#   make lint    formatting, style, types, architecture, SQL; no tests
#   make fix     what can be repaired by machine
#   make docs    PROTOCOLS.md again, from the declarations
#   make soak    the fault campaign, SEEDS=1000 of them from FIRST=0 on, what `make test` leaves out
#                for time, and many examples of every property
#   make bench   benchmarks, never part of `make test`
#   make bench-peers   beside cryo, ponder and others, which it installs below .bench
#   make lock    write constraints.txt again from the newest versions
#   make clean   remove .venv, node_modules, .bench and caches

# The first Python that is new enough; `make PYTHON=...` overrides.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
# Of a shell's own VENV `make clean` would remove all: it counts on the command line alone.
VENV    = .venv
ARGS   ?=
SEEDS  ?= 1000
FIRST  ?= 0
NPM    ?= npm
WORKERS ?= $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN) + 1 )))

BIN := $(VENV)/bin
# Modules are compiled when they are first imported: most of those installed never are.
INSTALL := $(BIN)/python -m pip -qq --disable-pip-version-check --no-input install --no-compile \
    --constraint constraints.txt --editable

# Types are checked beside style, and npm installs beside pip.
MAKEFLAGS += --jobs=2

# What Python compiles is kept, whatever the shell says: else each process compiles all of it again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := test
.DELETE_ON_ERROR:
.PHONY: demo test lint lint-types lint-style fix docs soak bench bench-peers lock clean

demo: $(VENV)/.run
	$(BIN)/perpscope demo $(ARGS)

# A worker per core and one more, because tests wait for nodes and clocks; a file per worker, because
# fixtures that index or build something are made once. Files
# are handed out in the order of tests/conftest.py.
test: lint node_modules/.bin/anvil
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

lint: lint-types lint-style

lint-types: $(VENV)/.dev
	$(BIN)/mypy --no-error-summary

lint-style: $(VENV)/.dev
	$(BIN)/ruff format --check --quiet
	$(BIN)/ruff check --quiet
	$(BIN)/lint-imports --no-logo
	$(BIN)/sqlfluff lint --nocolor queries
	$(BIN)/interrogate tests
	$(BIN)/validate-pyproject pyproject.toml
	$(BIN)/codespell

fix: $(VENV)/.dev
	$(BIN)/ruff format
	$(BIN)/ruff check --fix
	$(BIN)/sqlfluff fix queries

docs: $(VENV)/.run
	$(BIN)/perpscope protocols --markdown > PROTOCOLS.md

soak: $(VENV)/.dev
	cd tests && $(abspath $(BIN))/python -m soak --seeds $(SEEDS) --first $(FIRST)
	$(BIN)/python -m pytest -n $(WORKERS) -m soak
	PERPSCOPE_EXAMPLES=200 $(BIN)/python -m pytest -n $(WORKERS) -m "hypothesis and not soak"

bench: $(VENV)/.bench
	$(BIN)/python -m pytest --benchmark-only tests/bench $(ARGS)

# An hour or two; ARGS="--logs 50000 --rounds 1" is a look at all of it.
bench-peers: $(VENV)/.run
	@$(BIN)/python tests/bench/peers/bench_peers.py $(ARGS)

# A stamp per extra: an environment is made once and refreshed when its inputs change. Installs
# are editable, so a changed source needs none; tests/test_wheel.py covers the real install.
$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	    { echo "No Python 3.11 or newer was found; name one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.run: $(VENV)/.made pyproject.toml constraints.txt
	$(INSTALL) .
	@touch $@

$(VENV)/.dev: $(VENV)/.made pyproject.toml constraints.txt
	$(INSTALL) '.[dev]'
	@touch $@ $(VENV)/.run

$(VENV)/.bench: $(VENV)/.made pyproject.toml constraints.txt
	$(INSTALL) '.[dev,bench]'
	@touch $@ $(VENV)/.dev $(VENV)/.run

# No lock file: it would name a registry. The version in package.json is exact, and the package
# has no dependency but its own binary. Scripts are not run: there is nothing to build.
node_modules/.bin/anvil: package.json
	@command -v $(NPM) >/dev/null || \
	    { echo "No npm was found, which make test needs to install anvil; install Node.js" >&2; exit 1; }
	@$(NPM) install --no-package-lock --ignore-scripts --no-audit --no-fund --loglevel=error || \
	    { echo "npm could not install anvil, which make test needs; see its message above" >&2; exit 1; }
	@touch $@

# Versions only: no index, no address, no local path, so the file works with any package index.
lock:
	rm -rf $(VENV)-lock
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/python -m pip -qq --no-input install --editable '.[dev,bench]'
	$(VENV)-lock/bin/python -m pip -qq freeze --exclude perpscope \
	    | grep -E '^[A-Za-z0-9._-]+==[^ ]+$$' > constraints.txt
	rm -rf $(VENV)-lock

clean:
	rm -rf $(VENV) $(VENV)-lock node_modules .bench .mypy_cache .pytest_cache .ruff_cache .hypothesis dist
