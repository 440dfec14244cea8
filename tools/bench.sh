#!/usr/bin/env bash
# Builds the benchmarks as released, in build/bench, and runs them one after the other; a benchmark without its peer
# fails. `tools/bench.sh build` only builds, `tools/bench.sh NAME ..` runs those named.
set -uo pipefail
cd "$(dirname "$0")/.."
source tools/ccache.sh
cmake --preset bench >/dev/null && cmake --build --preset bench -- --quiet || exit 1
[ "${1:-}" = build ] && exit 0
failed=0

# Runs one under its name, when it is wanted.
bench() {
  local name=$1
  shift
  if [ ${#wanted[@]} -gt 0 ] && [[ " ${wanted[*]} " != *" $name "* ]]; then return; fi
  echo "== $name"
  "$@" || failed=1
}

wanted=("$@")
bench azora_bench build/bench/azora_bench --benchmark_min_time=0.1
bench bench_prober build/bench/bench_prober
bench bench_memory build/bench/bench_memory
bench bench_store build/bench/bench_store folder=build
for script in benchmarks/bench_*.py; do
  bench "$(basename "$script" .py)" .venv/bin/python "$script"
done
exit "$failed"
