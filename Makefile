# Deskbell.  `make run` shows the whole desk on this machine; `make deploy STAGE=prod` puts it into your AWS account.

PYTHON ?= python3
STAGE ?= prod
TEST_PROCESSES ?= 3
FAULT_HISTORIES ?= 480
# New with every change of the code, and the same for everybody who plays that code.
FIRST_SEED ?= $(shell printf %d 0x$$(git rev-parse HEAD:chalicelib | cut -c1-7))
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := app.py chalicelib infra local bench tests
# A bench is what reports a result; the other files help.
BENCHES = $(basename $(notdir $(shell grep -l "^from bench.result import" bench/*.py)))

.PHONY: setup run test figures prove check format package deploy undeploy doctor restore rebuild bench requirements scan sbom

# One stamp says which requirements the environment holds, so that a second `make run` starts at once.
setup: $(VENV)/.made chalicelib/web/static/vendor/htmx.min.js

$(VENV)/.made: requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] <= (3, 14) else "Deskbell needs Python 3.11 to 3.14; this is %d.%d. Say: make PYTHON=python3.12 ..." % sys.version_info[:2])'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Downloading what requirements-dev.txt names into $(VENV): some minutes, once."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

chalicelib/web/static/vendor/htmx.min.js: requirements-vendor.txt infra/vendor.py | $(VENV)/.made
	$(BIN)/python -m infra.vendor
	@touch $@

run: setup
	@exec $(BIN)/python -m local

# A few at a time, each file as a whole: what a file starts is started once.
test: setup
	$(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder

# Only the authorisation matrix, the attacks in mails and the clocks, whose figures `make test` prints at its end, too.
figures: setup
	$(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist loadfile \
		tests/security/test_matrix.py tests/browser/test_attack_corpus.py tests/domain/test_sla_simulated.py

# Two minutes of faults from seeds of this change's own, and the benches at small sizes: counts, structure, and ratios of
# two times of one run.  BENCH_SHARED: no absolute time can fail it, however slow the machine (bench/result.py).
prove: setup
	$(BIN)/python -m bench.faults --histories $(FAULT_HISTORIES) --first $(FIRST_SEED) --json
	$(BIN)/python -m bench.life --json
	BENCH_SHARED=1 $(BIN)/python -m bench.coldstart --starts 3 --json
	BENCH_SHARED=1 $(BIN)/python -m bench.ingest --rounds 1 --json
	BENCH_SHARED=1 $(BIN)/python -m bench.mail --json
	BENCH_SHARED=1 $(BIN)/python -m bench.search --messages 3000 --json
	BENCH_SHARED=1 $(BIN)/python -m bench.burst --at-once --mails 40 --json

check: setup
	$(BIN)/ruff check $(PACKAGES)
	$(BIN)/ruff format --check $(PACKAGES)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m infra.package --stage check --local --out build/check > /dev/null
	$(BIN)/cfn-lint build/check/template.json

format: setup
	$(BIN)/ruff check --fix $(PACKAGES)
	$(BIN)/ruff format $(PACKAGES)

package: setup
	$(BIN)/python -m infra.package --stage $(STAGE)

# ADMIN_EMAIL, ADMIN_NAME: the first admin.  SET="NAME=VALUE ...": parameters of the template (docs/operate.md).
deploy: setup
	@$(BIN)/python -m infra.deploy --stage $(STAGE) --admin-email "$(ADMIN_EMAIL)" --admin-name "$(ADMIN_NAME)" \
		$(foreach pair,$(SET),--set "$(pair)")

undeploy: setup
	@$(BIN)/python -m infra.undeploy --stage $(STAGE)

# Looks at a deployed desk and says what is wrong and what to do (docs/operate.md, "Doctor").
doctor: setup
	@$(BIN)/python -m infra.doctor --stage $(STAGE)

# TICKET=1042 AT=2026-11-20T09:00:00Z, or SOURCE=<restored table>; OVERWRITE=1, KEEP=1, YES=1 (docs/operate.md).
restore: setup
	@$(BIN)/python -m infra.restore_ticket --stage $(STAGE) --ticket "$(TICKET)" --at "$(AT)" --source "$(SOURCE)" \
		$(if $(OVERWRITE),--overwrite) $(if $(KEEP),--keep) $(if $(YES),--yes)

# ONLY="lists counts words": some of it.  CHECK=1: only say whether search finds what the messages say.
rebuild: setup
	@$(BIN)/python -m infra.rebuild --stage $(STAGE) $(foreach part,$(ONLY),--only $(part)) $(if $(CHECK),--check)

bench: setup
	@failed=0; for name in $(BENCHES); do $(BIN)/python -m bench.$$name --json || failed=1; done; exit $$failed

# Scanners in environments of their own; what they find is fixed or kept with its reason in infra/scan.toml.
scan: setup
	$(BIN)/python -m infra.scan

# What ships, as CycloneDX: build/sbom.json.
sbom: setup
	$(BIN)/python -m infra.scan --sbom

# After a change of a .in file.
requirements: setup
	$(BIN)/pip-compile --quiet --generate-hashes --strip-extras --no-header --no-emit-index-url --no-emit-find-links \
		--no-emit-trusted-host -o requirements.txt requirements.in
	$(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header --no-emit-index-url \
		--no-emit-find-links --no-emit-trusted-host -o requirements-dev.txt requirements-dev.in
	for name in scan checkov; do $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header \
		--no-emit-index-url --no-emit-find-links --no-emit-trusted-host -o requirements-$$name.txt requirements-$$name.in \
		|| exit 1; done
