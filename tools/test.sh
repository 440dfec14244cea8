#!/usr/bin/env bash
# All suites; the last line counts them.
set -uo pipefail
passed=0 failed=0
log=$(mktemp)
ctest --test-dir build/dev -j 3 --output-on-failure >"$log" 2>&1
status=$?
summary=$(grep -E 'tests passed|tests failed' "$log" | tail -n 1)
total=$(sed -nE 's/.* out of ([0-9]+).*/\1/p' <<<"$summary")
bad=$(sed -nE 's/.*, ([0-9]+) tests? failed.*/\1/p' <<<"$summary")
total=${total:-0} bad=${bad:-0}
if [ "$status" -ne 0 ]; then cat "$log"; [ "$bad" -eq 0 ] && bad=1; fi
echo "C++: $((total - bad)) passed, $bad failed"
passed=$((passed + total - bad)) failed=$((failed + bad))
rm -f "$log"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
