#!/usr/bin/env bash
# clang's thread-safety analysis over the core: what a mutex or a thread owns is touched by nothing else. The code that
# clang makes is of no use but to ccache, which then knows the verdict of a file that has not changed. Without clang
# (tools/setup.sh clang) it is left out and says so. $1: which compiler, else clang++.
set -uo pipefail
cd "$(dirname "$0")/.."
source tools/ccache.sh
compiler=${1:-clang++}
if ! command -v "$compiler" >/dev/null; then
  echo "left out: there is no $compiler; tools/setup.sh clang installs it"
  exit 0
fi
objects=$(mktemp -d)
trap 'rm -rf "$objects"' EXIT
analyse() {
  local object=$1
  shift
  $(command -v ccache) "$@" -o "$object/$BASHPID.o"
}
export -f analyse
# The program of keeper and shims has neither threads nor locks.
find cpp/azora -name '*.cpp' -not -path '*/keeper/program/*' -print0 |
  xargs -0 -P 2 -n 1 bash -c 'analyse "$@"' analyse "$objects" "$compiler" -std=c++20 -Icpp -Wthread-safety \
    -Wthread-safety-beta -Werror=thread-safety -c
