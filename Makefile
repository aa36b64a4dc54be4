# Cassini. `make run` and `make test` install what they need on Debian.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# sudo and cron often leave Go's usual place out of PATH.
export PATH := $(PATH):/usr/local/go/bin
# An older Go fetches the one that go.mod names; Debian's would refuse.
export GOTOOLCHAIN ?= auto
# The one binary, and test binaries for machines without a C library, are static.
export CGO_ENABLED ?= 0

GO       ?= go
KERNELS  ?= 6.1,6.12
FUZZTIME ?= 10s
DATA_DIR ?= /var/lib/cassini
LISTEN   ?= 127.0.0.1:1984
PARALLEL ?= 4

# The version comes from git, where there is git: see cassini version.
VCS     := $(shell git rev-parse HEAD >/dev/null 2>&1 && echo auto || echo false)
GOBUILD  = $(GO) build -trimpath -buildvcs=$(VCS)
GOLANGCI = $(GO) tool -modfile=tools/lint/go.mod golangci-lint
# Tests that were left out are listed behind the others, with the reason.
GOTEST   = $(GO) tool -modfile=tools/gotestsum/go.mod gotestsum --format standard-quiet --
GOVULN   = $(GO) tool -modfile=tools/vuln/go.mod govulncheck
BPF_C   := $(wildcard bpf/*.c bpf/*.h tools/estate/*.c)

# What `make test` does, in this order: what fails fast comes first.
STEPS := lint generated cross test-unit test-privileged test-rings test-enroll test-compat test-alerts test-programs test-dashboards test-vm-self test-machines test-vm

# Tests that need the running kernel have steps of their own.
UNIT = $$($(GO) list ./... | grep -v '^cassini/\(kernel-tests/\(alerts\|capture\|compat\|dashboards\|enroll\|frames\|heartbeat\|links\|netconf\|programs\|rings\|translate\|units\)\|tools/estate\)$$')

.PHONY: help
help: ## show the targets
	@echo "Cassini: make TARGET [VARIABLE=value]"
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20 | sed 's/^/  /'
	@echo "Variables: KERNELS=$(KERNELS) FUZZTIME=$(FUZZTIME) DATA_DIR=$(DATA_DIR) LISTEN=$(LISTEN)"

.PHONY: build
build: ## build the static binary bin/cassini
	@tools/setup go
	$(GOBUILD) -o bin/cassini ./cmd/cassini

.PHONY: run
run: build ## build Cassini and run it on this host (root)
	bin/cassini run --data-dir $(DATA_DIR) --listen $(LISTEN)

.PHONY: test
test: ## everything that must pass; installs what that needs (root)
	@tools/setup go clang test
	@tools/steps $(STEPS)

.PHONY: lint
lint: ## formats, vet, golangci-lint with its import rules
	@tools/setup go clang
	@out=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$out" ] || { echo "not formatted; run: make fmt"; echo "$$out"; exit 1; }
	@[ -z "$(BPF_C)" ] || clang-format --dry-run -Werror $(BPF_C) || { echo "not formatted; run: make fmt generate"; exit 1; }
	$(GO) vet ./...
	$(GO) vet -C tools/livenessbench ./...
	$(GOLANGCI) run ./...

.PHONY: fmt
fmt: ## format Go and C
	gofmt -w $$(git ls-files '*.go')
	[ -z "$(BPF_C)" ] || clang-format -i $(BPF_C)

.PHONY: generate
generate: ## rebuild the eBPF objects and what else the source generates
	@tools/setup go clang
	$(GO) generate ./...

.PHONY: generated
generated: ## fail if what is committed is not what the source generates
	@tools/setup go clang
	@GO="$(GO)" tools/generated

.PHONY: cross
cross: ## build everything for amd64 and arm64
	GOARCH=amd64 $(GOBUILD) -o bin/cassini-amd64 ./cmd/cassini
	GOARCH=arm64 $(GOBUILD) -o bin/cassini-arm64 ./cmd/cassini
	GOARCH=arm64 $(GO) vet ./kernel-tests/...

.PHONY: test-unit
test-unit: ## unit tests with the race detector
	CGO_ENABLED=1 $(GOTEST) -race -timeout 30m $(UNIT)
	$(GO) test -C tools/livenessbench ./...

.PHONY: test-privileged
test-privileged: ## capture and the network on the running kernel (root)
	CASSINI_REQUIRE_ROOT=1 $(GOTEST) -count=1 -timeout 20m -p 1 ./kernel-tests/capture ./kernel-tests/netconf ./kernel-tests/links ./kernel-tests/frames ./kernel-tests/heartbeat ./kernel-tests/translate ./tools/estate

.PHONY: test-rings
test-rings: build ## liveness: agents and a manager in network namespaces, and faults (root)
	CASSINI_REQUIRE_ROOT=1 CASSINI_BINARY=$(CURDIR)/bin/cassini $(GOTEST) -count=1 -timeout 20m -parallel 6 ./kernel-tests/rings

.PHONY: test-enroll
test-enroll: build ## who may speak: agents that join a manager by TLS in network namespaces, and impostors (root)
	CASSINI_REQUIRE_ROOT=1 CASSINI_BINARY=$(CURDIR)/bin/cassini $(GOTEST) -count=1 -timeout 10m ./kernel-tests/enroll

.PHONY: test-compat
test-compat: build ## agents and managers of two versions, the older one built of the history (root)
	CASSINI_REQUIRE_ROOT=1 CASSINI_BINARY=$(CURDIR)/bin/cassini $(GO) test -count=1 -timeout 15m -v ./kernel-tests/compat

.PHONY: test-alerts
test-alerts: build ## who is told of incidents: Alertmanager, a webhook and a program, and kills
	CASSINI_REQUIRE_ROOT=1 CASSINI_BINARY=$(CURDIR)/bin/cassini $(GOTEST) -count=1 -timeout 10m ./kernel-tests/alerts

.PHONY: test-programs
test-programs: build ## the binary against nginx, PostgreSQL and others, its units against systemd (root)
	CASSINI_REQUIRE_ROOT=1 CASSINI_BINARY=$(CURDIR)/bin/cassini $(GOTEST) -count=1 -timeout 20m ./kernel-tests/programs ./tools/systemd
	CASSINI_REQUIRE_ROOT=1 CASSINI_BINARY=$(CURDIR)/bin/cassini $(GOTEST) -count=1 -timeout 10m ./kernel-tests/units

.PHONY: test-dashboards
test-dashboards: build ## rules, and dashboards on a Prometheus that scrapes an estate (root)
	CASSINI_REQUIRE_ROOT=1 CASSINI_BINARY=$(CURDIR)/bin/cassini $(GOTEST) -count=1 -timeout 10m ./exporter/... ./kernel-tests/dashboards

.PHONY: test-vm
test-vm: vm-tests ## capture, kinds of links and heartbeats on the KERNELS, in virtual machines
	$(GO) run ./kernel-tests/vm -kernels $(KERNELS) -json bin/kernels.json $(VM_TESTS)
	$(GO) run ./kernel-tests/vm -kernels $(lastword $(subst $(comma), ,$(KERNELS))) -append lockdown=confidentiality -run '^TestLockdown$$' bin/capture.test

VM_TESTS := bin/capture.test bin/links.test bin/heartbeat.test

.PHONY: vm-tests
vm-tests:
	CGO_ENABLED=0 $(GO) test -c -o bin/capture.test ./kernel-tests/capture
	CGO_ENABLED=0 $(GO) test -c -o bin/links.test ./kernel-tests/links
	CGO_ENABLED=0 $(GO) test -c -o bin/heartbeat.test ./kernel-tests/heartbeat

# What is told of kernels in docs/kernels.md: all that can be had, and the hard cases.
EVERY_KERNEL := 6.1,6.1-ordinary,6.1-rt,6.12,6.12-ordinary,6.12-rt,6.18,6.18-ordinary,7.2,7.2-ordinary

.PHONY: test-kernels
test-kernels: vm-tests ## the same on EVERY_KERNEL and in hard cases; writes the tables of docs/kernels.md
	$(GO) run ./kernel-tests/vm -docs docs -kernels $(EVERY_KERNEL) $(VM_TESTS)
	$(GO) run ./kernel-tests/vm -docs docs -kernels 6.12 -append lockdown=integrity $(VM_TESTS)
	$(GO) run ./kernel-tests/vm -docs docs -kernels 6.12 -append preempt=full $(VM_TESTS)
	GOARCH=arm64 CGO_ENABLED=0 $(GO) test -c -o bin/arm64/capture.test ./kernel-tests/capture
	$(GO) run ./kernel-tests/vm -docs docs -arch arm64 -kernels 6.1,6.12,6.18,7.2 bin/arm64/capture.test

.PHONY: test-vm-self
test-vm-self: ## the virtual machines' harness itself: break everything once
	CASSINI_VM_SELFTEST=$(firstword $(subst $(comma), ,$(KERNELS))) $(GOTEST) -count=1 -timeout 10m -run '^TestSelf$$' ./kernel-tests/vm

.PHONY: test-machines
test-machines: build ## who hosts are: clones, changed boards and cards, migration and snapshots, in virtual machines (root)
	CASSINI_MACHINES=$(lastword $(subst $(comma), ,$(KERNELS))) CASSINI_REQUIRE_ROOT=1 CASSINI_BINARY=$(CURDIR)/bin/cassini $(GOTEST) -count=1 -timeout 60m -parallel 2 -run '^TestMachines' ./kernel-tests/enroll

comma := ,

.PHONY: bench
bench: ## benchmarks; see docs/benchmarks.md
	@tools/setup go
	CGO_ENABLED=0 $(GO) build -o bin/cassini ./cmd/cassini
	CASSINI_BINARY=$(CURDIR)/bin/cassini $(GO) test -run "^$$$$" -bench . -benchtime 2s -timeout 30m ./kernel-tests/... ./manager/... ./model/...

.PHONY: bench-liveness
bench-liveness: build ## Cassini's liveness beside memberlist, in 100 namespaces; BENCH=-quick for a smoke run (root)
	$(GO) build -C tools/livenessbench -trimpath -buildvcs=false -o $(CURDIR)/bin/livenessbench .
	bin/livenessbench -cassini bin/cassini -json bin/liveness.json $(BENCH)

.PHONY: bench-graph
bench-graph: ## the manager's graph beside SQLite and PostgreSQL, 1,000 and 10,000 hosts; BENCH="-hosts 100000", or -quick for a smoke run
	@tools/setup go graph
	$(GOBUILD) -o bin/graphbench ./tools/graphbench
	bin/graphbench $(BENCH)

.PHONY: bench-capture
bench-capture: build ## what it costs to be watched and what is told, beside bcc, bpftrace, ss and conntrack; BENCH=-quick for a smoke run (root)
	@tools/setup capture
	$(GOBUILD) -o bin/capturebench ./tools/capturebench
	bin/capturebench -cassini bin/cassini $(BENCH)

.PHONY: bench-manager
bench-manager: build ## the manager under the documents and joins of a large estate, its store beside bbolt; BENCH="-hosts 100000", or -quick for a smoke run
	$(GOBUILD) -o bin/managerbench ./tools/managerbench
	bin/managerbench -cassini bin/cassini $(BENCH)

.PHONY: fuzz
fuzz: ## every fuzz test for FUZZTIME each
	@for pkg in $$($(GO) list ./...); do \
		for name in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "$$pkg $$name"; $(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) -parallel $(PARALLEL) $$pkg; \
		done; done

.PHONY: vendors
vendors: ## the IEEE registry anew, from IEEE_DATA (Debian: apt-get install ieee-data)
	$(GO) run ./tools/vendors -from $(or $(IEEE_DATA),/usr/share/ieee-data)

.PHONY: vuln
vuln: ## known vulnerabilities of what is linked in (needs the network)
	@tools/setup go
	@$(GOVULN) ./... || { echo "make vuln: not proved: govulncheck found something, or could not reach its database at vuln.go.dev (see above)"; exit 1; }

.PHONY: clean
clean: ## remove what was built here
	rm -rf bin
