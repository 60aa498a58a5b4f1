#!/usr/bin/env bash
# up.sh DIR: a Rucio server and two XRootD storages on loopback, with data, made of Debian and Python packages.
#   SEED_FILE=F  what is seeded (default seed-data.py beside this file); SEED=all adds the data of the benchmarks (default base)
#   FRESH=1      makes the catalogue and the storages anew; else what runs or lies in DIR, made of the same seed, is kept
# Use it with `. DIR/env.sh`. Settings and exit code 3: lib.sh.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$GRID_SRC/packages.sh"
. "$GRID_SRC/config.sh"
SEED=${SEED:-base} SEED_FILE=$(realpath "${SEED_FILE:-$GRID_SRC/seed-data.py}")
[ -r "$SEED_FILE" ] || fail "no seed file $SEED_FILE"
cd "$GRID_DIR"
mkdir -p log run db etc posix1/rucio xrd1/{data/rucio,admin,run} xrd2/{data/rucio,admin,run}
exec 9>run/lock
flock -w 300 9 || fail "another up.sh works on $GRID_DIR"

install_packages
install_python
choose_ports

key=$(
    cat "$GRID_SRC"/{lib,up,config,certs}.sh "$GRID_SRC"/seed.py "$GRID_SRC"/server/*.{py,c} "$SEED_FILE" | sha256sum
    echo "$SEED $RUCIO_VERSION $GRID_VENVS $GRID_RUCIO_PORT"
)
fresh=
if [ -n "${FRESH:-}" ] || [ "$(cat made 2>/dev/null)" != "$key" ]; then fresh=1; fi
if [ -n "$fresh" ] || ! all_running; then
    stop "${SERVICES[@]}"
    ports_free || fail "a port of ${SERVED_PORTS[*]} $GRID_SLOW_PORT $GRID_SLOWROOT_PORT is taken: set GRID_SHIFT"
    start_all=1
fi

if [ "$(id -u)" = 0 ]; then # xrootd refuses to be root, so the user xrootd must reach DIR.
    chmod go+rx .
    setpriv --reuid=xrootd --regid=xrootd --clear-groups test -r "$GRID_DIR/run" ||
        fail "the user xrootd cannot reach $GRID_DIR: choose a DIR below one that others may enter"
fi
bash "$GRID_SRC/certs.sh" "$GRID_DIR"
write_env

if [ -n "$fresh" ]; then
    say 'database'
    rm -rf made db/* xrd1/data/rucio xrd2/data/rucio posix1/rucio
    mkdir -p posix1/rucio xrd1/data/rucio xrd2/data/rucio
    write_rucio_server
    write_storage
    write_clients
    RUCIO_CONFIG=etc/rucio-server.cfg "$GRID_VENVS/venv-server/bin/python" "$GRID_SRC/server/build_db.py" >log/build_db.log 2>&1 || {
        tail -20 log/build_db.log >&2
        exit 1
    }
    [ -s bindlo.so ] || gcc -shared -fPIC -O2 -o bindlo.so "$GRID_SRC/server/bindlo.c" -ldl
fi
if [ -n "${start_all:-}" ]; then
    say 'starting'
    for name in "${SERVICES[@]}"; do start_service "$name"; done
    for name in "${SERVICES[@]}"; do wait_service "$name"; done
fi
if [ -n "$fresh" ]; then
    say "seed: $(basename "$SEED_FILE") $SEED"
    RUCIO_CONFIG="$GRID_DIR/etc/rucio-root.cfg" "$GRID_VENVS/venv-client/bin/python" "$GRID_SRC/seed.py" "$GRID_DIR" "$SEED_FILE" "$SEED"
    echo "$key" >made
fi
say "up: . $GRID_DIR/env.sh"
