#!/usr/bin/env bash
# The libcurl that the wheel carries, in build/curl/prefix: Debian's own source package with its security fixes, built
# for HTTP and HTTPS alone, with HTTP/2 and Unix sockets. Debian's binary speaks every protocol that curl knows and
# brings GnuTLS, Kerberos, LDAP, SSH and RTMP with it.
# Builds again when Debian has a newer source or this file changes.
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/ccache.sh
work=$PWD/build/curl
mkdir -p "$work/apt/sources" "$work/apt/lists/partial" "$work/apt/cache/archives/partial"

# apt with the machine's own sources, each asked for source packages, and with lists of its own: root is not needed.
for file in /etc/apt/sources.list.d/*.sources; do
  [ -e "$file" ] || continue
  sed -E 's/^Types:.*/Types: deb-src/' "$file" >"$work/apt/sources/$(basename "$file")"
done
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
  [ -e "$file" ] || continue
  sed -nE 's/^deb(-src)? /deb-src /p' "$file" | sort -u >"$work/apt/sources/$(basename "$file" .list).list"
done
apt() {
  local tool=$1
  shift
  "$tool" -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$work/apt/sources" \
    -o Dir::State::Lists="$work/apt/lists" -o Dir::Cache="$work/apt/cache" -o APT::Sandbox::User= "$@"
}

# Without network the lists of the last time serve. A source of the machine may have no source packages: that is said
# in the log, and others have them.
stamp=$work/built
apt apt-get update -qq >"$work/update.log" 2>&1 || true
version=$(apt apt-cache showsrc --only-source curl 2>/dev/null | sed -n 's/^Version: //p' | sort -V | tail -n 1)
if [ -z "$version" ]; then
  cat "$work/update.log" >&2
  echo "curl: this machine's apt sources offer no source package of curl" >&2
  exit 1
fi
wanted="$version $(sha256sum <tools/curl.sh)"
[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && exit 0

echo "curl: building $version for HTTP alone"
rm -rf "$stamp" "$work/package" "$work/source" "$work/build" "$work/prefix"
mkdir "$work/package"
# apt checks the source against the signed list of the archive.
(cd "$work/package" && apt apt-get source -qq --download-only "curl=$version")
CFLAGS="$(dpkg-buildflags --get CFLAGS) $(dpkg-buildflags --get CPPFLAGS)"
LDFLAGS=$(dpkg-buildflags --get LDFLAGS)
export CFLAGS LDFLAGS
dpkg-source --no-check -x "$work"/package/*.dsc "$work/source" >"$work/log" 2>&1 &&
  cmake -S "$work/source" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$work/prefix" \
    -DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_C_COMPILER_LAUNCHER="$(command -v ccache || true)" \
    -DBUILD_CURL_EXE=OFF -DBUILD_TESTING=OFF -DENABLE_MANUAL=OFF \
    -DHTTP_ONLY=ON -DUSE_NGHTTP2=ON -DENABLE_UNIX_SOCKETS=ON -DENABLE_THREADED_RESOLVER=ON -DCURL_USE_OPENSSL=ON \
    -DCURL_ZLIB=OFF -DCURL_BROTLI=OFF -DCURL_ZSTD=OFF -DUSE_LIBIDN2=OFF -DCURL_USE_LIBPSL=OFF -DCURL_USE_LIBSSH2=OFF \
    -DCURL_USE_GSSAPI=OFF -DCURL_USE_OPENLDAP=OFF >>"$work/log" 2>&1 &&
  nice -n 10 ninja -j 2 -C "$work/build" install >>"$work/log" 2>&1 || { tail -n 40 "$work/log" >&2; exit 1; }
cp "$work/source/debian/copyright" "$work/copyright"
echo "$version" >"$work/version"
echo "$wanted" >"$stamp"
