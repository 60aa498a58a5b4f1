# Where a grid may lie. Sourced by run.sh here and by the one of the benchmarks.

# grid_place NAME: GRID_DIR, else NAME at the top of the checkout ($top), else a directory below the temporary one; printed.
grid_place() {
    local dir=${GRID_DIR:-$top/$1}
    if [ -z "${GRID_DIR:-}" ] && ! fits "$dir"; then
        rmdir "$dir" 2>/dev/null || true
        dir=${TMPDIR:-/tmp}/desktop-rucio$1-$(id -u)-$(printf %s "$top" | sha256sum | cut -c1-8)
    fi
    fits "$dir" || { echo "set GRID_DIR to a directory with a short path that all users may enter" >&2; return 3; }
    echo "$dir"
}

# root cannot be xrootd, which runs as its own user then: that user must be able to reach the directory. And the paths of its
# sockets must stay below 108 bytes. A checkout may offer neither.
fits() { # DIR
    mkdir -p "$1" && [ ${#1} -le 70 ] || return 1
    [ "$(id -u)" != 0 ] || { chmod go+rx "$1" && setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$1"; }
}
