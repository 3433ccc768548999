# Everything that people, CI and the README do. `make` alone lists it.
.DEFAULT_GOAL := help

PYTHON ?= python3
SUPPORTED := (3, 11) <= sys.version_info < (3, 14)
UV_VERSION := 0.13.8
INSTALLED_EXTRAS := $(shell cat .venv/.installed 2>/dev/null)
# Which extras to install; by default those of the last time, at first all.
EXTRAS ?= $(or $(INSTALLED_EXTRAS),client data dev live local page postgres redis rocksdb servers store terminal traces train)
# Options of what is started: make run ARGS="--fresh"
ARGS ?=
# How many disturbances make chaos makes, and the seed that repeats a failed run; empty: a new one.
KILLS ?= 100
SEED ?=
# How many things make fuzz says, over REST and over WebSocket; SEED repeats those over REST.
CASES ?= 10000
# How many tests run at once: most of them wait for Kafka and for processes. 0: all in one process, for ARGS="--pdb".
WORKERS ?= 3
# Which part make soak loads, and for how long.
PART ?= feature_stream
MINUTES ?= 30
AT_ONCE = --numprocesses $(WORKERS) --dist loadgroup --no-loadscope-reorder
BIN := .venv/bin
PACKAGES := deploy feature_stream gateway ingestor predictor schemas
CODE := $(PACKAGES) tests $(wildcard benchmarks)
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
IMAGE := tickcast:$(VERSION)

.PHONY: help install run test test-browser chaos fuzz coverage coverage-gateway check format lock train bench bench-serving bench-features bench-recovery bench-day bench-rest bench-sockets bench-page screenshots load soak kafka prometheus schemas docker-build docker-run clean

help: ## List the targets
	@echo 'make TARGET [ARGS="…"]'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 20

install: .venv/.installed .venv/.kafka ## Make .venv, install the pinned packages, fetch Kafka's jars; quick when nothing changed

# A .venv that was cut short, or whose Python is gone or not supported, is made anew.
ifneq ($(shell $(BIN)/python -c 'import pip, sys; print(sys.prefix != sys.base_prefix and $(SUPPORTED))' 2>/dev/null),True)
.PHONY: $(BIN)/python
endif
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not $(SUPPORTED))' || { \
	  echo 'Tickcast needs Python 3.11, 3.12 or 3.13, and $(PYTHON) is not: name one, like make install PYTHON=python3.12'; \
	  exit 1; } >&2
	$(PYTHON) -m venv --clear .venv

ifneq ($(EXTRAS),$(INSTALLED_EXTRAS))
.PHONY: .venv/.installed
endif
# uv does in seconds what takes pip minutes; where uv is missing or fails, pip installs all that the lock names.
# setuptools, pinned like the rest, builds the package itself, so that a second install needs no network.
.venv/.installed: requirements.lock pyproject.toml $(BIN)/python
	@set -x; \
	$(BIN)/python -m pip install --quiet uv==$(UV_VERSION) && \
	$(BIN)/uv pip install --python $(BIN)/python --constraints requirements.lock --requirement pyproject.toml $(addprefix --extra ,$(EXTRAS)) setuptools && \
	$(BIN)/uv pip install --python $(BIN)/python --no-build-isolation --no-deps --editable . || { \
	$(BIN)/python -m pip install --require-hashes --requirement requirements.lock && \
	$(BIN)/python -m pip install --no-build-isolation --no-deps --editable .; }
	@echo '$(EXTRAS)' > $@

.venv/.kafka: deploy/kafka/jgo.lock.toml .venv/.installed
	@{ $(BIN)/python -m deploy.kafka resolve && touch $@; } || \
	  echo "Apache Kafka's jars are missing: the next make tries again, and make run ARGS=\"--broker embedded\" needs none"

run: install ## Start the whole system on this machine; Ctrl-C stops it (ARGS="--help" lists the options)
	@$(BIN)/python -m deploy.cli run $(ARGS)

test: install ## Run every test, those on real servers included
	@$(BIN)/python -m pytest $(AT_ONCE) $(ARGS)

test-browser: install ## Run the tests of the dashboard in Chromium, which must be there (TICKCAST_TEST_CHROMIUM names another)
	@REQUIRE_CHROMIUM=1 $(BIN)/python -m pytest tests/browser $(ARGS)

chaos: install ## Kill, freeze and restart services and Kafka while a replay runs, and compare (KILLS=100 SEED=7)
	@REQUIRE_KAFKA=1 CHAOS_KILLS=$(KILLS) TICKCAST_TEST_SEED=$(SEED) $(BIN)/python -m pytest tests/chaos \
	  -o faulthandler_timeout=0 -o tmp_path_retention_policy=failed $(ARGS)

fuzz: install ## Send the gateway whatever comes to mind, over REST and WebSocket (CASES=10000 SEED=7)
	@FUZZ_CASES=$(CASES) TICKCAST_TEST_SEED=$(SEED) $(BIN)/python -m pytest -o faulthandler_timeout=0 \
	  tests/gateway/test_rest_fuzz.py tests/gateway/test_socket_fuzz.py $(ARGS)

coverage: install ## Run every test and report what it reaches, service processes included; fails below 90 %
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest $(AT_ONCE) $(OWN_TESTS) $(ARGS)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report $(REPORTED)

coverage-gateway: OWN_TESTS = tests/gateway tests/gateway_client
coverage-gateway: REPORTED = --include 'gateway/*'
coverage-gateway: coverage ## Report what the gateway's own tests reach of it; fails below 90 %

check: install ## Check format, lint, types and imports between packages
	@$(BIN)/ruff format --check $(CODE)
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/mypy $(CODE)
	@$(BIN)/lint-imports

format: install ## Format the code and fix what can be fixed
	@$(BIN)/ruff format $(CODE)
	@$(BIN)/ruff check --fix $(CODE)

lock: install ## Pin the newest packages that pyproject.toml allows
	@$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --no-annotate --upgrade --quiet --output-file requirements.lock

train: install ## Fit the models on the data before the replay's start
	@$(BIN)/python -m deploy.cli predictor train $(ARGS)

bench: install ## Measure ticks and predictions per second, beside plain loops
	@$(BIN)/python -m benchmarks $(ARGS)

bench-serving: install ## Measure one pass of the models over a whole market, beside scikit-learn and Keras, and the memory
	@$(BIN)/python -m benchmarks.serving $(ARGS)

bench-features: install .venv-bench/.installed ## Measure the feature stage beside Quix Streams, Bytewax and a bare loop (ARGS="--runs 1 --quick")
	@$(BIN)/python -m benchmarks.feature_stage $(ARGS)

# The peers hold other versions of what we use, so they get an environment of their own.
.venv-bench/.installed: benchmarks/feature_stage/requirements.txt .venv/.installed
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-bench
	$(BIN)/uv pip install --quiet --python .venv-bench/bin/python --requirement $<
	@touch $@

bench-sockets: install ## Let 1,000 and 5,000 WebSocket clients read, some stall beside them, and more come than can be sent
	@$(BIN)/python -m benchmarks.gateway.sockets $(ARGS)

bench-page: install ## Let Chromium show 500 tickers with ten updates a second each, and look for jank and leaks
	@$(BIN)/python -m benchmarks.gateway.page

screenshots: install ## Take pictures of the dashboard of the system that runs here, for docs/
	@$(BIN)/python -m benchmarks.screenshots $(ARGS)

bench-rest: install ## Measure requests a second over REST beside a bare ASGI app; needs wrk (apt install wrk)
	@$(BIN)/python -m benchmarks.gateway.rest $(ARGS)

load: install ## Let 500 users ask the gateway over REST for five minutes (ARGS="--users 100 --minutes 1")
	@$(BIN)/python -m benchmarks.gateway.load $(ARGS)

bench-recovery: install ## Time from the kill of a stage's worker to caught up, by tickers and way of keeping state
	@$(BIN)/python -m benchmarks.recovery $(ARGS)

bench-day: install ## Play a trading day at 60 times its speed through a fake Alpaca, and see whether predictions keep up
	@$(BIN)/python -m benchmarks.fast_day $(ARGS)

soak: install ## Load a part steadily for long, and fail if memory, lag or disk grow (PART=feature_stream|predictor|gateway MINUTES=30)
	@$(BIN)/python -m benchmarks.soak $(PART) --minutes $(MINUTES) $(ARGS)

kafka: install ## Start only Apache Kafka, on this machine
	@$(BIN)/python -m deploy.cli kafka $(ARGS)

schemas: install ## Write the JSON Schemas and asyncapi.yaml of the contract
	@$(BIN)/python -m schemas.generate

prometheus: ## Watch the system that runs here with Prometheus (apt install prometheus), on http://127.0.0.1:9090/
	@mkdir -p var/prometheus
	@prometheus --config.file=deploy/prometheus/prometheus.yml --storage.tsdb.path=var/prometheus \
	  --web.listen-address=127.0.0.1:9090 $(ARGS)

docker-build: ## Build the image of the services
	docker build --file deploy/Dockerfile --tag $(IMAGE) .

docker-run: ## Start Kafka and the services in containers
	docker compose up --build $(ARGS)

clean: ## Delete everything built or kept: caches, coverage, var/ with its topics and models; .venv stays
	rm -rf var build dist htmlcov .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +
