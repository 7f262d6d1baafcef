# One word per thing a developer does. `make` alone lists them.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help run reset backup restore up down logs test check e2e soak bench lock venv installed installed-dev

# The first that is new enough, or plain python3 to complain about.
PYTHON ?= $(or $(shell for each in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$each -c "import sys; sys.exit(sys.version_info < (3, 11))" 2>/dev/null && echo $$each && break; \
	done),python3)
# Relative, so that a checkout works wherever it lies.
PY := .venv/bin/python
SERVICE_PATH = $(CURDIR)/shared:$(CURDIR)/$(1):$(CURDIR)

##@ Use

run: installed  ## Start everything at http://localhost:8000 (make run PORT=9000 for another)
	@exec $(PY) -m local run

reset: installed  ## Forget all data, secrets and logs of `make run`
	@exec $(PY) -m local reset

up:  ## Start everything in Docker instead, at the same address
	@$(docker) && docker compose up --build --detach \
	  && echo "Parley is at http://localhost:8000 (make logs, make down)."

down:  ## Stop what `make up` started; data stays in Docker's volumes
	@$(docker) && docker compose down

logs:  ## Show what its containers say, as they say it
	@$(docker) && docker compose logs --follow --tail=100

backup: installed  ## Keep databases and pictures of `make run` in backups/ (make backup TO=folder)
	@exec $(PY) -m local backup $(TO)

restore: installed  ## Bring a backup back, `make run` being stopped (make restore FROM=folder)
	@exec $(PY) -m local restore $(FROM)

##@ Change

test: installed-dev  ## Run every test, each suite in a process of its own
	@PYTHONPATH="$(call SERVICE_PATH,shared)" $(PY) -m pytest shared/tests
	@PYTHONPATH="$(call SERVICE_PATH,auth_service)" $(PY) -m pytest auth_service/tests
	@PYTHONPATH="$(call SERVICE_PATH,messaging_service)" $(PY) -m pytest messaging_service/tests
	@PYTHONPATH="$(call SERVICE_PATH,messaging_service)" $(PY) -m pytest --socket-server=daphne \
	  $(UNDER_DAPHNE:%=messaging_service/tests/%.py) $(NOT_AGAIN:%=--deselect messaging_service/tests/%)
	@$(PY) -m pytest local/tests
	@$(PY) -m pytest e2e

check: installed-dev  ## Format, lint, types, imports, Dockerfiles, manifests
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(call types,auth_service,../shared/service_kit)
	@$(call types,auth_service,../local)
	@$(call types,auth_service,../bench)
	@$(call types,auth_service,../e2e)
	@$(call types,auth_service,accounts config)
	@$(call types,messaging_service,messaging config)
	@$(call imports,auth_service)
	@$(call imports,messaging_service)
	@.venv/bin/hadolint auth_service/Dockerfile messaging_service/Dockerfile
	@$(PY) -m local.manifests

e2e: installed-dev  ## Journeys through the gateway against the real system
	@$(PY) -m pytest e2e

soak: installed-dev  ## Break parts of it at random (make soak MINUTES=5 SEED=1 for that again)
	@exec $(PY) -m e2e.chaos $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED))

bench: installed-dev  ## Measure the claims and write bench/results/ (make bench ONLY=fanout shows one)
	@exec $(PY) -m bench $(if $(ONLY),--only $(ONLY))

##@ Maintain

lock: installed-dev  ## Choose the newest versions requirements.in allows and write them down
	@$(call compile,local/requirements-dev,)
	@$(call compile,local/requirements,-c local/requirements-dev.txt)
	@$(call compile,auth_service/requirements,-c local/requirements-dev.txt)
	@$(call compile,messaging_service/requirements,-c local/requirements-dev.txt)

help:  ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z0-9-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

# ---- how -----------------------------------------------------------------------------------------

docker = { docker compose version >/dev/null 2>&1 \
	|| { echo "Docker with its compose plugin is needed; make run does without." >&2; exit 1; }; \
	docker info >/dev/null 2>&1 \
	|| { echo "No Docker engine answers: start it, or make run does without." >&2; exit 1; }; }

# Each service has a package `config`, so each is typed in a run and with a cache of its own; what
# belongs to neither is typed beside auth_service. Django wants settings to read the types from.
types = cd $(1) && DEBUG=true SECRET_KEY=$(ANY_SECRET) JWT_ALGORITHM=HS256 JWT_SECRET=$(ANY_SECRET) \
	PYTHONPATH="$(call SERVICE_PATH,$(1))" MYPYPATH="$(CURDIR)/shared:$(CURDIR)" \
	"$(CURDIR)/$(PY)" -m mypy --config-file "$(CURDIR)/pyproject.toml" \
	--cache-dir "$(CURDIR)/.mypy_cache/$(notdir $(firstword $(2)))" $(2)
# What talks to real socket processes is tested with the other server too, but for what takes long
# and has nothing to do with the server: docs/daphne.md.
UNDER_DAPHNE := test_changes_of_messages test_doors test_events test_metrics test_presence test_reads \
	test_without_redis $(addprefix websocket/test_,authentication catching_up commands deaf expiry \
	full_sockets neighbours notifications origins races sockets windows)
NOT_AGAIN := $(addprefix test_presence.py::,TestAKilledProcess \
	TestGoing::test_with_a_second_device_here_is_not_told \
	TestGoing::test_and_coming_back_at_once_is_not_told)
ANY_SECRET := only-to-read-types-with-0123456789

imports = cd $(1) && PYTHONPATH="$(call SERVICE_PATH,$(1))" "$(CURDIR)/$(PY)" -c \
	"import sys; from importlinter.cli import lint_imports_command as main; sys.exit(main())"

compile = $(PY) -m uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate \
	$(1).in $(2) -o $(1).txt

# What is installed stands in .venv as a copy of the lock: equal means there is nothing to do.
install = { $(PY) -m pip install --quiet --disable-pip-version-check --no-input --require-hashes \
	-r local/$(1).txt && cp local/$(1).txt .venv/$(1).txt; }

installed: venv
	@cmp -s local/requirements.txt .venv/requirements.txt \
	  || { echo "Installing local/requirements.txt into .venv …"; $(call install,requirements); }

# The one for development holds all of the other, in the same versions.
installed-dev: venv
	@cmp -s local/requirements-dev.txt .venv/requirements-dev.txt \
	  || { echo "Installing local/requirements-dev.txt into .venv …"; \
	       $(call install,requirements-dev) && cp local/requirements.txt .venv/; }

venv:
	@$(PY) -c "" 2>/dev/null || { \
	  $(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" 2>/dev/null \
	    || { echo "Python 3.11 or newer is needed: make $(MAKECMDGOALS) PYTHON=python3.11" >&2; exit 1; }; \
	  $(PYTHON) -c "import ensurepip, venv" 2>/dev/null \
	    || { echo "$(PYTHON) lacks venv: apt-get install python3-venv, then again." >&2; exit 1; }; \
	  echo "Creating .venv …"; rm -rf .venv; $(PYTHON) -m venv .venv; }
