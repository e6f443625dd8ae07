# Everything from a fresh checkout with Node 18 or newer, npm and make: the targets install what else they need.
# Only relative paths, so that a checkout may lie under a folder with spaces in its name.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

# Node 24 from the dependencies, whatever the machine's own is.
NODE := ./scripts/node24
SETUP := node_modules/.everlan-setup
BUNDLE := dist/everlan.mjs
ALL_TESTS := 'src/**/*.test.ts' 'scripts/**/*.test.ts' 'test/**/*.test.ts'
# Echoes wait for times that are the kernel's, too long for a check before each commit.
UNIT_TESTS = $(filter-out src/kernel/echo.test.ts,$(shell find src scripts -name '*.test.ts' | sort))
# Three at a time suits two cores, as some tests mostly wait; a test that hangs is ended.
RUN_TESTS := NODE_COMPILE_CACHE="$(CURDIR)/.cache/node" $(NODE) --test --test-concurrency=3 --test-timeout=600000 \
  --test-reporter=./scripts/test-reporter.ts

.PHONY: help demo test ok bench build deb docs fix clean format types rooms words unit packages

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

demo: $(BUNDLE) ## two hosts, one file: the overlay shown working, broken, healed and taken down (needs no root)
	@./bin/everlan demo

test: packages $(BUNDLE) ## all tests; as root also those on the real kernel
	@$(RUN_TESTS) $(ALL_TESTS)

ok: format types rooms words unit ## what must hold before a commit: format, lint, types, rooms, words, unit tests

bench: $(BUNDLE) packages ## side by side with ip and bridge (as root)
	@$(NODE) bench/main.ts

build: $(BUNDLE) ## the release bundle in dist/

deb: packages $(BUNDLE) ## Debian packages in dist-deb/, for this machine or for ARCH="amd64 arm64"
	@$(NODE) scripts/deb.ts $(ARCH)

docs: $(SETUP) ## write the generated parts of the documents anew
	@$(NODE) scripts/docs.ts
	@$(NODE) scripts/errors-doc.ts
	@$(NODE) scripts/targets-doc.ts

fix: $(SETUP) ## format and lint, mending what can be mended
	@node_modules/.bin/biome check --write .

clean: ## remove what was built and installed
	rm -rf dist dist.new dist.old dist-deb node_modules .cache

format: $(SETUP)
	@node_modules/.bin/biome check --error-on-warnings --diagnostic-level=warn .

types: $(SETUP)
	@node_modules/.bin/tsc

rooms: $(SETUP)
	@$(NODE) scripts/rooms.ts

words: $(SETUP)
	@$(NODE) scripts/words.ts

unit: packages
	@$(RUN_TESTS) $(UNIT_TESTS)

packages: $(SETUP)
	@$(NODE) scripts/packages.ts

# npm removes node_modules first, so the stamp vouches for all of it. Engine warnings are about the machine's Node,
# which runs npm only.
$(SETUP): package-lock.json
	@command -v npm >/dev/null || { echo 'make: npm is missing; Node 18 or newer with npm is needed (Debian: nodejs npm)' >&2; exit 1; }
	npm ci --ignore-scripts --include=dev --include=optional --no-audit --no-fund --loglevel=error
	@touch $@

$(BUNDLE): $(SETUP) package.json scripts/build.ts $(shell find src)
	@$(NODE) scripts/build.ts
	@touch $@
