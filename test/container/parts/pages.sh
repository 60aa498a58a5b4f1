# shellcheck shell=bash disable=SC2016,SC2034,SC2154
# The commands of README.md and container/README.md, taken from the pages as they stand there and run in a fresh clone by a user who is
# not root. Sourced by checks.sh. The page's `docker build` has been run by build.sh. Nothing is copied from a page into here save the
# headings: commands under one that is not known here are a failure.

part_pages() {
    [ "$OWN_ENGINE" = no ] || docker rm -f desktop-rucio >/dev/null 2>&1 # of a run that was killed
    if docker container inspect desktop-rucio >/dev/null 2>&1; then
        skip 'the commands of the pages: there is a container desktop-rucio on this machine already, which is not touched'
        return
    fi
    home=$dir/home
    mkdir -p "$home/.globus" "$home/rucio"
    cp "$dir/certs/"{rucio.cfg,practice-ca.pem} "$home/.globus/"
    chown -R "$uid:$uid" "$home" "$CLONE"
    [ "$OWN_ENGINE" = no ] || chmod 666 /run/docker.sock # as the group docker would
    mkdir "$dir/blocks"
    # Whoever starts a container here gives it the practice grid.
    docker events --filter event=start --filter container=desktop-rucio --format '{{.ID}}' | while read -r id; do
        into_its_network "$id" "${grid_ports[@]}"
    done &
    echo $! >"$dir/events.pid"
    tell fast
    page README.md
    page container/README.md
    kill "$(cat "$dir/events.pid")" 2>/dev/null
    docker rm -f desktop-rucio >/dev/null 2>&1
    chown -R "$(id -u):$(id -g)" "$CLONE"
}
page() { # PAGE
    local number heading at block
    at=$dir/blocks/$(tr / - <<<"$1")
    node "$TOP/dist/test/container/pages.js" "$CLONE/$1" "$at" >"$dir/index"
    chmod -R go+rX "$dir/blocks"
    while IFS=$'\t' read -r number heading <&7; do
        block=$at/$number
        case "$1: $heading" in
            'README.md: In a container' | 'container/README.md: Docker, on Linux and macOS')
                if grep -qF '.ps1' "$block"; then continue; fi # for PowerShell
                check "$1, \"$heading\": its commands bring a dataset to the user's disk" page_start "$block"
                ;;
            'container/README.md: Docker Compose') check "$1, \"$heading\": its commands start it and stop it" page_compose "$block" ;;
            'container/README.md: A shell in it') check "$1, \"$heading\": its lines, typed at a terminal, give the tools" page_shell "$block" ;;
            'container/README.md: Building it') ;; # build.sh
            'container/README.md: '*) check "$1, \"$heading\": its commands are run by another test" known_elsewhere "$heading" ;;
            *) ;; # what needs no container
        esac
    done 7<"$dir/index"
}
as_user() { # COMMAND...: in the clone
    local who=()
    [ "$(id -u)" != 0 ] || who=(setpriv "--reuid=$uid" "--regid=$uid" --clear-groups)
    (cd "$CLONE" && "${who[@]}" env -i HOME="$home" PATH="$PATH" TERM=xterm DOCKER_HOST="${DOCKER_HOST:-unix:///var/run/docker.sock}" \
        DOCKER_CONFIG="${DOCKER_CONFIG:-$HOME/.docker}" "$@" 8>&-)
}
page_start() { # BLOCK
    as_user bash -eu "$1" </dev/null | tee "$dir/said"
    # curl ends with 0 whatever the answer is.
    if grep -q 'curl ' "$1"; then grep -qE '"status":"(downloading|local)"' "$dir/said"; fi
    [ "$(docker inspect -f '{{.Config.User}}' desktop-rucio)" = "$uid:$uid" ]
    port=8000
    ask user.jdoe:user.jdoe.sample.v1 || word user.jdoe:user.jdoe.sample.v1 local
    until_true 60 word user.jdoe:user.jdoe.sample.v1 local
    whole "$home/rucio" user.jdoe.sample.v1
}
page_compose() { # BLOCK
    awk '{ print } /^cp .*env.example/ { print "bash \"$HOME/set-yours\"" }' "$1" >"$dir/blocks/compose"
    cat >"$home/set-yours" <<IN
set -eu
yours() { grep -q "^\$1=" container/.env; sed -i "s|^\$1=.*|\$1=\$2|" container/.env; }
yours DATA '$home/rucio'
yours RUCIO_ACCOUNT jdoe
yours CERTS '$home/.globus'
yours UID_GID '$uid:$uid'
yours GRID_PASSWORD_FILE '$home/password'
IN
    (umask 077; echo never-to-be-seen >"$home/password")
    chown -R "$uid:$uid" "$home"
    as_user bash -eu "$dir/blocks/compose" </dev/null
    [ "$(docker inspect -f '{{.State.Status}} {{.State.ExitCode}}' desktop-rucio)" = 'exited 0' ]
    port=8000
    docker start desktop-rucio
    until_true 20 state ready
    word user.jdoe:user.jdoe.sample.v1 local
}
page_shell() { # BLOCK
    local line
    mkfifo "$dir/typed"
    as_user timeout --foreground 120 script -qefc bash "$home/typescript" <"$dir/typed" >/dev/null &
    exec 6>"$dir/typed"
    while IFS= read -r line <&5; do
        until_true 20 prompt
        echo "$line" >&6
        sleep 0.5
    done 5<"$1"
    until_true 20 prompt
    echo 'rucio whoami && xrdcp --version && voms-proxy-info --version && desktop-rucio list && echo every"thing" works' >&6
    until_true 30 grep -q '^everything works' "$home/typescript" || { tail -20 "$home/typescript"; return 1; }
    grep -q 'desktop-rucio:/app' "$home/typescript"
    grep -q 'user.jdoe.sample.v1' "$home/typescript"
    # One line for each of the two shells, when it is there to read it.
    echo exit >&6
    until_true 10 back_outside
    echo exit >&6
    exec 6>&-
    wait $!
}
back_outside() { tail -n 1 "$home/typescript" | grep -qF "${CLONE##*/}"; }
prompt() { [[ "$(tail -c 2 "$home/typescript")" == [\$\#]' ' ]]; }
known_elsewhere() { # HEADING: ways.sh, or none: what each needs is no Docker engine
    case $1 in
        Apptainer* | Podman* | 'Without a container' | 'How it is tested') ;;
        *) echo "  no test knows the commands under \"$1\""; return 1 ;;
    esac
}
