# Verbs only; each is a few lines. `make run` and `make test` set everything up first.
SHELL := /bin/bash
BUILD := build/dev
export DEBIAN_FRONTEND := noninteractive
export CCACHE_DIR ?= $(HOME)/.cache/ccache

.PHONY: build test run setup cpp-test py-test lint format clean

setup:
	@tools/setup.sh

build: setup
	@tools/build.sh

test: build
	@tools/test.sh

run: build
	@.venv/bin/azora demo

clean:
	rm -rf build .venv dist
