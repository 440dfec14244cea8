#!/usr/bin/env bash
# All suites; the last line counts them. A suite is a function that runs its tests with their output in $log, sets
# good and bad, and returns their status. One that dies or runs nothing counts as one failure.
set -uo pipefail
cd "$(dirname "$0")/.."
passed=0 failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
limit=(timeout --kill-after=10)

# The number before the word $1 in the text $2; 0 when there is none.
number() {
  local found
  found=$(grep -oE "[0-9]+ $1\b" <<<"$2" | head -n 1)
  echo "${found%% *}" | sed 's/^$/0/'
}

cpp() {
  "${limit[@]}" 900 ctest --test-dir build/dev -j 4 --output-on-failure >"$log" 2>&1
  local status=$? total
  total=$(sed -nE 's/.*tests passed, .* out of ([0-9]+).*/\1/p' "$log")
  bad=$(sed -nE 's/.*tests passed, ([0-9]+) tests? failed.*/\1/p' "$log")
  good=$((${total:-0} - ${bad:-0}))
  return "$status"
}

python() {
  "${limit[@]}" 1200 .venv/bin/python -m pytest -q -n 4 >"$log" 2>&1
  local status=$? summary
  summary=$(tail -n 1 "$log")
  good=$(number passed "$summary")
  bad=$(($(number failed "$summary") + $(number 'errors?' "$summary")))
  return "$status"
}

lint() {
  "${limit[@]}" 600 tools/lint.sh >"$log" 2>&1
  local status=$? summary
  summary=$(tail -n 1 "$log")
  good=$(number passed "$summary")
  bad=$(number failed "$summary")
  return "$status"
}

run() {
  local title=$1 suite=$2 status=0
  good=0 bad=0
  "$suite" || status=$?
  good=${good:-0} bad=${bad:-0}
  if [ "$bad" -eq 0 ] && { [ "$status" -ne 0 ] || [ "$good" -eq 0 ]; }; then bad=1; fi
  if [ "$bad" -ne 0 ]; then cat "$log"; fi
  echo "$title: $good passed, $bad failed"
  passed=$((passed + good)) failed=$((failed + bad))
}

run C++ cpp
run Python python
run Lint lint
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
