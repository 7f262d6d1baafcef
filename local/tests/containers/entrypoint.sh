#!/bin/sh
# What the entrypoints of the images we did not make do first, as far as it matters here.
set -eu
case "$1" in
postgres)
  # `postgres`: the first start makes the cluster and runs what lies in the folder.
  if [ ! -s "$PGDATA/PG_VERSION" ]; then
    # shellcheck disable=SC2086
    initdb $POSTGRES_INITDB_ARGS --no-sync --username=postgres \
      --pwfile="$POSTGRES_PASSWORD_FILE" --pgdata="$PGDATA"
    echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
    echo "listen_addresses = '*'" >>"$PGDATA/postgresql.conf"
    echo "unix_socket_directories = '/var/run/postgresql'" >>"$PGDATA/postgresql.conf"
    pg_ctl --wait --options="-c listen_addresses=" start >/dev/null
    PGPASSWORD=$(cat "$POSTGRES_PASSWORD_FILE")
    export PGPASSWORD
    for script in /docker-entrypoint-initdb.d/*.sql; do
      psql --set=ON_ERROR_STOP=1 --no-password --no-psqlrc --host=/var/run/postgresql \
        --username=postgres --file="$script"
    done
    unset PGPASSWORD
    pg_ctl --wait stop >/dev/null
  fi
  ;;
valkey-server)
  # Built without its protected mode there; others may connect.
  set -- "$@" --protected-mode no
  ;;
esac
exec "$@"
