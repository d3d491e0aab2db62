# Everything a working copy needs; `make help` lists the targets.
# The first target that needs it creates .venv, a Python environment of this project's own.

VENV := .venv
BIN := $(VENV)/bin
SIZE ?= small
JOBS ?= auto
OUT ?= out

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The first interpreter that is new enough; say `make PYTHON=/path/to/python3` for another one.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	then command -v $$python; break; fi; done)

NATIVE := $(wildcard src/netphase/engine/native/*.cpp src/netphase/engine/native/*.hpp)
# The editable install knows modules by their files: folders tell that some came or went.
FOLDERS := $(shell find src/netphase -type d -not -name __pycache__)

# --- environment -----------------------------------------------------------------------------

# install-group NAME: the third-party packages of one dependency group, at the pinned versions
define install-group
	@echo "netphase: installing the $(1) packages into $(VENV)"
	@if command -v uv >/dev/null 2>&1; \
	then uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --group $(1); \
	else $(BIN)/python -m pip install --quiet --constraint constraints.txt --group $(1); fi
endef

$(VENV)/.created:
	@test -n "$(PYTHON)" || { echo "netphase needs Python 3.11 or later, and no such python3 is on" \
		"the PATH: install one, or name it with make PYTHON=/path/to/python3." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "netphase needs Python 3.11" \
		" or later, but %s is Python %d.%d." % (sys.executable, *sys.version_info[:2]))'
	@found=; for compiler in $${CXX:-c++ g++ clang++}; \
	do command -v $$compiler >/dev/null 2>&1 && found=yes; done; \
	test -n "$$found" || { echo "netphase needs a C++17 compiler and found none: install g++ (9 or" \
		"later) or clang++ (12 or later), or set CXX to yours, and retry." >&2; exit 1; }
	@if command -v uv >/dev/null 2>&1; \
	then uv venv --quiet --seed --allow-existing --python $(PYTHON) $(VENV); \
	else $(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip install --quiet --upgrade \
		--disable-pip-version-check --constraint constraints.txt pip; fi
	@touch $@

$(VENV)/.build: pyproject.toml constraints.txt | $(VENV)/.created
	$(call install-group,build)
	@touch $@

# The package itself, editable: edits of Python count at once, edits of C++ at the next make.
$(VENV)/.stamp: pyproject.toml constraints.txt CMakeLists.txt $(NATIVE) $(FOLDERS) | $(VENV)/.build
	@echo "netphase: compiling the engine"
	@if command -v uv >/dev/null 2>&1; \
	then uv pip install --quiet --python $(BIN)/python --constraint constraints.txt \
		--no-build-isolation --editable .; \
	else $(BIN)/python -m pip install --quiet --constraint constraints.txt \
		--no-build-isolation --editable .; fi
	@touch $@

$(VENV)/.test: pyproject.toml constraints.txt | $(VENV)/.stamp
	$(call install-group,test)
	@touch $@

$(VENV)/.lint: pyproject.toml constraints.txt | $(VENV)/.created
	$(call install-group,lint)
	@touch $@

$(VENV)/.docs: pyproject.toml constraints.txt | $(VENV)/.stamp
	$(call install-group,docs)
	@touch $@

.PHONY: install
install: $(VENV)/.stamp  ## install the package into .venv

.PHONY: dev
dev: $(VENV)/.stamp $(VENV)/.test $(VENV)/.lint $(VENV)/.docs  ## install everything for development

.PHONY: hooks
hooks: dev  ## run the quick checks before every commit
	$(BIN)/prek install

# --- the main job ----------------------------------------------------------------------------

.PHONY: diagram
diagram: $(VENV)/.stamp  ## draw the phase diagram at full resolution (about a minute)
	@$(BIN)/netphase diagram --output $(OUT)/diagram
	@echo "netphase: the figure is $(OUT)/diagram/phase_diagram.png"

PAPERS := luo2021 chen2023 ma2020 berthier2023 li2024

.PHONY: reproduce
reproduce: $(VENV)/.stamp $(VENV)/.test  ## check the papers' claims (SIZE=smoke, small or paper)
	@status=0; for paper in $(PAPERS); do $(BIN)/netphase reproduce $$paper --size $(SIZE) \
		--output $(OUT)/$$paper-$(SIZE) || status=1; done; exit $$status

.PHONY: results
results: diagram reproduce  ## renew the pictures and the claims that the documentation shows
	$(BIN)/netphase diagram --exact --output $(OUT)/zones
	$(BIN)/netphase diagram --plane layers --output $(OUT)/layers
	@mkdir -p docs/images docs/reproductions
	cp $(OUT)/diagram/phase_diagram.png docs/images/diagram.png
	cp $(OUT)/zones/exact_zones.png docs/images/zones.png
	cp $(OUT)/layers/layers.png docs/images/layers.png
	for paper in $(PAPERS); do cp $(OUT)/$$paper-$(SIZE)/checks.json \
		docs/reproductions/$$paper.json; done

.PHONY: bench
bench: $(VENV)/.stamp $(VENV)/.test  ## measure the speed (QUICK=1 for a short run)
	benchmarks/run.sh $(if $(QUICK),--quick)

# --- checks ----------------------------------------------------------------------------------

.PHONY: test
test: $(VENV)/.stamp $(VENV)/.test  ## run the tests (a few minutes)
	@$(BIN)/python -m pytest --numprocesses $(JOBS) --benchmark-disable

.PHONY: test-slow
test-slow: $(VENV)/.stamp $(VENV)/.test  ## run the slow tests too
	@$(BIN)/python -m pytest --numprocesses $(JOBS) --benchmark-disable -m "not gpu"

.PHONY: lint
lint: $(VENV)/.lint  ## check style and docstrings
	$(BIN)/ruff check
	$(BIN)/ruff format --check

.PHONY: types
types: $(VENV)/.stamp $(VENV)/.test $(VENV)/.lint  ## check types
	$(BIN)/mypy

.PHONY: contracts
contracts: $(VENV)/.stamp $(VENV)/.test  ## check that imports point down the floors
	$(BIN)/lint-imports --no-cache

.PHONY: docs
docs: $(VENV)/.stamp $(VENV)/.test $(VENV)/.docs  ## build the documentation
	PYDEVD_DISABLE_FILE_VALIDATION=1 $(BIN)/python -m sphinx -q -W --keep-going -b html docs docs/_build/html
	@echo "netphase: open docs/_build/html/index.html"

.PHONY: check
check: lint types contracts test docs  ## run every check

# --- upkeep ----------------------------------------------------------------------------------

.PHONY: format
format: $(VENV)/.lint  ## format the code
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# Resolves all groups anew, without the old pins, in an environment that is thrown away.
.PHONY: constraints
constraints: $(VENV)/.created  ## renew the pinned versions
	$(BIN)/python -m venv --clear build/constraints
	build/constraints/bin/python -m pip install --quiet --upgrade pip
	build/constraints/bin/python -m pip install --quiet --group dev
	build/constraints/bin/python -m pip install --quiet --no-build-isolation .
	{ echo "# Versions that are known to work together; \`make constraints\` renews this list."; \
	build/constraints/bin/python -m pip list --format freeze --exclude netphase --exclude setuptools; } \
	> constraints.txt
	rm -rf build/constraints

.PHONY: clean
clean:  ## remove what was built and installed
	rm -rf $(VENV) build dist docs/_build docs/jupyter_execute docs/api/generated
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .benchmarks

.PHONY: help
help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
