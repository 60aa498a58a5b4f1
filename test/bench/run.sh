#!/usr/bin/env bash
# run.sh [fetch] [idle] | big | many: measures desktop-rucio and the programs it is compared with against the real grid. Results go to stdout.
#   big           on a practice grid: BIG_DATASETS=2000 BIG_FILES=100 BIG_FETCHED=500; exit code 1 when a peak is over 300 MB
#   many          without a grid: MANY_DATASETS=10000
#   ROUNDS=5      how often each command runs, in turn with the others
#   ONLY=REGEX    which commands; DATASET=REGEX which datasets
#   GRID_DIR      a grid made with SEED=all (default .grid-bench at the top of the checkout, or below the temporary directory)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
# These need no grid.
if [ "$*" = big ] || [ "$*" = many ]; then
    cd "$top"
    npm run -s build
    exec node "dist/test/bench/$*.js"
fi
. "$top/test/grid/place.sh"
dir=$(grid_place .grid-bench) || exit 3

have() { command -v "$1" >/dev/null; }
packages=()
have aria2c || packages+=(aria2)
have transmission-daemon || packages+=(transmission-daemon)
if [ ${#packages[@]} -gt 0 ]; then
    { [ "$(id -u)" = 0 ] && apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${packages[@]}"; } >&2 ||
        echo "could not install ${packages[*]}: measured without" >&2
fi

cd "$top"
npm run -s build
down() { [ -n "${KEEP:-}" ] || bash "$top/test/grid/down.sh" "$dir"; }
trap down EXIT
SEED=all bash "$top/test/grid/up.sh" "$dir" >&2
. "$dir/env.sh"
for what in "${@:-fetch}"; do
    case $what in
        fetch | idle) node "dist/test/bench/$what.js" ;;
        *) echo "run.sh: fetch, idle, or big or many alone, not $what" >&2; exit 2 ;;
    esac
done
