# make app     install what is missing into .venv and open the app in a browser
# make develop the same, reloading the app when its code changes
# make test    install what is missing into .venv and run all tests
# make processors the codec's tests with the arithmetic of other processors, on one thread and two
# make check   lint, format, types, and whether the documents say what was measured
# make results measure everything on Kodak again; what is measured already is kept
# make docs    write the figures of README.md and docs/ from the results
# make clean   remove .venv and caches
#
# PYTHON=... chooses the interpreter, for example: make app PYTHON=python3.12

VENV := .venv
RUN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts/python.exe,bin/python)
PIP := $(RUN) -m pip --disable-pip-version-check install --quiet --requirement
SUITABLE := import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11 python; do \
	$$name -c '$(SUITABLE)' >/dev/null 2>&1 && echo $$name && break; done)

.PHONY: app develop test processors check results docs clean

app: $(VENV)/app-installed
	$(RUN) -m streamlit run streamlit_app.py --server.showEmailPrompt=false

develop: $(VENV)/app-installed
	$(RUN) -m streamlit run streamlit_app.py --server.showEmailPrompt=false \
		--server.fileWatcherType=auto --server.folderWatchBlacklist=$(CURDIR)/$(VENV)

test: $(VENV)/test-installed
	@status=0; \
	$(RUN) -m pytest --numprocesses=auto --dist=loadfile -m "not memory" \
		--ignore-glob='*/test_browser*' || status=$$?; \
	$(RUN) -m pytest -m memory tests/test_deflate.py tests/test_fuzz.py tests/test_latents.py || status=$$?; \
	$(RUN) -m pytest tests/test_browser*.py || status=$$?; \
	exit $$status

processors: $(VENV)/test-installed
	for processor in Haswell Zen Sandybridge; do for threads in 1 2; do \
		echo "$$processor, threads of BLAS: $$threads" && \
		OPENBLAS_CORETYPE=$$processor OPENBLAS_NUM_THREADS=$$threads $(RUN) -m pytest --quiet \
			tests/test_latents.py tests/test_refinement.py tests/test_shipped_weights.py \
			tests/test_rounding.py -k "not app" \
		|| exit 1; \
	done; done

check: $(VENV)/test-installed
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check --quiet .
	$(RUN) -m ty check --python $(VENV)
	$(RUN) -m docs.figures --check

results: $(VENV)/test-installed
	$(RUN) -m sdae evaluate --sets kodak-thumb kodak
	$(RUN) -m sdae evaluate --sets kodak-128 --stride 8
	$(RUN) -m sdae evaluate --noise --sets kodak-thumb
	$(RUN) -m sdae evaluate --noise --sets kodak-128 --stride 49
	$(RUN) -m sdae evaluate --noise --sets kodak --stride 12
	$(RUN) -m sdae evaluate --noise standard --sets kodak
	$(RUN) -m sdae evaluate --noise camera --sets kodak-thumb
	$(RUN) -m sdae evaluate --noise camera --sets kodak --stride 3
	$(RUN) -m docs.coder
	$(RUN) -m sdae bench --store

docs: $(VENV)/app-installed
	$(RUN) -m docs.figures

clean:
	rm -rf $(VENV) .pytest_cache .hypothesis .ruff_cache
	find sdae pages tests -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/app-installed: requirements.txt | $(RUN)
	@echo "Installing the app's packages into $(VENV); the first time takes a few minutes."
	$(PIP) requirements.txt
	@touch $@

$(VENV)/test-installed: requirements-test.txt $(VENV)/app-installed
	@echo "Installing the tests' packages into $(VENV)."
	$(PIP) requirements-test.txt
	@touch $@

$(RUN):
	@$(or $(PYTHON),false) -c '$(SUITABLE)' 2>/dev/null || { \
		echo "SDAE needs Python 3.11, 3.12 or 3.13 with its venv module;" \
			"install one (Debian: apt-get install python3-venv)" \
			"and name it: make app PYTHON=/path/to/python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
