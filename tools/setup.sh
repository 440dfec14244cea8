#!/usr/bin/env bash
# Native build dependencies from the distribution; `tools/setup.sh peers`: those that the benchmarks compare us with;
# `tools/setup.sh clang`: the compiler that checks what belongs to which thread; `tools/setup.sh examples`: what the
# examples run and what checks the metrics and a client of the API; `tools/setup.sh wheel`: what the wheel's own libcurl is built from
# and tested with.
# Installs them when root; otherwise prints the exact line.
set -euo pipefail
cd "$(dirname "$0")/.."
packages=(g++ cmake ninja-build ccache python3-venv python3-dev libcurl4-openssl-dev nlohmann-json3-dev libxxhash-dev
          libsqlite3-dev libgtest-dev libgmock-dev libbenchmark-dev)
boost=libboost1.81-dev
if ! dpkg -s "$boost" >/dev/null 2>&1; then
  newest=$(apt-cache search --names-only '^libboost1\.[0-9]+-dev$' 2>/dev/null | cut -d' ' -f1 | sort -V | tail -n 1)
  installed=$(dpkg-query -W -f '${Package}\n' 'libboost1.*-dev' 2>/dev/null | grep -E '^libboost1\.(8[1-9]|9[0-9])-dev$' | tail -n 1 || true)
  [ -n "$installed" ] && boost=$installed
  if [ "$boost" = libboost1.81-dev ] && ! apt-cache show "$boost" >/dev/null 2>&1 && [ -n "$newest" ]; then boost=$newest; fi
fi
packages+=("$boost")
[ "${1:-}" = peers ] && packages=(haproxy runit)
[ "${1:-}" = clang ] && packages=(clang)
[ "${1:-}" = wheel ] && packages=(dpkg-dev libssl-dev libnghttp2-dev openssl)
if [ "${1:-}" = examples ]; then
  packages=(postgresql redis-server nginx)
  command -v node >/dev/null || packages+=(nodejs)
  command -v npm >/dev/null || packages+=(npm)
fi
missing=()
for package in "${packages[@]}"; do
  dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  :
elif [ "$(id -u)" = 0 ]; then
  echo "installing: ${missing[*]}"
  apt-get update -qq >/dev/null
  # A package's newest name is only known after the update.
  for i in "${!missing[@]}"; do
    if [[ ${missing[$i]} == libboost* ]] && ! apt-cache show "${missing[$i]}" >/dev/null 2>&1; then
      missing[$i]=$(apt-cache search --names-only '^libboost1\.[0-9]+-dev$' | cut -d' ' -f1 | sort -V | tail -n 1)
    fi
  done
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
else
  echo "These packages are missing. Please run, then try again:" >&2
  echo "  sudo apt-get install -y ${missing[*]}" >&2
  exit 1
fi
# What makes a TypeScript client of the API's description and checks its types.
if [ "${1:-}" = examples ] && ! { command -v openapi-typescript && command -v tsc; } >/dev/null; then
  if [ "$(id -u)" = 0 ]; then
    echo "installing: openapi-typescript typescript"
    npm install --global --silent --no-fund --no-audit openapi-typescript typescript
  else
    echo "For the test of a generated client: sudo npm install -g openapi-typescript typescript" >&2
  fi
fi
# What benchmarks/bench_durable.py compares us with. Its package would start a server: so the program alone is taken out of it.
if [ "${1:-}" = peers ] && ! command -v etcd >/dev/null && [ ! -x build/tools/etcd ]; then
  [ "$(id -u)" != 0 ] || apt-cache show etcd-server >/dev/null 2>&1 || apt-get update -qq >/dev/null
  echo "fetching: etcd"
  unpacked=$(mktemp -d)
  if (cd "$unpacked" && apt-get download -qq etcd-server >/dev/null 2>&1 && dpkg -x etcd-server_*.deb .); then
    mkdir -p build/tools
    mv "$unpacked/usr/bin/etcd" build/tools/etcd
  else
    echo "etcd cannot be had here: bench_durable will end with 2" >&2
  fi
  rm -rf "$unpacked"
fi
# What checks the text of /metrics. It comes from the package of Prometheus, whose installation would start a server:
# so the program alone is taken out of it.
if [ "${1:-}" = examples ] && ! command -v promtool >/dev/null && [ ! -x build/tools/promtool ]; then
  [ "$(id -u)" != 0 ] || apt-cache show prometheus >/dev/null 2>&1 || apt-get update -qq >/dev/null
  echo "fetching: promtool"
  unpacked=$(mktemp -d)
  if (cd "$unpacked" && apt-get download -qq prometheus >/dev/null 2>&1 && dpkg -x prometheus_*.deb .); then
    mkdir -p build/tools
    mv "$unpacked/usr/bin/promtool" build/tools/promtool
  else
    echo "promtool cannot be had here: the test of the metrics with it is left out" >&2
  fi
  rm -rf "$unpacked"
fi
