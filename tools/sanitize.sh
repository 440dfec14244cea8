#!/usr/bin/env bash
# The C++ suites and the Python suites under sanitizers: tools/sanitize.sh asan-ubsan|tsan [PYTEST ARGUMENTS].
# Nothing of ours is suppressed. The last line counts.
set -uo pipefail
cd "$(dirname "$0")/.."
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

cmake --preset "$preset" -DPython_EXECUTABLE="$PWD/$python" >/dev/null && cmake --build --preset "$preset" -- --quiet || exit 1

# The package with this build's extension, ahead of the installed one.
package=$build/package/azora_orchestrator
rm -rf "$build/package" && mkdir -p "$package/bin"
cp -r python/azora_orchestrator/. "$package"
cp "$build"/bindings/_core*.so "$package"
cp "$build/cpp/azora/keeper/azora-keeper" "$package/bin"

failed=0
"${fixed[@]}" ctest --test-dir "$build" -j 2 --timeout 600 --output-on-failure >"$build/ctest.log" 2>&1 || { cat "$build/ctest.log"; failed=1; }
cpp=$(sed -nE 's/.*tests passed, (.*)/\1/p' "$build/ctest.log" | tail -n 1)
echo "C++ under $preset: $cpp"

# The interpreter is no C++ program: without libstdc++ beside it the runtime finds no __cxa_throw to watch.
preload="$(${CXX:-g++} -print-file-name="$runtime") $(${CXX:-g++} -print-file-name=libstdc++.so.6)"
env "${python_options[@]}" PYTHONPATH="$PWD/$build/package" LD_PRELOAD="$preload" \
  "${fixed[@]}" "$python" -m pytest -q -n 2 -p no:cacheprovider --ignore-glob='*/test_repository_*' --ignore-glob='*/test_notebook.py' "$@" || failed=1
exit "$failed"
