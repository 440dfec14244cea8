#!/usr/bin/env bash
# Formats Python, and the C++ files that differ from the last commit (where there is a clang-format).
set -euo pipefail
cd "$(dirname "$0")/.."
.venv/bin/ruff check --quiet --fix . || true  # what it cannot repair, lint names
.venv/bin/ruff format --quiet .
if command -v clang-format >/dev/null; then
  git diff --name-only --diff-filter=d -z HEAD -- '*.cpp' '*.hpp' | xargs -0 -r clang-format -i
fi
