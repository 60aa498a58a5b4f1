#!/usr/bin/env bash
# down.sh DIR [SERVICE]: ends the VOMS server and its database (or `voms` alone) by their pid files. DIR stays, so that up.sh goes on from there.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
. "$GRID_SRC/voms/voms.sh"
if [ -n "${2:-}" ]; then stop_voms "$2"; else stop_voms voms db; fi
