#!/usr/bin/env bash
# A scratch PostgreSQL cluster on a Unix socket: `cluster.sh start DIR` makes and starts one (and says its URL), `cluster.sh stop DIR` ends it,
# `cluster.sh run COMMAND ...` does both around a command, which finds the URL in TEST_POSTGRES; `cluster.sh quick COMMAND ...` is the same for
# tests that make many databases and in which no machine goes down: nothing is forced to the disk. PostgreSQL refuses to run as root, so root
# becomes `postgres` for it.
set -euo pipefail

bin=$(find /usr/lib/postgresql/*/bin -maxdepth 0 2>/dev/null | sort -V | tail -n 1)
[[ -x $bin/initdb ]] || { echo "PostgreSQL is not installed" >&2; exit 77; } # 77: skipped, for meson

as_owner() {
  if ((EUID == 0)); then runuser -u postgres -- "$@"; else "$@"; fi
}

start() {
  local dir=$1
  shift
  mkdir -p "$dir"
  chmod 755 "$dir"
  ((EUID == 0)) && chown postgres "$dir"
  cd "$dir"
  as_owner "$bin/initdb" --no-sync -D "$dir/db" -U grantd -A trust -E UTF8 --locale=C.UTF-8 >"$dir/initdb.log"
  # As in production: what is committed is on disk.
  as_owner tee -a "$dir/db/postgresql.conf" >/dev/null <<CONF
listen_addresses = ''
unix_socket_directories = '$dir'
max_connections = 200
shared_buffers = 64MB
fsync = on
synchronous_commit = on
logging_collector = off
CONF
  for line in "$@"; do printf '%s\n' "$line" | as_owner tee -a "$dir/db/postgresql.conf" >/dev/null; done
  as_owner "$bin/pg_ctl" -D "$dir/db" -l "$dir/server.log" -w -t 60 start >"$dir/pg_ctl.log"
  as_owner "$bin/createdb" -h "$dir" -U grantd grantd
  printf 'postgres://grantd@/grantd?host=%s\n' "$dir"
}

stop() {
  cd /
  as_owner "$bin/pg_ctl" -D "$1/db" -m immediate -w stop >/dev/null || true
  rm -rf "$1" 2>/dev/null || { sleep 1; rm -rf "$1"; } # a process of the server may be slow to see that it is over
}

# Around a command; the settings are those in front of it.
around() {
  local dir status=0 settings=()
  while [[ $1 == *=* ]]; do settings+=("$1"); shift; done
  dir=$(mktemp -d "${TMPDIR:-/tmp}/grantd-pg-XXXXXX")
  # shellcheck disable=SC2064 # the directory of now
  trap "stop '$dir'" EXIT
  (start "$dir" "${settings[@]}" >"$dir.url") || { status=$?; cat "$dir"/*.log >&2; exit "$status"; }
  TEST_POSTGRES=$(cat "$dir.url")
  rm -f "$dir.url"
  export TEST_POSTGRES
  "$@" || status=$?
  return "$status"
}

run() { around "$@"; }
# Nor does anybody tidy up: a worker a second for all those databases.
quick() { around "fsync = off" "full_page_writes = off" "autovacuum = off" "$@"; }

case ${1:-} in
start | stop | run | quick) "$@" ;;
*) sed -n '2,5s/^# //p' "$0" >&2; exit 2 ;;
esac
