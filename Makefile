# The README's two commands, `make train` and `make test`, and the checks behind them.
# Each makes its own environment in .venv from the pinned requirements.

PYTHON ?= python3
VENV ?= .venv
PEERS ?= .venv-peers
DOCS ?= .venv-docs
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help train test lint docs speed nightly audit-peers bench-peers clean

help:
	@echo "make train   train the packaged model with corrective feedback (about 7 minutes on 2 cores, after the installation)"
	@echo "make test    run the tests"
	@echo "make lint    format, lint, types and import direction"
	@echo "make docs    the documentation as a site, in site/"
	@echo "make speed   environment episodes per second"
	@echo "make nightly the long fuzz and 1,000 tasks per family"
	@echo "make audit-peers   the audit on public checkers of other projects"
	@echo "make bench-peers   speed next to GEM and to the published IFEval checkers"

$(READY): requirements/cpu.txt requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info[:2] == (3, 11) else "corgi-gym: the pinned requirements are for Python 3.11, this is %d.%d; run: make PYTHON=python3.11 ..." % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-deps -r requirements/cpu.txt -r requirements/dev.txt
	@$(BIN)/python -c 'import torch' || { echo "corgi-gym: PyTorch does not load. If pip took the CUDA build, point it to the CPU wheels and begin again: export PIP_EXTRA_INDEX_URL=... (README.md), rm -r $(VENV)"; exit 1; }
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $(READY)

train: $(READY)
	$(BIN)/corgi-gym train quickstart --out runs/quickstart --overwrite

# file by file on all cores, then what wants the machine to itself
test: $(READY)
	$(BIN)/python -m pytest -n logical --maxprocesses 4 --dist loadfile -m "not (alone or model)"
	$(BIN)/python -m pytest -m "alone or model"

# mypy finds packages by folder name, and ours is the repository itself: it looks through a link
lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	mkdir -p .cache/types && ln -sfn ../.. .cache/types/corgi_gym
	$(BIN)/mypy
	$(BIN)/lint-imports

# read from the sources, so it needs none of the packages; a link that leads nowhere is an error
docs: $(DOCS)/.ready
	NO_MKDOCS_2_WARNING=1 $(DOCS)/bin/python -m mkdocs build --strict --quiet

$(DOCS)/.ready: requirements/docs.txt
	$(PYTHON) -m venv $(DOCS)
	$(DOCS)/bin/python -m pip install --quiet --no-deps -r requirements/docs.txt
	@touch $@

speed: $(READY)
	$(BIN)/python -m corgi_gym.benchmarks.env_speed

nightly: $(READY)
	CORGI_FUZZ=1000000 CORGI_TASKS=1000 $(BIN)/python -m pytest -s tests/rewards/test_fuzz.py tests/envs/test_every_family.py

# in an environment of its own: public checkers of other projects through our audit
audit-peers: $(PEERS)/.ready
	$(PEERS)/bin/python benchmarks/peers/audit_public.py --out runs/audit-peers
	$(PEERS)/bin/python benchmarks/peers/reward_doctor_cases.py

# speed and verdicts next to the peers, each in an environment of its own (benchmarks/peers/*.txt)
bench-peers: $(PEERS)/.ready $(PEERS)-ifeval/.ready $(PEERS)-gem/.ready
	$(PEERS)/bin/python benchmarks/peers/ifeval_speed.py --python $(PEERS)-ifeval/bin/python --out runs/bench-peers/ifeval.json
	$(PEERS)/bin/python benchmarks/peers/chain_sum_speed.py --peer-python $(PEERS)-gem/bin/python --out runs/bench-peers/chain_sum.json

$(PEERS)-%/.ready: benchmarks/peers/%.txt
	$(PYTHON) -m venv $(PEERS)-$*
	$(PEERS)-$*/bin/python -m pip install --quiet --no-deps -r $<
	@touch $@

$(PEERS)/.ready: requirements/peers.txt pyproject.toml
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --no-deps -r requirements/peers.txt
	$(PEERS)/bin/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $(PEERS)/.ready

clean:
	rm -rf site $(VENV) $(DOCS) $(PEERS) $(PEERS)-ifeval $(PEERS)-gem .cache .pytest_cache .ruff_cache .mypy_cache *.egg-info
