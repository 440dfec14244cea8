#!/usr/bin/env bash
# The C++ suites and the Python suites under sanitizers: tools/sanitize.sh asan-ubsan|tsan [PYTEST ARGUMENTS].
# Nothing of ours is suppressed. The last line counts.
set -uo pipefail
cd "$(dirname "$0")/.."
source tools/ccache.sh
preset=${1:?asan-ubsan or tsan}
shift
build=build/$preset
python=.venv/bin/python
case $preset in
  asan-ubsan) runtime=libasan.so ;;
  tsan) runtime=libtsan.so ;;
  *) echo "$preset is no sanitizer; there are asan-ubsan and tsan" >&2; exit 2 ;;
esac
# Leaks are searched in C++ alone: the interpreter never frees everything.
export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1:abort_on_error=1
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:history_size=7
python_options=(ASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=0" TSAN_OPTIONS="$TSAN_OPTIONS:ignore_noninstrumented_modules=1")

# The sanitizers' shadow memory does not fit every random layout.
fixed=()
if setarch -R true 2>/dev/null; then fixed=(setarch -R); fi

cmake --preset "$preset" -DPython_EXECUTABLE="$PWD/$python" >/dev/null && cmake --build --preset "$preset" -- --quiet || { echo "0 passed, 1 failed"; exit 1; }

# The package with this build's extension, ahead of the installed one.
package=$build/package/azora_orchestrator
rm -rf "$build/package" && mkdir -p "$package/bin"
cp -r python/azora_orchestrator/. "$package"
cp "$build"/bindings/_core*.so "$package"
cp "$build/cpp/azora/keeper/azora-keeper" "$package/bin"

forking=test_a_forked_child_is_refused_and_ends_without_touching_the_parent
good=0 bad=0
status=0
"${fixed[@]}" ctest --test-dir "$build" -j 2 --timeout 600 --output-on-failure >"$build/ctest.log" 2>&1 || status=$?
total=$(sed -nE 's/.*tests passed, .* out of ([0-9]+).*/\1/p' "$build/ctest.log" | tail -n 1)
lost=$(sed -nE 's/.*tests passed, ([0-9]+) tests? failed.*/\1/p' "$build/ctest.log" | tail -n 1)
good=$((${total:-0} - ${lost:-0})) bad=${lost:-0}
if [ "$status" -ne 0 ] || [ "$good" -eq 0 ]; then
  cat "$build/ctest.log"
  [ "$bad" -gt 0 ] || bad=1
fi
echo "C++ under $preset: $good passed, $bad failed"

# The tests that are about the extension; AZORA_SANITIZE_ALL=1 runs the others, too, which takes long.
chosen=(-m native)
if [ "${AZORA_SANITIZE_ALL:-}" = 1 ]; then chosen=(); fi
# ThreadSanitizer knows no threads in a child that was forked from threads.
if [ "$preset" = tsan ]; then chosen+=(--deselect tests/py/test_orchestrator_exit.py::"$forking"); fi
# The interpreter is no C++ program: without libstdc++ beside it the runtime finds no __cxa_throw to watch.
preload="$(${CXX:-g++} -print-file-name="$runtime") $(${CXX:-g++} -print-file-name=libstdc++.so.6)"
status=0
env "${python_options[@]}" PYTHONPATH="$PWD/$build/package" LD_PRELOAD="$preload" "${fixed[@]}" "$python" -m pytest -q -n 2 \
  -p no:cacheprovider "${chosen[@]}" --ignore-glob='*/test_repository_*' --ignore-glob='*/test_notebook.py' "$@" \
  >"$build/pytest.log" 2>&1 || status=$?
summary=$(tail -n 1 "$build/pytest.log")
python_good=$(grep -oE '[0-9]+ passed' <<<"$summary" | cut -d' ' -f1)
python_bad=$(grep -oE '[0-9]+ (failed|errors?)' <<<"$summary" | awk '{n += $1} END {print n + 0}')
if [ "$status" -ne 0 ] || [ -z "$python_good" ]; then
  cat "$build/pytest.log"
  [ "$python_bad" -gt 0 ] || python_bad=1
fi
echo "Python under $preset: ${python_good:-0} passed, $python_bad failed"
echo "$((good + ${python_good:-0})) passed, $((bad + python_bad)) failed"
[ $((bad + python_bad)) -eq 0 ]
