#!/usr/bin/env bash
# run.sh [PART...]: builds the image and runs it in a real Docker engine: the machine's own where one answers, else one that is unpacked
# for it (engine.sh). Parts are the files of parts/; without any all of them. `run.sh measure` prints the figures of RESULTS.md instead.
#   KILLS=20       how often it is killed in mid-transfer (default 20, which takes four minutes)
#   CONTAINER_DIR  where engine, images and grid lie (default below the temporary directory; they are kept there for the next time)
#   GRID_VENVS     the directory of a grid that test:grid has made; default the one of this checkout, else it is made anew
#   MUST_RUN=1     a check that cannot run here is a failure
# The last line is `N passed, N failed`. Exit 77 with `skipped: REASON` where there can be no engine.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
work=${CONTAINER_DIR:-${TMPDIR:-/tmp}/desktop-rucio-container}
mkdir -p "$work"
exec 9>"$work/lock"
flock -w 600 9 || { echo "run.sh: another one works in $work" >&2; exit 1; }
cd "$top"
[ -d dist/test ] || npm run -s build
wants() { # PART: is it among those that were asked for?
    local part
    [ ${#asked[@]} -gt 0 ] || return 0
    for part in "${asked[@]}"; do [ "$part" != "$1" ] || return 0; done
    return 1
}
took() { echo "$1: $((SECONDS - ${2:-0})) s"; }
asked=("$@")

export IMAGE=desktop-rucio VERSION=test WORK="$work" TOP="$top" CLONE="$work/clone" REAL_GRID='' NO_GRID=''
if docker info >/dev/null 2>&1; then
    export OWN_ENGINE=no
    engine() { "$@"; }
else
    export OWN_ENGINE=yes
    engine() { bash "$here/engine.sh" "$work" "$@"; }
    NET=host engine bash "$here/base.sh" "$work"
fi
took 'engine and bases'

# What a clone of this checkout would hold, and what is not committed yet: built and run from there, by the commands of its pages.
rm -rf "$CLONE"
mkdir "$CLONE"
files() {
    if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then git ls-files -z -co --exclude-standard
    else find . \( -name node_modules -o -name dist -o -name .git -o -name .grid \) -prune -o \( -type f -o -type l \) -print0; fi
}
files | while IFS= read -r -d '' file; do [ -e "$file" ] && printf '%s\0' "$file"; done |
    tar --null -T - -c | tar -x -C "$CLONE"

[ "${asked[*]}" != measure ] || export MEASURE=1
began=$SECONDS
if [ "$OWN_ENGINE" = yes ]; then NET=host engine bash "$here/build.sh"; else bash "$here/build.sh"; fi
took build $began
if wants scripts; then
    bash "$here/tools.sh" "$work"
    export PATH="$work/tools/bin:$PATH"
fi

# The real grid is made out here, where packages can be had, and brought up again beside the containers.
if wants grid; then
    began=$SECONDS
    # shellcheck source=test/grid/place.sh
    . "$top/test/grid/place.sh"
    made=$(grid_place .grid || true)
    if [ -z "${GRID_VENVS:-}" ] && [ -e "$made/venv-client/made" ]; then export GRID_VENVS=$made; fi
    rc=0
    { bash "$top/test/grid/up.sh" "$work/grid" && bash "$top/test/grid/voms/up.sh" "$work/grid"; } >"$work/grid.log" 2>&1 || rc=$?
    bash "$top/test/grid/voms/down.sh" "$work/grid" >>"$work/grid.log" 2>&1 || true
    bash "$top/test/grid/down.sh" "$work/grid" >>"$work/grid.log" 2>&1 || true
    case $rc in
        0) REAL_GRID=$work/grid ;;
        3) NO_GRID=$(tail -1 "$work/grid.log") ;;
        *) tail -20 "$work/grid.log" >&2; exit 1 ;;
    esac
    took 'the real grid' $began
fi

rc=0
engine bash "$here/checks.sh" "$@" || rc=$?
took test:container >&2
exit $rc
