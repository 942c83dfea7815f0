# Everything works in any folder, under any name: relative targets, quoted variables, one shell per recipe.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.SILENT:
.PHONY: up demo test check bench chaos mutants screenshots places run-environment dev-environment browser

# An environment that another user made (root first, then you) is left alone; yours lies beside it.
VENV := $(shell [ ! -e .venv ] || [ -O .venv ] && echo .venv || echo .venv-$$(id -un))
PYTHON := $(VENV)/bin/python
export PYTHONUTF8 := 1
# What tools remember lies with the environment, so that two users never meet in one file.
export MYPY_CACHE_DIR := $(VENV)/cache/mypy
export RUFF_CACHE_DIR := $(VENV)/cache/ruff
export COVERAGE_FILE := $(VENV)/cache/coverage/data
export HYPOTHESIS_STORAGE_DIRECTORY := $(VENV)/cache/hypothesis
PYTEST := -m pytest -o cache_dir=$(VENV)/cache/pytest

up: run-environment
	exec $(PYTHON) -m config.supervisor

demo: run-environment
	exec $(PYTHON) -m config.supervisor --job demo

# ARGS, as pytest takes them, run only what they name: make test ARGS="tests/memory -k limits". The last line is pytest's
# summary; below 85 % of chat, generation and memory the coverage report fails first.
SHOWN := $(if $(ARGS),$(findstring tests/browser,$(ARGS)),tests/browser)
test: dev-environment $(if $(SHOWN),browser)
	rm -rf $(VENV)/cache/coverage && mkdir -p $(VENV)/cache/coverage
	# A page is looked at when nobody kills processes beside it. More workers than cores: they wait more than they work.
	$(if $(ARGS),,$(PYTHON) $(PYTEST) -q -n 2 tests/browser)
	$(PYTHON) -m coverage run $(PYTEST) -q -n 3 $(if $(ARGS),$(if $(SHOWN),,--ignore=tests/browser) $(ARGS),--ignore=tests/browser) | tee $(VENV)/cache/summary
	$(PYTHON) -m coverage combine --quiet
	$(PYTHON) -m coverage report $(if $(ARGS),--fail-under=0)
	tail -n 1 $(VENV)/cache/summary

check: dev-environment
	deploy/check.sh $(PYTHON)

# All run; one that misses what was promised fails.
bench: dev-environment
	failed=0
	for file in tests/bench/bench_*.py; do $(PYTHON) -m "tests.bench.$$(basename "$$file" .py)" || failed=1; done
	exit $$failed

# What `make test` breaks, far longer. CHAOS_SEED draws other blows.
chaos: dev-environment
	export CHAOS_KILLS=$${CHAOS_KILLS:-500} CHAOS_COURSE_KILLS=$${CHAOS_COURSE_KILLS:-500} CHAOS_NOTES=$${CHAOS_NOTES:-200} CHAOS_REDIS_AWAY=$${CHAOS_REDIS_AWAY:-60}
	export HISTORY_EXAMPLES=$${HISTORY_EXAMPLES:-2000} REST_EXAMPLES=$${REST_EXAMPLES:-300}
	exec $(PYTHON) $(PYTEST) -s tests/chaos tests/generation/test_course_faults.py tests/generation/test_history_machine.py tests/generation/test_history_at_once.py tests/config/test_openapi.py $(ARGS)

# Does the suite notice each guard that is taken away? ARGS names some of tests/mutants.
mutants: dev-environment
	exec $(PYTHON) -m tests.mutants $(ARGS)

# Every page in both widths, themes and languages, into screenshots/. ARGS names some of tests/browser/gallery.py.
screenshots: dev-environment browser
	exec $(PYTHON) -m tests.browser.screenshots $(ARGS)

# Both commands of README in clean clones, as root and as others, in odd folders. ARGS names some of tests/places.py.
places:
	exec python3 tests/places.py $(ARGS)

run-environment:
	deploy/environment.sh $(VENV) requirements.txt

dev-environment:
	deploy/environment.sh $(VENV) requirements-dev.txt

browser:
	deploy/browser.sh
