#!/usr/bin/env bash
# The C++ core with its tests in build/dev, and the Python package in .venv.
set -euo pipefail
cmake -S . -B build/dev -G Ninja -DAZORA_TESTS=ON -DCMAKE_BUILD_TYPE=Debug -DAZORA_WERROR=ON >build-cmake.log 2>&1 || { cat build-cmake.log; exit 1; }
rm -f build-cmake.log
ninja -C build/dev --quiet
