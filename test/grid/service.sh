#!/usr/bin/env bash
# service.sh DIR start|kill rucio|xrd1|xrd2|faulty: one service of a grid that is up, as a test needs it. Never touches what is not of DIR.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$GRID_DIR/env.sh"
verb=${2:?usage: $0 DIR start|kill SERVICE} name=${3:?usage: $0 DIR start|kill SERVICE}
case $verb in
    start)
        ! running "$name" || exit 0
        start_service "$name"
        wait_service "$name"
        ;;
    kill) # At once and without a goodbye, as a power cut would.
        if running "$name"; then
            pid=$(pid_of "$name")
            kill -9 -- "-$pid"
            while kill -0 "$pid" 2>/dev/null; do sleep 0.02; done
        fi
        rm -f "$GRID_DIR/run/$name.pid"
        ;;
    *) fail "start or kill, not $verb" ;;
esac
