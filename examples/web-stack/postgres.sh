#!/bin/sh
# postgres.sh init: makes a database in state/postgres, unless there is one.
# postgres.sh run PORT: runs it.
# PostgreSQL refuses to run as root; then it runs as the user postgres.
set -eu
newest=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)  # where Debian hides it
PATH=$PATH:$newest
data=$PWD/state/postgres
as=
if [ "$(id -u)" = 0 ]; then as="setpriv --reuid=postgres --regid=postgres --init-groups"; fi
case $1 in
  init)
    umask 022  # the user postgres must be able to enter
    mkdir -p "$data"
    if [ -s "$data/PG_VERSION" ]; then exit 0; fi
    if [ -n "$as" ]; then chown postgres "$data"; fi
    exec $as initdb --pgdata "$data" --username postgres --auth trust ;;
  run)
    exec $as postgres -D "$data" -p "$2" -c listen_addresses=127.0.0.1 -c unix_socket_directories= ;;
esac
