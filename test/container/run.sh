#!/usr/bin/env bash
# run.sh [PART...]: builds the image and runs it in a real Docker engine: the machine's own where one answers, else one that is unpacked
# for it (engine.sh). Parts: scripts, image, compose, life, kills, grid; without any all of them.
#   KILLS=20       how often it is killed in mid-transfer (default 20, which takes five minutes)
#   CONTAINER_DIR  where engine and images lie (default below the temporary directory; they are kept there for the next time)
#   GRID_VENVS     the directory of a grid that test:grid has made: then it runs against a real Rucio server too
# The last line is `N passed, N failed`. Exit 77 with `skipped: REASON` where it cannot run.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
work=${CONTAINER_DIR:-${TMPDIR:-/tmp}/desktop-rucio-container}
began=$SECONDS
mkdir -p "$work"
exec 9>"$work/lock"
flock -w 600 9 || { echo "run.sh: another one works in $work" >&2; exit 1; }
cd "$top"
[ -d dist/test ] || npm run -s build
if docker info >/dev/null 2>&1; then
    export OWN_ENGINE=no
    engine() { "$@"; }
    : "${BASE:=debian:trixie-slim}" "${NODE_IMAGE:=node:24-trixie-slim}"
else
    export OWN_ENGINE=yes
    engine() { bash "$here/engine.sh" "$work" "$@"; }
    NET=host engine bash "$here/base.sh" "$work"
    BASE=local/debian:trixie-slim NODE_IMAGE=local/node:24-trixie-slim
fi
export IMAGE=desktop-rucio VERSION=test BASE NODE_IMAGE WORK="$work" TOP="$top"
rc=0
if [ "$OWN_ENGINE" = yes ]; then NET=host engine bash "$here/build.sh"; else bash "$here/build.sh"; fi
engine bash "$here/checks.sh" "$@" || rc=$?
echo "test:container: $((SECONDS - began)) s" >&2
exit $rc
