#!/usr/bin/env bash
# run.sh [PATTERN]: brings the grid up, runs the *.grid.ts tests against it, and always takes it down again.
#   GRID_DIR     where the grid lies (default .grid at the top of the checkout)
#   KEEP=1       leaves it running
# Exit 3, with a sentence, where Debian packages or Python are not to be had.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)

# root cannot be xrootd, which runs as its own user then: that user must be able to reach the directory. And the paths of its
# sockets must stay below 108 bytes. A checkout may offer neither.
fits() { # DIR
    mkdir -p "$1" && [ ${#1} -le 70 ] || return 1
    [ "$(id -u)" != 0 ] || { chmod go+rx "$1" && setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$1"; }
}
dir=${GRID_DIR:-$top/.grid}
if [ -z "${GRID_DIR:-}" ] && ! fits "$dir"; then
    rmdir "$dir" 2>/dev/null || true
    dir=${TMPDIR:-/tmp}/desktop-rucio-grid-$(id -u)-$(printf %s "$top" | sha256sum | cut -c1-8)
    fits "$dir" || { echo "run.sh: set GRID_DIR to a directory that all users may enter" >&2; exit 3; }
fi

cd "$top"
npm run -s build
down() { [ -n "${KEEP:-}" ] || bash "$here/down.sh" "$dir"; }
trap down EXIT
rc=0
bash "$here/up.sh" "$dir" || rc=$?
if [ $rc = 3 ]; then echo 'run.sh: the grid cannot be made here (see above): its tests are skipped' >&2; fi
[ $rc = 0 ] || exit $rc
. "$dir/env.sh"
npm run -s uvu -- "${1:-\\.grid\\.js$}"
