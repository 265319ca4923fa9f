# make test: everything that must hold.  make demo: see it work, nothing to configure.  make bench: what it costs.
# make simulate MINUTES=10: whole worlds with crashes, faults and people.
PYTHON ?= python3
ARGS ?=
HOURS ?= 0
MINUTES ?= $(shell echo $$(($(HOURS) * 60)))
JOBS ?= $(shell nproc 2>/dev/null || echo 1)
BIN := .venv/bin
STAMP := .venv/installed-$(shell cksum < pyproject.toml | cut -d ' ' -f 1)

.PHONY: setup test test-browser lint demo bench simulate mutants clean

setup: $(STAMP)

# The name of the stamp follows the content of pyproject.toml, so that changed dependencies are installed by themselves.
$(STAMP):
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON); install Python 3.11 or newer." >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "$(PYTHON) is older than 3.11; name a newer one, such as: make PYTHON=python3.12 setup" >&2; exit 2; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make environments; on Debian: apt-get install python3-venv" >&2; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@rm -f .venv/installed-* && touch $@

test: lint
	$(BIN)/pytest -n auto

# The tests in a real browser alone; installs Debian's Chromium where there is none.
test-browser: setup
	@command -v chromium chromium-browser google-chrome >/dev/null || { \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; } || { \
	  echo "There is no Chromium, and it could not be installed; on Debian, as root: apt-get install chromium" >&2; exit 2; }
	$(BIN)/pytest -n auto tests/browser

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

demo: setup
	$(BIN)/syncd demo $(ARGS)

# Ours beside other tools, which are installed from the package index into .venv-bench; ARGS=--answers-only needs none.
bench: setup
	$(BIN)/python -m bench $(ARGS)

# Worlds with crashes, faults and people, for as long as you like: make simulate HOURS=8, or MINUTES=10.
simulate: setup
	nice -n 15 $(BIN)/python -m tests.simulation.simulate --minutes $(if $(filter 0,$(MINUTES)),5,$(MINUTES)) --jobs $(JOBS) $(ARGS)

# Small mistakes in the files of the decision, which the tests must notice: make mutants ARGS="--sample 20".
mutants: setup
	nice -n 15 $(BIN)/python -m tests.mutation.mutants $(ARGS)

clean:
	rm -rf .venv .venv-bench dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
