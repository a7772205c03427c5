# Everything installs itself: `make run` and `make test` are all that a fresh machine needs.
# uv is used where it is there; plain venv and pip do the same, slower.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SAMPLE := data/sample
REPLAY := data/replay
TRIALS ?= 2000
SEED ?= 1
SITE_DATA ?= $(SAMPLE)/data
PORT ?= 8000
NPM := data/npm
ENGINE := data/engine
NATIVE := pipelines/formats/libpubmed_scan.so
UV := $(shell command -v uv 2>/dev/null)

.PHONY: run setup test test-long test-real test-release test-spark test-cluster test-browser cluster-demo site engine \
	lint types docs bench bench-cluster rehearsal rehearsal-clean ui clean

ifeq ($(SOURCE),replay)
run: setup  ## SOURCE=replay: two whole nights against a server on this machine that speaks the sources' interfaces
	@$(BIN)/python -m tests.replay --trials $(TRIALS) --seed $(SEED) --out $(REPLAY)
else
run: setup  ## build the sample world and show what can be asked of it
	@$(BIN)/python -m pipelines sample --trials $(TRIALS) --seed $(SEED) --out $(SAMPLE)
	@$(BIN)/python -m pipelines --data $(SAMPLE)/data import --list $(SAMPLE)/imports.csv
	@$(BIN)/python -m pipelines --data $(SAMPLE)/data build --as-of $$(sed -n 2p $(SAMPLE)/truth.csv | cut -d, -f1)
	@echo
	@echo "Three questions to try:"
	@echo "  $(BIN)/python -m pipelines --data $(SAMPLE)/data query 'FROM reporting_summary'"
	@echo "  $(BIN)/python -m pipelines --data $(SAMPLE)/data query \"SELECT sponsor, count(*) AS none_found, sum(enrolment) FILTER (WHERE enrolment_type = 'actual') AS participants FROM missing_results WHERE policy = 'alltrials-summary' AND results = 'none_found' GROUP BY ALL ORDER BY none_found DESC LIMIT 10\""
	@echo "  $(BIN)/python -m pipelines --data $(SAMPLE)/data explain 'nct 90000001'"
endif

setup: $(VENV)/.installed $(NATIVE)  ## only install

$(VENV)/.installed: pyproject.toml constraints.txt
ifdef UV
	@test -x $(BIN)/python || uv venv --quiet --python $(PYTHON) $(VENV)
	uv pip install --quiet --python $(BIN)/python -c constraints.txt -e '.[dev]'
else
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
endif
	@touch $@

# The fast engine for PubMed files. Without a compiler the portable one does the same, at a third more cost.
$(NATIVE): pipelines/formats/pubmed_scan.c pipelines/formats/pubmed_native.py | $(VENV)/.installed
	-@if command -v $(CC) >/dev/null; then $(BIN)/python -m pipelines.formats.pubmed_native $(CC); \
	else echo "No C compiler here: PubMed files are read by the portable engine."; fi

test: setup lint types docs  ## lint, types, documents, all tests
	$(BIN)/python -m pytest -q -n 2 --dist loadscope

test-long: setup  ## the long forms of some tests: a year of update files, thirty nights with faults, two hundred kills
	$(BIN)/python -m pytest -q -m long

test-real: setup  ## the tests on real records, and on two whole PubMed files that are fetched for it
	@$(BIN)/python -m tests.peers
	$(BIN)/python -m pytest -q tests/real

test-release: setup  ## a release before the judges outside: validators, another DuckDB, S3 storage on this machine
	@$(BIN)/python -m tests.judges
	$(BIN)/python -m pytest -q -m outside

test-spark: setup  ## a release before Spark in local mode, which is installed with a Java of its own (620 MB)
	@$(BIN)/python -m tests.judges spark
	$(BIN)/python -m pytest -q -m spark

test-cluster: setup  ## the extras past one machine, against a Dask cluster and storage that speaks S3 on this machine
	@$(BIN)/python -m tests.judges cluster
	data/peers/judges-cluster/bin/python -m pytest -q -m cluster

cluster-demo: setup  ## a night on a scheduler, two workers and S3 storage on this machine, beside a local one
	@$(BIN)/python -m tests.judges cluster
	@data/peers/judges-cluster/bin/python -m tests.cluster.demo --trials $(TRIALS) --seed $(SEED)

bench-cluster: setup  ## the same files read by one worker of a cluster and by two, and what the orchestration costs
	@$(BIN)/python -m tests.judges cluster
	@data/peers/judges-cluster/bin/python -m tests.cluster.measure

# The page of the newest release of SITE_DATA, of the sample world where nothing else is named.
site: setup  ## make the web page of a release and serve it on this machine; SITE_DATA names another data folder
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory -s engine || \
	echo "The engine could not be fetched: the page says how to ask SQL without it."; \
	else echo "No npm here: the page says how to ask SQL without the engine."; fi
	@test -e $(SITE_DATA)/releases/latest.json || { test -e $(SITE_DATA)/warehouse || $(MAKE) --no-print-directory run; \
	$(BIN)/python -m pipelines --data $(SITE_DATA) release; }
	@$(BIN)/python -m pipelines --data $(SITE_DATA) site
	@$(BIN)/python -m pipelines --data $(SITE_DATA) serve --port $(PORT)

engine: $(ENGINE)/duckdb.js  ## fetch DuckDB for the browser, which the explore page ships

# One module of the library and what it needs, the program and its worker; nothing of it is in the repository.
$(ENGINE)/duckdb.js: $(NPM)/.installed
	@mkdir -p $(ENGINE)
	@cp $(NPM)/node_modules/@duckdb/duckdb-wasm/dist/duckdb-eh.wasm $(ENGINE)/
	@cp $(NPM)/node_modules/@duckdb/duckdb-wasm/dist/duckdb-browser-eh.worker.js $(ENGINE)/
	@cd $(NPM) && echo 'export { AsyncDuckDB, DuckDBDataProtocol, VoidLogger } from "@duckdb/duckdb-wasm";' | \
	node_modules/.bin/esbuild --bundle --format=esm --minify --legal-comments=none --log-level=warning \
	--outfile=$(CURDIR)/$@

$(NPM)/.installed: pipelines/site/engine/package.json pipelines/site/engine/package-lock.json
	@mkdir -p $(NPM)
	@cp $^ $(NPM)/
	@cd $(NPM) && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

test-browser: setup engine  ## the page in a browser: Debian's chromium, which is installed where it is not there
	@command -v chromium >/dev/null || { apt-get update && apt-get install -y --no-install-recommends chromium; }
ifdef UV
	@uv pip install --quiet --python $(BIN)/python -c constraints.txt -e '.[browser]'
else
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[browser]'
endif
	$(BIN)/python -m pytest -q -m browser tests/browser

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

docs: setup
	$(BIN)/python -m pipelines docs --check

bench: setup  ## measure beside floors and peers, as ratios in one run, and write docs/benchmarks.md
	$(BIN)/python -m tests.bench --write

# SCALE: a part of the world, 1 or 1/4; without it the largest that the disk holds. What was stopped goes on where it was.
rehearsal: setup  ## a made-up world of the real one's size through build, night, release and page; writes docs/scaling.md
	$(BIN)/python -m tests.rehearsal $(SCALE)

rehearsal-clean: setup  ## remove what a rehearsal keeps to go on with
	$(BIN)/python -m tests.rehearsal --clean

ui: setup  ## the asset graph in the browser
	DAGSTER_HOME=$(CURDIR) $(BIN)/dagster dev -h 127.0.0.1 -p 3000

clean:  ## remove the sample worlds and the tools' caches; imported data, builds and rehearsals stay
	rm -rf $(SAMPLE) $(REPLAY) .pytest_cache .mypy_cache .ruff_cache .hypothesis
