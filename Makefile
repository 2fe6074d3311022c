ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif

# The Python to make .venv with; while .venv has one that works, that one.
PYTHON ?= $(shell $(BIN)/python -c "import pip" 2>/dev/null && echo $(BIN)/python || echo python3)

# $(call setup,course): .venv is there, with pixelsim and everything that `course` or `dev` needs.
define setup
@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 6))" 2>/dev/null || { echo "The command $(PYTHON) is missing, does not run, or is very old: install Python from" \
	"https://www.python.org/downloads/, or name yours, for example make $@ PYTHON=python3.12" >&2; exit 1; }
@$(PYTHON) tools/setup_env.py $(1) $(if $(MIN_FREE_GB),--min-free-gb $(MIN_FREE_GB))
endef

.PHONY: help course lab test docs docs-serve bench export save digits clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' Makefile

course:  ## Set everything up, run every lesson, and show what came out
	$(call setup,course)
	@$(BIN)/python tools/lessons.py
	@echo "To open the lessons in Jupyter: make lab"

lab:  ## Open the lessons in Jupyter
	$(call setup,course)
	@$(BIN)/jupyter lab --config tools/lab.py

test:  ## Run the tests
	$(call setup,dev)
	@$(BIN)/python tools/browser.py
	@$(BIN)/python -m pytest -n logical --dist loadfile

docs:  ## Build the site, in build/docs/html
	$(call setup,dev)
	@$(BIN)/python tools/docs.py

docs-serve:  ## Build the site and show it on this machine
	$(call setup,dev)
	@$(BIN)/python tools/docs.py --serve $(if $(PORT),--port $(PORT))

bench:  ## Compare pixelsim with what one would use instead (half an hour, 16 GB of memory)
	$(call setup,dev)
	@$(BIN)/python -W ignore benchmarks/compare.py
	@$(BIN)/python -W ignore benchmarks/compare.py --busy
	@$(BIN)/python benchmarks/figures.py
	@$(BIN)/python -W ignore benchmarks/startup.py
	@$(BIN)/python -W ignore benchmarks/gpu.py || test $$? = 2

export:  ## Write the library from the notebooks
	$(call setup,dev)
	@$(BIN)/nbdev-export

save:  ## Run every notebook, store its outputs, and write the library and README.md from them
	$(call setup,dev)
	@$(BIN)/python tools/lessons.py --save
	@$(BIN)/nbdev-export
	@$(BIN)/nbdev-clean
	@$(BIN)/python tools/readme.py

digits:  ## Build the bundled digits again from MNIST's four original files: make digits FROM=folder
	@test -d "$(FROM)" || { echo "There is no folder '$(FROM)': name it, make digits FROM=folder" >&2; exit 1; }
	$(call setup,course)
	@$(BIN)/python tools/build_digits.py "$(FROM)"

clean:  ## Delete what builds and tests left behind; .venv stays
	@rm -rf build dist *.egg-info .pytest_cache .hypothesis
	@find nbs pixelsim tests tools \( -name __pycache__ -o -name .ipynb_checkpoints \) -prune -exec rm -rf {} +
