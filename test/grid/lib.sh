# Settings of the grid, and starting and stopping its services by pid file. Sourced by the scripts beside it; runs nothing.
#
#   GRID_DIR     where the grid lies; its scripts take it as their first argument
#   GRID_SHIFT   added to every port; when it is not set, the first of 0, 100, ... 1900 with all ports free is taken and kept in DIR
#   GRID_VENVS   the DIR of another grid whose Python environments are used, so that nothing is installed twice
#
# A script ends with code 3 where something that it needs is not to be had: then the tests are skipped, not failed.
set -euo pipefail

GRID_SRC=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
GRID_DIR=$(mkdir -p "${1:?usage: $0 DIR}" && cd "$1" && pwd)
export GRID_SRC GRID_DIR
# The checkout may be read-only.
export PYTHONDONTWRITEBYTECODE=1

RUCIO_VERSION=${RUCIO_VERSION:-41.5.1}
GRID_VENVS=${GRID_VENVS:-$GRID_DIR}
export GRID_KEY_PASSWORD=${GRID_KEY_PASSWORD:-open-sesame}
export GRID_DN='/DC=org/DC=gridtest/OU=Users/CN=jdoe/CN=731042/CN=Jane Doe'
SERVICES=(rucio xrd1 xrd2 faulty)

say() { printf '%4ds  %s\n' "$SECONDS" "$*"; }

fail() { # SENTENCE [CODE]
    echo "$(basename "$0"): $1" >&2
    exit "${2:-1}"
}

set_ports() { # SHIFT
    export GRID_RUCIO_PORT=$((14443 + $1))
    export GRID_XRD1_PORT=$((10940 + $1)) GRID_XRD1_HTTP=$((14430 + $1))
    export GRID_XRD2_PORT=$((10941 + $1)) GRID_XRD2_HTTP=$((14431 + $1))
    export GRID_ERROR_PORT=$((14432 + $1)) GRID_HANG_PORT=$((14433 + $1))
    # Nothing of the grid listens on these: a test puts its own proxy to XRD2 there, for https and for root.
    export GRID_SLOW_PORT=$((14434 + $1)) GRID_SLOWROOT_PORT=$((14435 + $1))
    # Nor here: an identity provider that a test starts (idp.ts) and that the Rucio server knows.
    export GRID_IDP_PORT=$((14436 + $1))
    SERVED_PORTS=("$GRID_RUCIO_PORT" "$GRID_XRD1_PORT" "$GRID_XRD1_HTTP" "$GRID_XRD2_PORT" "$GRID_XRD2_HTTP" "$GRID_ERROR_PORT" "$GRID_HANG_PORT")
}

ports_free() {
    local port
    for port in "${SERVED_PORTS[@]}" "$GRID_SLOW_PORT" "$GRID_SLOWROOT_PORT" "$GRID_IDP_PORT"; do ! listens "$port" || return 1; done
}

choose_ports() { # The ports are part of the catalogue (each PFN names one), so a grid keeps those that it was made with while it can.
    local shift_
    if [ -n "${GRID_SHIFT:-}" ]; then
        set_ports "$GRID_SHIFT"
        return
    fi
    if [ -s "$GRID_DIR/run/shift" ]; then
        set_ports "$(cat "$GRID_DIR/run/shift")"
        if any_running || ports_free; then return; fi
    fi
    for shift_ in $(seq 0 100 1900); do
        set_ports "$shift_"
        if ports_free; then
            echo "$shift_" >"$GRID_DIR/run/shift"
            return
        fi
    done
    fail 'no free ports between 10940 and 16400: set GRID_SHIFT'
}

pid_of() { head -1 "$GRID_DIR/run/$1.pid" 2>/dev/null | tr -dc 0-9 || true; }

ours() { # PID: is it a process that was started for this DIR? A pid file alone may name a stranger after a reboot.
    tr '\0' '\n' 2>/dev/null <"/proc/$1/environ" | grep -xF "GRID_DIR=$GRID_DIR" >/dev/null
}

running() { # NAME
    local pid
    pid=$(pid_of "$1")
    [ -n "$pid" ] && ours "$pid"
}

any_running() {
    local name
    for name in "${SERVICES[@]}"; do if running "$name"; then return 0; fi; done
    return 1
}

all_running() {
    local name
    for name in "${SERVICES[@]}"; do running "$name" || return 1; done
}

start() { # NAME COMMAND...: in a session of its own, so that stop can end its children too
    local name=$1
    shift
    setsid nohup "$@" >>"$GRID_DIR/log/$name.log" 2>&1 </dev/null 9>&- &
    echo $! >"$GRID_DIR/run/$name.pid"
}

start_service() { # NAME
    local server=$GRID_VENVS/venv-server/bin user=()
    case $1 in
        rucio)
            RUCIO_CONFIG="$GRID_DIR/etc/rucio-server.cfg" PYTHONPATH="$GRID_SRC/server" \
                start rucio "$server/gunicorn" -c "$GRID_SRC/server/gunicorn_conf.py" wsgi:application
            ;;
        faulty)
            start faulty "$server/python" -u "$GRID_SRC/server/faulty.py"
            ;;
        xrd1 | xrd2)
            if [ "$(id -u)" = 0 ]; then
                chown -R xrootd:xrootd "$GRID_DIR/$1/admin" "$GRID_DIR/$1/run"
                user=(-R xrootd)
            fi
            # xrootd makes a directory of its name where it is started, and leaves its cores there.
            (cd "$GRID_DIR/$1/run" && LD_PRELOAD="$GRID_DIR/bindlo.so" start "$1" xrootd -n "$1" "${user[@]}" -I v4 -c "$GRID_DIR/etc/$1.cfg")
            ;;
        *) fail "no service $1" ;;
    esac
}

wait_service() { # NAME
    case $1 in
        rucio) wait_port "$GRID_RUCIO_PORT" 30 ;;
        faulty) wait_port "$GRID_ERROR_PORT" 30 && wait_port "$GRID_HANG_PORT" 30 ;;
        xrd1) wait_port "$GRID_XRD1_PORT" 30 && wait_port "$GRID_XRD1_HTTP" 30 ;;
        xrd2) wait_port "$GRID_XRD2_PORT" 30 && wait_port "$GRID_XRD2_HTTP" 30 ;;
    esac
}

stop() { # NAME...
    local name pid pids=()
    for name in "$@"; do
        if running "$name"; then
            pid=$(pid_of "$name")
            kill "$pid" && pids+=("$pid")
        fi
        rm -f "$GRID_DIR/run/$name.pid"
    done
    for pid in "${pids[@]}"; do
        for _ in $(seq 50); do
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.1
        done
        kill -9 -- "-$pid" 2>/dev/null || true
    done
}

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

wait_port() { # PORT SECONDS
    for _ in $(seq $(($2 * 20))); do
        if listens "$1"; then return 0; fi
        sleep 0.05
    done
    fail "nothing listens on port $1 after $2 s; see $GRID_DIR/log"
}
