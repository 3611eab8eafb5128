# `make run` and `make test` are all that a newcomer needs; `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
CORES ?= all
UV_VERSION := 0.13.8
VENV := .venv
TOOLS := .tools
UV := $(TOOLS)/bin/uv

# gpu installs vLLM, cpu its build for machines without one.
DEVICE ?= $(if $(shell command -v nvidia-smi),gpu,cpu)

# Where the CPU build of PyTorch comes from. The Python package index has only
# the GPU builds. Left empty, a folder or page of wheels that pip is configured
# with (`find-links`) is used, and without one PyTorch's own index, which uv
# knows by the name of its backend. Set it to a folder or an address to use that.
TORCH_WHEELS ?= $(or $(PIP_FIND_LINKS),$(shell $(PYTHON) -m pip config get global.find-links 2>/dev/null))
ifeq ($(DEVICE),cpu)
TORCH := $(if $(strip $(TORCH_WHEELS)),$(addprefix --find-links ,$(TORCH_WHEELS)),--torch-backend cpu)
endif

INSTALLED := $(VENV)/.installed-$(DEVICE)
ACTIVATE := export PATH="$(CURDIR)/$(VENV)/bin:$$PATH" VIRTUAL_ENV="$(CURDIR)/$(VENV)";

.PHONY: help install run test bench-corrected lint lock schema demo-models clean

help: ## list these targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

install: $(INSTALLED) ## install everything, pinned, into .venv

$(UV):
	@echo "Installing uv $(UV_VERSION) into $(TOOLS)"
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(INSTALLED): envs/local-$(DEVICE).txt | $(UV)
	@echo "Installing the pinned packages ($(DEVICE)) into $(VENV)"
	$(UV) venv --quiet --allow-existing --python 3.11 $(VENV)
	$(UV) pip sync --quiet --python $(VENV)/bin/python $(TORCH) $<
	rm -f $(VENV)/.installed-*
	touch $@

run: $(INSTALLED) ## run the demo study, from templates to report
	$(ACTIVATE) snakemake --cores $(CORES)

# Two test processes on two cores: threads of the arithmetic would only wait for each other.
test: export OPENBLAS_NUM_THREADS = 1
test: export OMP_NUM_THREADS = 1
test: $(INSTALLED) ## check the code and run all tests but those of the cluster
	$(MAKE) lint
	$(ACTIVATE) pytest --numprocesses 2 --dist worksteal -m "not engine and not workflow and not slurm"
	$(ACTIVATE) pytest -m engine
	$(ACTIVATE) pytest -m workflow

bench-corrected: $(INSTALLED) ## how often intervals corrected by human labels hold the truth
	$(ACTIVATE) python benchmarks/corrected_coverage.py

lint: $(INSTALLED) ## style, types, workflow
	$(ACTIVATE) ruff check
	$(ACTIVATE) ruff format --check
	$(ACTIVATE) mypy
	$(ACTIVATE) snakefmt --check Snakefile workflow
	$(ACTIVATE) snakemake --lint

lock: $(UV) ## resolve the pins of envs/ anew from pyproject.toml
	UV_FIND_LINKS="$(TORCH_WHEELS)" $(PYTHON) envs/lock.py --uv "$(CURDIR)/$(UV)"

schema: $(INSTALLED) ## write the config's schema and key reference from the code
	$(ACTIVATE) PYTHONPATH=workflow/lib python -m refusal_parity.reference

demo-models: $(INSTALLED) ## train the demo models anew (minutes)
	$(ACTIVATE) snakemake --snakefile workflow/demo_models.smk --cores $(CORES) --forcerun train_demo_model

clean: ## remove what was installed and cached; results stay
	rm -rf $(VENV) $(TOOLS) .snakemake .mypy_cache .ruff_cache .pytest_cache
