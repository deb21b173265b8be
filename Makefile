# ShopStream. `make help` lists the targets; `make demo` and `make test` are the two to begin with.

SHELL := /bin/bash

# make demo DEMO_ARGS="--purchases invoices.csv"
DEMO_ARGS ?=
# make test TEST_ARGS="--filter StorageCoreTests"
TEST_ARGS ?=
# make bench BENCH_ARGS="--filter fill"
BENCH_ARGS ?=
# make soak SOAK_SECONDS=3600; the time of each soak test.
SOAK_SECONDS ?= 300
DOCS_TARGETS ?= StorageTypes StorageCore DocumentEngine WideColumnEngine TableEngine GraphEngine CacheEngine \
	EventPipeline ShopStreamKit CQLServer

FORMATTED := Package.swift Sources Tests Benchmarks/Package.swift Benchmarks/Sources Benchmarks/Benchmarks \
	Benchmarks/Tests
# The peers of the storage lines: those whose headers are there. SQLite always is, the library needs it too.
# SHOPSTREAM_ROCKSDB is what `make bench-peers` builds, or any other folder with lib and include.
has_header = $(if $(firstword $(wildcard $(addsuffix /include/$(2),/usr /usr/local /opt/homebrew))),$(1))
SHOPSTREAM_ROCKSDB ?= $(patsubst %/lib/librocksdb.a,%,$(wildcard $(CURDIR)/Benchmarks/peers/rocksdb/lib/librocksdb.a))
SHOPSTREAM_PEERS ?= $(strip $(call has_header,rocksdb,rocksdb/c.h) $(call has_header,leveldb,leveldb/c.h) \
	$(call has_header,lmdb,lmdb.h) $(call has_header,wiredtiger,wiredtiger.h))
export SHOPSTREAM_ROCKSDB SHOPSTREAM_PEERS
BENCHMARKS := swift run --package-path Benchmarks -c release

.PHONY: help deps demo test test-sqlite test-clients soak bench bench-quick bench-storage bench-storage-quick bench-micro bench-test bench-peers format lint docs clean
.DEFAULT_GOAL := help

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

deps: ## Install missing system packages (lz4, zstd, sqlite3)
	@.ci/install-dependencies

demo: deps ## Play the whole scenario on disk, with a restart in the middle (DEMO_ARGS)
	swift build -c release --product shopstream
	.build/release/shopstream demo $(DEMO_ARGS)

# `swift test` succeeds when nothing matched its filter, so that tests ran at all is checked here.
define run_tests
	@mkdir -p .build
	set -o pipefail; swift test --disable-xctest $(1) 2>&1 | tee .build/$(2).log
	@grep -qE 'Test run with [1-9]' .build/$(2).log || { echo 'No test ran.' >&2; exit 1; }
endef

test: deps ## Build and run every test (TEST_ARGS)
	$(call run_tests,$(TEST_ARGS),test)

test-sqlite: export SHOPSTREAM_ENGINE := sqlite
test-sqlite: deps ## Run the engines' tests over one SQLite file
	$(call run_tests,--filter '(Document|WideColumn|Table|Graph|Cache)EngineTests|EventPipelineTests',test-sqlite)

test-clients: deps ## Run Cassandra's driver and cqlsh, from PyPI, against the server
	Tests/Clients/run

soak: export SHOPSTREAM_SOAK_SECONDS := $(SOAK_SECONDS)
soak: deps ## Run the soak tests, and others at every step, for minutes instead of moments (SOAK_SECONDS)
	$(call run_tests,--filter 'Soak|FaultTests|FaultReadTests|CorruptionTests|SQLiteCrashTests|LogVolumeTests',soak)

bench: bench-storage ## Measure everything beside its peers (BENCH_ARGS)
	$(BENCHMARKS) engine-bench $(BENCH_ARGS)

bench-quick: bench-storage-quick ## The same lines on small data
	$(BENCHMARKS) engine-bench --quick $(BENCH_ARGS)

bench-storage: deps ## Measure the storage core beside RocksDB, LevelDB, LMDB, WiredTiger and SQLite (BENCH_ARGS)
	$(BENCHMARKS) storage-bench $(BENCH_ARGS)

bench-storage-quick: deps ## The same on small data, within ten minutes
	$(BENCHMARKS) storage-bench --quick $(BENCH_ARGS)

bench-micro: deps ## Micro-benchmarks of codecs and single calls
	swift package --package-path Benchmarks benchmark

bench-test: deps ## Test the benchmarks themselves, with a small run of the lines, and what reads allocate
	swift test --package-path Benchmarks --disable-xctest
	$(BENCHMARKS) allocation-count

bench-peers: deps ## Install the benchmarks' peers, and build RocksDB once, optimised
	@.ci/install-dependencies peers
	Benchmarks/build-rocksdb.sh

format: ## Format every source file
	swift format -i -r -p $(wildcard $(FORMATTED))

lint: ## Check the format of every source file
	swift format lint --strict -r -p $(wildcard $(FORMATTED))

docs: deps ## Documentation of every module, as static pages in Docs/site
	@.ci/build-docs Docs/site $(DOCS_TARGETS)

clean: ## Remove what the builds left
	swift package clean
	rm -rf Docs/site .build-docs .build/*.log
	[[ ! -d Benchmarks/.build ]] || swift package --package-path Benchmarks clean
