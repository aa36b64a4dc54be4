# Cassini. `make run` and `make test` install what they need on Debian.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

export CGO_ENABLED ?= 0
GO       ?= go
KERNELS  ?= 6.1,6.12
FUZZTIME ?= 10s
DATA_DIR ?= /var/lib/cassini
LISTEN   ?= 127.0.0.1:1984
GOBUILD  := $(GO) build -trimpath -buildvcs=auto

GENERATED := bpf/*_bpfel.go bpf/*_bpfel.o docs/metrics.md

.PHONY: help
help: ## show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

.PHONY: build
build: ## build the static binary bin/cassini
	@tools/setup go
	$(GOBUILD) -o bin/cassini ./cmd/cassini

.PHONY: run
run: build ## build and run Cassini on this host (root)
	bin/cassini run --data-dir $(DATA_DIR) --listen $(LISTEN)

.PHONY: test
test: ## everything that must pass, with what it needs installed
	@tools/setup go test
	$(MAKE) lint generated cross test-unit test-privileged test-programs test-vm
	@echo "make test: everything passed"

.PHONY: lint
lint: ## format, vet, staticcheck, import rules
	@out=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$out" ] || { echo "not gofmt'd:"; echo "$$out"; exit 1; }
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	$(GO) test -count=1 ./tools/imports

.PHONY: generate
generate: ## rebuild the eBPF objects and what is generated from the source
	@tools/setup go clang
	$(GO) generate ./bpf ./exporter

.PHONY: generated
generated: generate ## fail if what is committed is not what the source generates
	@if ! clang --version | grep -q 'version 14\.'; then \
		echo "NOTICE: clang 14 builds the committed objects; here is another, whose objects may differ without harm"; \
		git checkout -- $(GENERATED); \
	else git diff --exit-code -- $(GENERATED) || { echo "generated files differ: run make generate and commit"; exit 1; }; fi

.PHONY: cross
cross: ## build for amd64 and arm64
	GOARCH=amd64 $(GOBUILD) -o bin/cassini ./cmd/cassini
	GOARCH=arm64 $(GOBUILD) -o bin/cassini-arm64 ./cmd/cassini

UNIT = $$($(GO) list ./... | grep -v '^cassini/kernel-tests/\(capture\|programs\)')

.PHONY: test-unit
test-unit: ## unit tests with the race detector
	CGO_ENABLED=1 CASSINI_REQUIRE_ROOT=1 $(GO) test -race -timeout 15m $(UNIT)

.PHONY: test-privileged
test-privileged: ## capture tests on the running kernel (root)
	CASSINI_REQUIRE_ROOT=1 $(GO) test -count=1 -timeout 10m ./kernel-tests/capture

.PHONY: test-programs
test-programs: ## Cassini against nginx, PostgreSQL and others on this host (root)
	$(GOBUILD) -o bin/cassini ./cmd/cassini
	CASSINI_REQUIRE_ROOT=1 CASSINI_BINARY=$(CURDIR)/bin/cassini $(GO) test -count=1 -timeout 10m ./kernel-tests/programs

.PHONY: test-vm
test-vm: ## the capture tests on other kernels, in virtual machines
	$(GO) test -c -o bin/capture.test ./kernel-tests/capture
	$(GO) run ./kernel-tests/vm -kernels $(KERNELS) bin/capture.test

.PHONY: bench
bench: ## benchmarks; see docs/benchmarks.md
	@tools/setup go
	$(GO) test -run '^$$' -bench . -benchtime 2s -timeout 30m ./kernel-tests/capture ./manager/...

.PHONY: fuzz
fuzz: ## every fuzz test for FUZZTIME each
	@for pkg in $$($(GO) list ./...); do \
		for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "$$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) $$pkg; \
		done; done

.PHONY: clean
clean: ## remove what was built
	rm -rf bin
