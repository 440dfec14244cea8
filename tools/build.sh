#!/usr/bin/env bash
# The installed Python package in .venv, and the C++ core with its tests in build/dev: `tools/build.sh package` makes
# the first alone. Does nothing when nothing changed, and then needs no network. Says what it begins; what a step has
# to say is shown when it fails.
# Both builds have the same flags (optimised, lines for debuggers, checks on), and ccache looks past the folder they
# are made in: the core is compiled once.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p build
kind=RelWithDebInfo
optimise="-O2 -g1"
source tools/ccache.sh

say() { echo "azora: $*"; }

# Runs a command in silence; when it fails, shows what it said.
quietly() {
  local log
  log=$(mktemp)
  if ! "$@" >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}

# Fails when the stamp $1 does not hold the text $2.
fresh() { [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]; }

build_core() {
  quietly cmake -S . -B build/dev -G Ninja -DCMAKE_BUILD_TYPE="$kind" -DCMAKE_CXX_FLAGS_RELWITHDEBINFO="$optimise" \
    -DAZORA_WERROR=ON -DAZORA_TESTS=ON
  local steps
  steps=$(ninja -C build/dev -n | grep -c '^\[' || true)
  if [ "$steps" -gt 10 ]; then say "compiling the core and its tests ($steps steps; the first time takes minutes)"; fi
  quietly ninja -C build/dev
}

# A new environment when there is none or it is of another interpreter.
make_venv() {
  local wanted
  wanted=$(python3 -c 'import sys; print(sys.version, sys.base_prefix)')
  fresh .venv/.interpreter "$wanted" && return
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "Python 3.11 or newer is needed; python3 is $(python3 --version)" >&2
    return 1
  }
  say "making .venv with $(python3 --version)"
  quietly python3 -m venv --clear .venv
  echo "$wanted" >.venv/.interpreter
}

# What the package, its tests and its build need, as pyproject.toml lists it.
install_requirements() {
  local requirements
  requirements=$(.venv/bin/python - <<'PYTHON'
import tomllib

with open("pyproject.toml", "rb") as file:
    data = tomllib.load(file)
wanted = data["build-system"]["requires"] + data["project"]["dependencies"]
print("\n".join(sorted({*wanted, *data["project"]["optional-dependencies"]["dev"]})))
PYTHON
  )
  fresh .venv/.requirements "$requirements" && return
  say "installing what the package and its tests need into .venv"
  local list=build/requirements.txt
  echo "$requirements" >"$list"
  quietly .venv/bin/python -m pip install --disable-pip-version-check -r "$list"
  echo "$requirements" >.venv/.requirements
}

install_package() {
  local sources
  sources=$(find cpp bindings python CMakeLists.txt pyproject.toml README.md LICENSE "$0" -type f \
              -not -name '*.pyc' -print0 | sort -z | xargs -0 sha256sum | sha256sum)
  fresh .venv/.package "$sources" && return
  say "compiling and installing the package into .venv (the first time takes minutes)"
  quietly .venv/bin/python -m pip install --disable-pip-version-check --no-index --no-deps --no-build-isolation \
    --force-reinstall --config-settings=build-dir=build/py --config-settings=install.strip=false \
    --config-settings=cmake.build-type="$kind" --config-settings=cmake.define.AZORA_WERROR=ON \
    --config-settings=cmake.define.CMAKE_CXX_FLAGS_RELWITHDEBINFO="$optimise" .
  echo "$sources" >.venv/.package
}

make_venv
install_requirements
install_package
case ${1:-all} in
  package) ;;
  all) build_core ;;
  *) echo "usage: tools/build.sh [package]" >&2; exit 2 ;;
esac
