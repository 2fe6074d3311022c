# A thin front for tools/do.py, which says what each task does: make course TORCH=cpu is python3 tools/do.py course TORCH=cpu.
ifeq ($(OS),Windows_NT)
RUN := $(or $(PYTHON),py)
else
RUN := $(or $(PYTHON),python3)
endif
TASKS := help course lab app test docs docs-serve book kit release bench floors colab kaggle export save digits clean

.PHONY: $(TASKS)
$(TASKS):
	@"$(RUN)" -c "import sys; sys.exit(sys.version_info < (3, 6))" 2>/dev/null || { echo "The command $(RUN) is missing, does not run, or is very old: install Python from" \
	"https://www.python.org/downloads/, or name yours, for example make $@ PYTHON=python3.12" >&2; exit 1; }
	@"$(RUN)" tools/do.py $@
