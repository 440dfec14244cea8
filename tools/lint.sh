#!/usr/bin/env bash
# The checks that run nothing of ours: one line each, what a failing one said, and 1 at the end when one failed.
# `make format` repairs what a tool can repair.
set -uo pipefail
cd "$(dirname "$0")/.."
bin=.venv/bin
passed=0 failed=0

check() {
  local title=$1 said
  shift
  if said=$("$@" 2>&1); then
    passed=$((passed + 1))
    echo "  ok    $title"
    grep '^left out: ' <<<"$said" | sed 's/^/        /'
  else
    failed=$((failed + 1))
    echo "  FAIL  $title"
    sed 's/^/        /' <<<"$said"
  fi
}

shell_syntax() {
  local file status=0
  for file in tools/*.sh .ci/run; do bash -n "$file" || status=1; done
  return "$status"
}

# The extension has no Python file, only a stub: a copy of the package in which the stub is a module.
imports() {
  local copy=build/imports
  rm -rf "$copy" && mkdir -p "$copy" && cp -r python/azora_orchestrator "$copy" &&
    mv "$copy/azora_orchestrator/_core/__init__.pyi" "$copy/azora_orchestrator/_core/__init__.py" &&
    PYTHONPATH="$copy" "$bin/lint-imports" --no-cache --no-logo tools/imports.toml
}

tidy_texts() {
  if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    git diff --check "$(git hash-object -t tree /dev/null)"
  else
    echo "left out: git knows the files, and it is not there"
  fi
}

check "ruff: names, bugs, imports, docstrings" "$bin/ruff" check --quiet --output-format concise .
check "ruff: format" "$bin/ruff" format --quiet --check --diff .
check "mypy: the package, strict" "$bin/mypy" --no-error-summary
check "mypy: the tools, strict" env MYPYPATH=tools "$bin/mypy" --no-error-summary tools/*.py
check "shell: syntax" shell_syntax
check "clang: what belongs to which lock or thread" tools/check_threads.sh
check "layers, words and length" "$bin/python" tools/check_layers.py
check "imports of Python modules" imports
check "classes of one idea" "$bin/python" tools/check_members.py
check "sources are built" "$bin/python" tools/check_sources.py
check "tidy texts" tidy_texts
check "spelling" "$bin/codespell"
check "texts of the project alone" "$bin/python" tools/check_text.py
check "rules that are cited exist" "$bin/python" tools/check_rules.py
echo "lint: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
