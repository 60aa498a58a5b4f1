#!/usr/bin/env bash
# run.sh [PATTERN]: brings the grid up, runs the *.grid.ts tests against it, and always takes it down again.
#   GRID_DIR     where the grid lies (default .grid at the top of the checkout)
#   KEEP=1       leaves it running
# Exit 3, with a sentence, where Debian packages or Python are not to be had.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)

. "$here/place.sh"
dir=$(grid_place .grid) || exit 3

cd "$top"
npm run -s build
down() { [ -n "${KEEP:-}" ] || bash "$here/down.sh" "$dir"; }
trap down EXIT
rc=0
bash "$here/up.sh" "$dir" || rc=$?
if [ $rc = 3 ]; then echo 'run.sh: the grid cannot be made here (see above): its tests are skipped' >&2; fi
[ $rc = 0 ] || exit $rc
. "$dir/env.sh"
pattern=${1:-\\.grid\\.js$}
# uvu passes where nothing matches.
find dist/test -name '*.js' | grep -E "$pattern" >/dev/null || { echo "run.sh: no test matches $pattern" >&2; exit 1; }
npm run -s uvu -- "$pattern"
