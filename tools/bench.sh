#!/usr/bin/env bash
# Builds the benchmarks as released and runs them one after the other; a benchmark without its peer fails.
set -uo pipefail
cd "$(dirname "$0")/.."
cmake --preset release >/dev/null && cmake --build --preset release -- --quiet || exit 1
failed=0
for program in build/release/benchmarks/bench_*; do
  if [ -x "$program" ] && [ -f "$program" ]; then
    echo "== $(basename "$program")"
    "$program" || failed=1
  fi
done
for script in benchmarks/bench_*.py; do
  echo "== $(basename "$script")"
  .venv/bin/python "$script" || failed=1
done
exit "$failed"
