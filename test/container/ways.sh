#!/usr/bin/env bash
# ways.sh [PART...]: the ways without Docker, each as its page under container/ says: every indented line of the page is run by a plain user
# of a Debian of its own, and a dataset arrives. Parts: npm, systemd, podman, apptainer; without any all of them, in that order.
#   WAYS_DIR   where the Debians lie (default below the temporary directory; kept for the next time, 3 GB)
# Not part of test:container, since it takes some ten minutes from nothing. The last line is `N passed, N failed`. Exit 77 with
# `skipped: REASON` where it cannot run: it needs root, debootstrap and namespaces.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
skip() { echo "skipped: $*"; exit 77; }
work=$(mkdir -p "${WAYS_DIR:-${TMPDIR:-/tmp}/desktop-rucio-ways}" && cd "${WAYS_DIR:-${TMPDIR:-/tmp}/desktop-rucio-ways}" && pwd)
jane=12345
passed=0 failed=0

# ---- one part, in a network of its own where the practice grid is
if [ "${INSIDE:-}" = yes ]; then # PART NAME STEP
    [ "$3" = fetch ] || ip link set lo up
    dir=$(mktemp -d "$work/run-XXXXXX")
    chown $jane:$jane "$dir"
    chmod 755 "$dir"
    mkfifo "$dir/grid.in"
    node "$top/dist/test/container/grid.js" "$dir" <"$dir/grid.in" &
    exec 8>"$dir/grid.in"
    for _ in $(seq 100); do [ -s "$dir/ports" ] && break; sleep 0.1; done
    bash "$here/ways/root.sh" "$work/$2" "$work" bash "$work/ways/jane.sh" "$1" "$dir" "$3"
    code=$?
    exec 8>&-
    wait
    rm -rf "$dir"
    exit $code
fi

[ "$(id -u)" = 0 ] || skip 'not root'
unshare -m -p -f -n -C --mount-proc true 2>/dev/null || skip 'no right to make namespaces'
[ "$(df -Pk "$work" | awk 'NR == 2 { print $4 }')" -gt 6000000 ] || skip 'less than 6 GB free'
command -v debootstrap >/dev/null || { apt-get update -qq && apt-get install -y -qq debootstrap; } >"$work/apt.log" 2>&1 || skip "no debootstrap, see $work/apt.log"
exec 9>"$work/lock"
flock -w 600 9 || { echo "ways.sh: another one works in $work" >&2; exit 1; }

debian() { # NAME SUITE PACKAGES
    [ -e "$work/$1/made" ] && return
    rm -rf "${work:?}/$1"
    # shellcheck disable=SC2016
    debootstrap --variant=minbase --include="ca-certificates,curl,openssl,procps,systemd,dbus-user-session,$3" "$2" "$work/$1" \
        "$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep 'debian/$' | sort -u | head -1)" >"$work/$1.log" 2>&1 ||
        { tail -3 "$work/$1.log" >&2; exit 1; }
    printf '127.0.0.1 localhost\n::1 localhost\n' >"$work/$1/etc/hosts"
    chroot "$work/$1" useradd -u $jane -m -s /bin/bash jane
    printf 'jane:100000:65536\n' | tee "$work/$1/etc/subuid" >"$work/$1/etc/subgid"
    # What this machine trusts, for npm and pip.
    cp /etc/ssl/certs/ca-certificates.crt "$work/$1/etc/ssl/certs/ca-certificates.crt"
    touch "$work/$1/made"
}
fresh() { # NAME: jane's home and disk as they are before the first command
    rm -rf "$work/$1/home/jane" "$work/$1/big" "$work/$1/scratch"
    mkdir -p "$work/$1/home/jane/.globus" "$work/$1/big/disk/rucio" "$work/$1/scratch/jane/rucio"
    chown -R $jane:$jane "$work/$1/home/jane" "$work/$1/big/disk/rucio" "$work/$1/scratch/jane"
    cp /etc/resolv.conf "$work/$1/etc/resolv.conf"
}

step() { # PART NAME STEP
    local net=(-n) code
    [ "$3" = run ] || net=()
    INSIDE=yes unshare -m "${net[@]}" --propagation private timeout -k 5 900 bash "$here/ways.sh" "$@" | tee "$work/said"
    code=${PIPESTATUS[0]}
    passed=$((passed + $(grep -c '^ok ' "$work/said")))
    failed=$((failed + $(grep -c '^FAILED ' "$work/said")))
    if [ "$code" != 0 ] && ! grep -q '^FAILED ' "$work/said"; then
        echo "FAILED  $1 ($3) ended with $code"
        failed=$((failed + 1))
    fi
}
checkout() { # NAME: what git knows, as a fresh clone of jane's has it
    mkdir "$work/$1/home/jane/desktop-rucio"
    git -C "$top" ls-files -z | tar -C "$top" --null -T - -cf - | tar -C "$work/$1/home/jane/desktop-rucio" -xf -
    chown -R $jane:$jane "$work/$1/home/jane/desktop-rucio"
}

cd "$top" || exit 1
[ -d dist/test ] || npm run -s build
rm -rf "$work/ways" && cp -r "$here/ways" "$work/ways"
export BASES=$work
TARS=only bash "$here/base.sh" "$work" || exit 1
debian trixie trixie podman,crun,buildah,uidmap,netavark,aardvark-dns,passt
began=$SECONDS
for part in "${@:-npm systemd podman apptainer}"; do
    for each in $part; do
        echo "== $each"
        case $each in
            npm)
                tar -C "$work/trixie" -xf "$work/node.tar" ./usr/local
                fresh trixie
                checkout trixie
                cp -a node_modules "$work/trixie/home/jane/desktop-rucio/" && chown -R $jane:$jane "$work/trixie/home/jane/desktop-rucio"
                step npm trixie fetch
                step npm trixie run
                ;;
            systemd) step systemd trixie run ;; # after npm, as its page says
            podman)
                fresh trixie
                checkout trixie
                step podman trixie fetch
                mv -f "$work/trixie/home/jane/desktop-rucio.tar" "$work/"
                step podman trixie run
                ;;
            apptainer)
                [ -s "$work/desktop-rucio.tar" ] || { echo 'ways.sh: the archive comes of the part podman' >&2; exit 1; }
                debian sid sid apptainer,squashfuse,fuse3
                fresh sid
                checkout sid
                step apptainer sid run
                ;;
            *) echo "ways.sh: there is no part $each" >&2; exit 2 ;;
        esac
    done
done
echo "ways: $((SECONDS - began)) s" >&2
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
