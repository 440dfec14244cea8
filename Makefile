# Verbs only; each is a few lines. `make run` and `make test` set everything up first.
SHELL := /bin/bash
export DEBIAN_FRONTEND := noninteractive

.PHONY: help setup package build test run test-asan test-tsan bench sim torture wheel lint format clean

help:            # the verbs, and what each does
	@sed -nE 's/^([a-z-]+):[^#]*# (.*)/  make \1\t\2/p' Makefile | expand -t 24

setup:           # the native packages that the build needs
	@tools/setup.sh

package: setup   # the package in .venv
	@tools/build.sh package

build: setup     # the package in .venv, the core with its tests in build/dev
	@tools/build.sh

test: build      # every suite and lint; the last line counts
	@tools/test.sh

run: package     # eleven local services, kept alive, served on port 5000
	@.venv/bin/azora demo

test-asan: build # the suites under AddressSanitizer and UndefinedBehaviorSanitizer
	@tools/sanitize.sh asan-ubsan

test-tsan: build # the suites under ThreadSanitizer
	@tools/sanitize.sh tsan

bench: build     # the benchmarks in build/bench, each beside its peer
	@tools/setup.sh peers || true
	@tools/bench.sh

sim: build       # YEARS (10) of services on virtual time, with faults and crashes at every step; prints failing seeds
	@build/dev/tests/cpp/sim/azora_sim --years $${YEARS:-10} --jobs 2

torture: build   # ROUNDS (100) of servers, keepers and services killed at random; nothing may be lost
	@.venv/bin/python tests/torture/torture.py --rounds $${ROUNDS:-100}

wheel: setup     # the wheel in dist, repaired, installed without compilers and smoke-tested
	@tools/setup.sh wheel
	@tools/wheel.sh check

lint: build      # layers, names, types, format
	@tools/lint.sh

format:          # Python, and the C++ files that were changed
	@tools/format.sh

clean:           # everything that was built
	rm -rf build .venv dist
