.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-builtin-rules

UV_VERSION := 0.13.9
CACHE := $(or $(SUBLET_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/sublet)
PYTHON3 ?= python3

# uv, as it is on this machine, or else from its package in a virtual environment of its own.
UV := $(or $(shell command -v uv),$(CACHE)/uv-$(UV_VERSION)/bin/uv)
VENV := .venv
RUN := $(VENV)/bin
CLUSTER := $(RUN)/python -m hack.cluster

##@ Use
.PHONY: demo
demo: $(VENV)/.synced ## Show the whole life of a lease on a cluster of its own, then clean up
	$(RUN)/python -m hack.demo

.PHONY: up
up: $(VENV)/.synced ## Start a cluster with the operator on it, and leave both running to play with
	$(RUN)/python -m hack.playground up

.PHONY: down
down: $(VENV)/.synced ## Stop what `make up` started
	$(RUN)/python -m hack.playground down

##@ Develop
.PHONY: test
test: $(VENV)/.synced ## Run every test: units, contract, a real API server, and real nodes where they can be had
	$(CLUSTER) build --real-nodes
	$(RUN)/pytest $(ARGS)

.PHONY: test-unit
test-unit: $(VENV)/.synced ## Run the tests that need no cluster
	$(RUN)/pytest tests/unit tests/contract $(ARGS)

.PHONY: test-nightly
test-nightly: $(VENV)/.synced ## Run the planner against its oracle through 10,000 lives, a small day, and test-netpol
	$(RUN)/pytest tests/unit/calendar --hypothesis-profile nightly --timeout 0 $(ARGS)
	$(CLUSTER) build --real-nodes
	$(RUN)/pytest -m nightly --timeout 0 $(ARGS)
	$(RUN)/python -m hack.netpol

.PHONY: test-netpol
test-netpol: $(VENV)/.synced ## Run upstream's suite for NetworkPolicies against the agents of real nodes (needs root)
	$(RUN)/python -m hack.netpol $(ARGS)

.PHONY: node-packages
node-packages: $(VENV)/.synced ## Install the Debian packages that real nodes need, if this is root
	@packages="$$($(CLUSTER) packages)"; \
	if [ -z "$$packages" ]; then exit; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
		apt-get update -qq && apt-get install -qq --no-install-recommends $$packages; \
	else echo "not root on Debian: real nodes would need $$packages"; fi

.PHONY: check
check: $(VENV)/.synced ## Lint, check types and layers, and prove generated files current
	$(RUN)/ruff format --check .
	$(RUN)/ruff check .
	$(RUN)/mypy
	$(RUN)/mypy hack tests --config-file pyproject.toml --exclude hack/cluster/modules
	$(RUN)/lint-imports
	$(MAKE) verify

.PHONY: format
format: $(VENV)/.synced ## Format the code
	$(RUN)/ruff format .
	$(RUN)/ruff check --fix .

.PHONY: generate
generate: $(VENV)/.synced ## Write the CRDs from the models, their copies in the chart, and the chart's guards
	$(RUN)/sublet crds crds
	rm -rf charts/sublet/files/crds
	mkdir -p charts/sublet/files
	cp -R crds charts/sublet/files/crds
	$(RUN)/sublet guards charts/sublet/files/guards

.PHONY: verify
verify: $(VENV)/.synced ## Prove that generated files are current
	$(RUN)/sublet crds crds --check
	diff -r crds charts/sublet/files/crds
	$(RUN)/sublet guards charts/sublet/files/guards --check
	$(UV) lock --check --quiet

.PHONY: golden
golden: $(VENV)/.synced ## Rewrite the golden manifests; review their diff as a change of isolation
	$(RUN)/pytest tests/unit/desired --update-golden

##@ Measure
.PHONY: bench
bench: $(VENV)/.synced ## Time leases against a bare client, and 200 leases at once on 400 nodes
	$(RUN)/python -m hack.bench

.PHONY: bench-nodes
bench-nodes: $(VENV)/.synced ## Time leases on real nodes against pods without a lease, and the hard stop (needs root)
	$(RUN)/python -m hack.bench.nodes $(ARGS)

.PHONY: bench-planner
bench-planner: $(VENV)/.synced ## Time the planner on 10,000 nodes with 50,000 bookings, beside the simple algorithm
	$(RUN)/python -m hack.bench.planner $(ARGS)

.PHONY: bench-planner-quality
bench-planner-quality: $(VENV)/.synced ## Compare what the planner sells with the optimum and with others (needs OR-tools)
	$(UV) run --frozen --group bench python -m hack.bench.quality $(ARGS)

.PHONY: bench-day
bench-day: $(VENV)/.synced ## Live through a day of 1,000 leases on 2,000 nodes in 15 minutes, and judge it
	$(RUN)/python -m hack.day $(ARGS)

##@ Ship
IMAGE ?= sublet:dev
.PHONY: image
image: ## Build the operator's image (needs Docker); IMAGE=name:tag
	docker build --tag $(IMAGE) .

##@ Other
.PHONY: clean
clean: ## Stop this checkout's clusters and remove what was built here; the compiled cluster stays cached
	[ ! -x $(RUN)/python ] || $(CLUSTER) down --all
	rm -rf $(VENV) .cluster dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

.PHONY: help
help: ## Show this text
	@awk 'BEGIN {FS = ":.*##"; printf "Usage: make TARGET\n"} \
		/^##@/ {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z-]+:.*##/ {printf "  %-21s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.synced: pyproject.toml uv.lock | $(UV)
	$(UV) sync --frozen --quiet
	touch $@

$(CACHE)/uv-$(UV_VERSION)/bin/uv:
	$(PYTHON3) -m venv $(CACHE)/uv-$(UV_VERSION)
	$(CACHE)/uv-$(UV_VERSION)/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
