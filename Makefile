# make demo    train a small network on handwritten digits and draw its receptive fields
# make test    run the tests
# make bench   measure speed, memory and scaling
# make gpu     run what was never run: the CUDA programs, on a GPU, in under ten minutes
# make lint    check style and types
# make docs    build the documentation into build/docs
#
# Each makes .venv first where it is missing or stale. PYTHON=/path/to/python3.12 chooses the interpreter,
# WORKERS=1 the number of test processes.

.DEFAULT_GOAL := help
.PHONY: help demo test bench gpu lint docs clean
PYTHON ?=
export PYTHON
WORKERS ?= 2
BIN := .venv/bin

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

demo:
	@sh virtual-environment.sh
	@$(BIN)/hebbarium demo

test:
	@sh virtual-environment.sh test
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --durations=10

bench:
	@sh virtual-environment.sh
	@$(BIN)/python -m benchmarks

gpu:
	@sh benchmarks/gpu.sh --out build/gpu

lint:
	@sh virtual-environment.sh --no-compiler dev
	$(BIN)/ruff check .
	$(BIN)/mypy

docs:
	@sh virtual-environment.sh docs
	@$(BIN)/python -m sphinx -W --keep-going -q -b html docs build/docs
	@echo "build/docs/index.html"

# Removes what is made here; runs/ and the caches in the user's folders stay.
clean:
	rm -rf .venv build dist docs/api docs/papers docs/gallery docs/commands.md docs/dense_pathways.md docs/notebooks *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis
	rm -rf dense_pathways/build dense_pathways/dist dense_pathways/src/*.egg-info dense_pathways/.pytest_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
