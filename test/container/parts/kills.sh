# shellcheck shell=bash disable=SC2016,SC2154
# Killed over and over in mid-transfer. Sourced by checks.sh. The practice grid counts each byte that it sends: what lay synced on the disk
# when the daemon died (its sidecars, and files under their final names) must not be sent again.

part_kills() {
    fresh kills
    local times=${KILLS:-20}
    check "killed $times times in mid-transfer, with another pid each time, no synced byte is fetched again, and it is at work within 10 s" kills "$times"
    docker rm -f "$name" >/dev/null 2>&1
}
kills() { # TIMES
    local n began had=0 all=() pids=()
    tell slow
    tell open "$dir/kills"
    one_more_life 0
    until_true 10 state ready
    ask mc16_13TeV:mc16_13TeV.long
    until_true 20 at_work
    pids+=("$(its_pid)")
    for ((n = 1; n <= $1; n++)); do
        until_true 30 kept_over $((had + 500000))
        never word mc16_13TeV:mc16_13TeV.long local
        docker kill -s KILL "$name"
        tell close | tee "$dir/kept"
        had=$(sed -n 's/^kept \([0-9]*\) .*/\1/p' "$dir/kept")
        began=$(date +%s%N)
        one_more_life "$n"
        until_true 20 at_work
        all+=("$(ms_since "$began")")
        pids+=("$(its_pid)")
        echo "  kill $n: at work again after ${all[-1]} ms as pid ${pids[-1]}"
    done
    echo "  measured from docker start to bytes on their way: $(spread "${all[@]}")"
    echo "  measured no byte of $had that lay there at the last kill came twice; pids ${pids[*]}"
    [ "$(printf '%s\n' "${all[@]}" | sort -n | tail -1)" -lt 10000 ]
    [ "$(printf '%s\n' "${pids[@]}" | sort -u | grep -c '^[1-9][0-9]*$')" = $(($1 + 1)) ]
    tell fast
    until_true 90 word mc16_13TeV:mc16_13TeV.long local
    whole "$dir/kills" mc16_13TeV.long
    docker stop "$name"
    tell close
}
# As many processes come before the daemon as the file says, so that its pid is another one each time. Every second time it is another
# container, with another name for its machine; else `docker start`, which reads the file anew.
one_more_life() { # NUMBER
    echo $(($1 * 17)) >"$dir/certs/forks"
    if [ $(($1 % 2)) = 1 ]; then
        docker start "$name"
        return
    fi
    docker rm -f "$name" || true
    on_host "$dir/kills" "$dir/certs" -e DESKTOP_RUCIO_CHECKPOINT_EVERY=0.5 --entrypoint tini "$image" \
        -s -- bash -c 'for _ in $(seq "$(cat /certs/forks)"); do /bin/true; done; /app/entrypoint; exit $?'
}
# As owner.json has it, and as the container does: the process of that id is the daemon.
its_pid() {
    local pid
    pid=$(node -p 'JSON.parse(require("node:fs").readFileSync(process.argv[1], "utf8")).pid' "$dir/kills/.rucio/owner.json")
    docker exec "$name" grep -qaF /app/dist/src/main.js "/proc/$pid/cmdline"
    echo "$pid"
}
kept_over() { [ "$(tell kept)" -gt "$1" ]; }
at_work() { [ "$(tell sent)" -gt 0 ] && state ready; }
spread() { # MS...
    printf '%s\n' "$@" | sort -n | awk '{ a[NR] = $1 } END { printf "min %d, median %d, max %d ms of %d", a[1], a[int((NR + 1) / 2)], a[NR], NR }'
}
