# fcrlib: `make report` and `make test` are all a newcomer needs; `make help` lists the rest.
SHELL := /bin/sh
PY := .venv/bin/python
STAMP := .venv/.installed
DEMO := data/demo/manifest.json
CONTACTS ?= 40000
PERIOD ?=
unexport JUPYTER_PATH
export TZ := UTC

.DEFAULT_GOAL := report
.PHONY: report test check lab bench docs lock help clean

report: $(STAMP) $(DEMO) ## install everything, invent the demo desk if there is none, publish reports/<period>/report.html
	@$(PY) -m fcrlib.cli report run $(PERIOD) --force

test: $(STAMP) $(DEMO) ## install everything and run every test: unit, spec, laws, doctests, notebooks
	@$(PY) -m pytest -q -n auto --dist loadfile
	@$(PY) -m pytest -q notebooks -p no:randomly --nbval-lax --nbval-current-env --nbval-cell-timeout 600 --nbval-sanitize-with tests/nbval.cfg -o addopts= -W default

check: $(STAMP) ## lint, types and the fast tests
	@$(PY) -m ruff check . && $(PY) -m ruff format --check . && $(PY) -m mypy && $(PY) -m pytest -q -n auto --dist loadfile -m "not slow"

lab: $(STAMP) $(DEMO) ## open the notebooks in JupyterLab
	@$(PY) -m jupyter lab notebooks

bench: $(STAMP) ## measure every speed, each as a ratio in one run (QUICK=--quick for under a minute each)
	@for script in bench/*.py; do echo "$$script"; $(PY) $$script $(QUICK) || exit 1; done

docs: $(STAMP) $(DEMO) ## write the data dictionary, the checked outputs, the sample report and its picture anew
	@$(PY) tests/keep_outputs.py
	@$(PY) -c "from pathlib import Path; from fcrlib.model.tables import dictionary; Path('data/README.md').write_text(dictionary(), encoding='utf-8')"
	@$(PY) -m fcrlib.cli report run 2026Q3 --desk data/demo --out reports/.docs --force -q && rm -rf reports/sample && mv reports/.docs/2026Q3 reports/sample && rm -rf reports/.docs
	@rm -f reports/sample/tables/*.parquet && $(PY) -c "from pathlib import Path; from fcrlib.publish.shelf import seal; seal(Path('reports/sample'))"
	@$(PY) tests/keep_picture.py

lock: ## resolve the dependencies anew into requirements.lock (needs uv)
	@unset UV_INDEX UV_FIND_LINKS; uv lock -q && uv export -q --all-extras --group dev --no-emit-project --no-emit-index-url --no-emit-find-links --no-annotate --no-header -o requirements.lock

help: ## list the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-8s %s\n", $$1, $$2}'

clean: ## remove what was installed and generated, but no desk and no report
	@rm -rf .venv data/demo data/.cache reports/.staging .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(STAMP): requirements.lock pyproject.toml
	@test -x $(PY) || python3 -m venv .venv 2>/dev/null || (python3 -m venv --without-pip .venv && python3 -m pip -q --python $(PY) install pip)
	@if command -v uv >/dev/null 2>&1; then uv pip install -q --python $(PY) --no-deps --require-hashes -r requirements.lock; \
	else $(PY) -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r requirements.lock; fi
	@$(PY) -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(DEMO): | $(STAMP)
	@$(PY) -m fcrlib.cli demo --contacts $(CONTACTS)
