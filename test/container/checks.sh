#!/usr/bin/env bash
# checks.sh [PART...]: what must hold of the image in a running engine; run.sh calls it. Each check is a sentence, each part a file of
# parts/. The last line counts the checks; what was skipped stands in the lines before it.
set -uo pipefail
dir=$(mktemp -d "${TMPDIR:-/tmp}/dr-container-XXXXXX")
passed=0 failed=0 skipped=()
uid=12345 # nobody's, and not the image's own
# shellcheck disable=SC2054
locked=(--read-only --tmpfs /tmp:mode=1777,size=512m --cap-drop ALL --security-opt no-new-privileges)
# shellcheck disable=SC2153,SC2034 # used by the parts
image=$IMAGE:$VERSION
name=dr-test-$$

check() { # SENTENCE COMMAND...: in a shell of its own, where the first failure ends it
    local sentence=$1 began=$SECONDS code; shift
    (set -eE; trap 'echo "  line $LINENO: $BASH_COMMAND"' ERR; "$@") >"$dir/log" 2>&1
    code=$?
    if [ $code = 0 ]; then
        passed=$((passed + 1))
        echo "ok      $sentence ($((SECONDS - began)) s)"
        grep '^  measured' "$dir/log" || true
    else
        failed=$((failed + 1))
        echo "FAILED  $sentence"
        tail -25 "$dir/log"
    fi
    if [ -n "${KEEP_LOG:-}" ]; then cp "$dir/log" "$KEEP_LOG"; fi
    if [ $code != 0 ]; then
        docker logs --tail 5 "$name" 2>&1 | sed 's/^/  it said: /'
        curl -s -m 5 "localhost:$port/datasets" | cut -c1-1500 | sed 's/^/  datasets: /'
    fi
}
skip() { # SENTENCE: one that may be skipped here; where all must run (MUST_RUN) that is a failure
    if [ -n "${MUST_RUN:-}" ]; then
        failed=$((failed + 1))
        echo "FAILED  must run here, and cannot: $1"
    else
        skipped+=("$1")
        echo "SKIPPED $1"
    fi
}

end() {
    docker rm -f "$name" >/dev/null 2>&1
    # shellcheck disable=SC2046
    kill $(cat "$dir"/*.pid 2>/dev/null) 2>/dev/null
    if [ -n "${grid_dir:-}" ]; then end_real_grid; fi
    rm -rf "$dir"
}
trap end EXIT
docker rm -f "$name" >/dev/null 2>&1 # of a run that was killed: process ids come again

never() { ! "$@"; } # a bare ! would be passed over by set -e

until_true() { # SECONDS COMMAND...
    local end=$((SECONDS + $1)); shift
    until "$@" >/dev/null 2>&1; do
        if [ $SECONDS -ge "$end" ]; then echo "  not within the time: $*"; return 1; fi
        sleep 0.1
    done
}
ms_since() { echo $((($(date +%s%N) - $1) / 1000000)); } # NANOSECONDS

fresh() { # NAME: an empty data directory of uid
    rm -rf "${dir:?}/$1"
    mkdir "$dir/$1"
    chown "$uid:$uid" "$dir/$1"
}

run() { # ARGUMENT...: the container in the background, as uid; options before --, a command after
    docker run -d --name "$name" --user "$uid:$uid" "${locked[@]}" "$@"
}
mounts() { echo "--mount type=bind,source=$1,target=/data --mount type=bind,source=$2,target=/certs,readonly"; }
# In the network of the machine, where the grid is.
on_host() { # DATA CERTS [ARGUMENT...]
    # shellcheck disable=SC2046
    run --network host -e DESKTOP_RUCIO_HOST=127.0.0.1 -e "DESKTOP_RUCIO_PORT=$port" $(mounts "$1" "$2") "${@:3}"
}
state() { curl -sf "localhost:$port/status" | grep '"state":"'"$1"'"' >/dev/null; }
word() { curl -sf "localhost:$port/ds?ds_name=$1" | grep '"status":"'"$2"'"' >/dev/null; }
ask() { curl -sf -X POST "localhost:$port/ds?ds_name=$1" | grep '"status":"downloading"' >/dev/null; }
whole() { (cd "$1" && sha256sum --quiet --strict -c "$dir/$2.sha256") && [ -z "$(find "$1/$2" ! -uid "$uid")" ]; }
free_port() { node -e 'const s = require("node:net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close() })'; }
refused() { # PATTERN ARGUMENT...: ends with 2 and one line
    local pattern=$1 said code=0; shift
    said=$(docker run --rm "${locked[@]}" "$@" "$image" 2>&1) || code=$?
    echo "$said"
    [ $code = 2 ] && [ "$(wc -l <<<"$said")" = 1 ] && grep -qE "$pattern" <<<"$said"
}
is_healthy() { [ "$(docker inspect -f '{{.State.Health.Status}}' "$name")" = healthy ]; }

# For a shell in the container. A process may end while it is looked at, a health check for one.
# shellcheck disable=SC2034
see_processes='cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ || true'

# A grid on the machine's loopback, at the same ports of a container with a network of its own: through the bridge, by two relays.
into_its_network() { # CONTAINER PORT...
    local pid gateway
    pid=$(docker inspect -f '{{.State.Pid}}' "$1")
    gateway=$(docker inspect -f '{{range .NetworkSettings.Networks}}{{.Gateway}}{{end}}' "$1")
    # shellcheck disable=SC2046
    kill $(cat "$dir"/relay*.pid 2>/dev/null) 2>/dev/null || true
    shift
    node "$TOP/dist/test/container/relay.js" "$gateway" 127.0.0.1 "$@" & echo $! >"$dir/relay1.pid"
    nsenter -t "$pid" -n node "$TOP/dist/test/container/relay.js" 127.0.0.1 "$gateway" "$@" & echo $! >"$dir/relay2.pid"
}

port=$(free_port)
mkfifo "$dir/grid.in"
node "$TOP/dist/test/container/grid.js" "$dir" <"$dir/grid.in" &
echo $! >"$dir/grid.pid"
exec 8>"$dir/grid.in"
until_true 20 test -s "$dir/ports" || exit 1
chown -R "$uid:$uid" "$dir/certs"
chmod 755 "$dir"
# shellcheck disable=SC2034
read -r -a grid_ports <"$dir/ports"
tell() { # ORDER [ARGUMENT]: of the practice grid (grid.ts); prints its answer
    rm -f "$dir/answer"
    echo "$*" >&8
    until_true 20 test -e "$dir/answer"
    cat "$dir/answer"
    never grep '^fault' "$dir/answer"
}

parts=(scripts image compose life access kills grid pages)
for part in "${parts[@]}" measure; do
    # shellcheck disable=SC1090
    . "$TOP/test/container/parts/$part.sh"
done
[ $# -gt 0 ] || set -- "${parts[@]}"
# A check that fails in its middle must count as failed. (Called as a condition, below `||` or `if`, none would: set -e is off there.)
fails_in_its_middle() { false; true; }
check 'this one is meant to fail' fails_in_its_middle >/dev/null
[ $failed = 1 ] || { echo 'checks.sh: its own check cannot fail' >&2; exit 1; }
failed=0
for part in "$@"; do "part_$part"; done
for sentence in "${skipped[@]}"; do echo "SKIPPED $sentence"; done
# The first two as uvu has them, for whoever counts.
printf '  Total:     %s\n  Passed:    %s\n' $((passed + failed)) $passed
echo "$passed passed, $failed failed$([ ${#skipped[@]} = 0 ] || echo ", ${#skipped[@]} SKIPPED")"
[ $failed = 0 ] && [ $passed -gt 0 ]
