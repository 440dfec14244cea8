#!/usr/bin/env bash
# clang's thread-safety analysis over the core: what a mutex or a thread owns is touched by nothing else. No code is
# made. Without clang (tools/setup.sh clang) it is left out and says so. $1: which compiler, else clang++.
set -uo pipefail
cd "$(dirname "$0")/.."
compiler=${1:-clang++}
if ! command -v "$compiler" >/dev/null; then
  echo "left out: there is no $compiler; tools/setup.sh clang installs it"
  exit 0
fi
# The program of keeper and shims has neither threads nor locks.
find cpp/azora -name '*.cpp' -not -path '*/keeper/program/*' -print0 |
  xargs -0 -P 2 -n 4 "$compiler" -std=c++20 -fsyntax-only -Icpp -Wthread-safety -Wthread-safety-beta -Werror=thread-safety
