# shellcheck shell=bash disable=SC2016,SC2154
# The figures of RESULTS.md: time to the first answer, memory idle and at work, CPU of the health check. Sourced by checks.sh; run by name only.

part_measure() {
    fresh measured
    check 'figures: from docker run to the first answer, and to ready' first_answer
    check 'figures: memory idle, health check, CPU of a minute without work' idle_figures
    check 'figures: memory at work' work_figures
    docker rm -f "$name" >/dev/null 2>&1
}
first_answer() {
    local began n
    tell fast
    for n in 1 2 3; do
        docker rm -f "$name" || true
        began=$(date +%s%N)
        on_host "$dir/measured" "$dir/certs" "$image"
        until curl -sf "localhost:$port/" >/dev/null; do sleep 0.02; done
        echo "  measured start $n: first answer after $(ms_since "$began") ms"
        until_true 20 state ready
        docker stop "$name"
    done
    docker start "$name"
    until_true 20 state ready
}
idle_figures() {
    local before after
    sleep 20
    memory idle
    before=$(cpu_ns)
    sleep 60
    after=$(cpu_ns)
    echo "  measured a minute without work: $(((after - before) / 1000000)) ms of CPU for all in the container, its six health checks among them"
    docker exec "$name" bash -c 'TIMEFORMAT="%U %S"; time for _ in {1..50}; do /app/healthcheck; done' 2>&1 |
        awk '{ printf "  measured one health check: %.1f ms of CPU (user and system, of 50)\n", ($1 + $2) * 20 }'
}
work_figures() {
    ask mc16_13TeV:mc16_13TeV.long
    until_true 120 word mc16_13TeV:mc16_13TeV.long local
    memory 'after a dataset of 267 MB'
}
group() { # FILE OF VERSION 1, FILE OF VERSION 2: of the container's cgroup
    local id at
    id=$(docker inspect -f '{{.Id}}' "$name")
    for at in "/sys/fs/cgroup/${1%%.*}/docker/$id/$1" "/sys/fs/cgroup/docker/$id/$2" "/sys/fs/cgroup/system.slice/docker-$id.scope/$2"; do
        if [ -r "$at" ]; then cat "$at"; return; fi
    done
    echo 0
}
cpu_ns() {
    local text
    text=$(group cpuacct.usage cpu.stat)
    if [[ $text =~ usage_usec\ ([0-9]+) ]]; then echo $((BASH_REMATCH[1] * 1000)); else echo "$text"; fi
}
memory() { # WHEN
    local pid sum=0 mib
    for pid in $(docker top "$name" -eo pid | tail -n +2); do
        sum=$((sum + $(awk '/^VmHWM/ { print $2 }' "/proc/$pid/status")))
    done
    mib=$((1024 * 1024))
    echo "  measured memory $1: $((sum / 1024)) MiB (VmHWM of all its processes); cgroup now $(($(group memory.usage_in_bytes memory.current) / mib)) MiB," \
        "at most $(($(group memory.max_usage_in_bytes memory.peak) / mib)) MiB with what the kernel keeps of files"
}
