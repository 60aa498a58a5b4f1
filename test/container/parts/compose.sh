# shellcheck shell=bash disable=SC2016,SC2154
# compose.yaml and start.sh as they are shipped, with nothing but settings. Sourced by checks.sh.

part_compose() {
    fresh data
    export CONFIG_DIR=$dir/config NAME=$name CACHE_PREFIX=file:///here
    check 'start.sh brings it up and it answers on the published port' started
    check 'a dataset asked for by curl arrives on the disk, with the owner of the data directory' arrives
    check 'start.sh a second time changes nothing that runs' again
    check 'a shell has rucio, xrdcp, voms-proxy-info and desktop-rucio at work' shell_works
    check 'docker says healthy' until_true 30 is_healthy
    check 'no secret is in docker inspect, in the logs or in the environment' no_secret
    check 'docker compose stop ends it in time, with code 0' stops
    check 'after a stop and a start everything is still there' back
    check 'a mistyped data directory is an error, and is not made' mistyped
    docker rm -f "$name" >/dev/null 2>&1
}
start_sh() { # The engine's socket is root's here, so the script is; whose data it is says UID_GID as for any other user.
    sh "$TOP/container/start.sh" "$dir/certs" "$1" jdoe -e none -v "$VERSION" -p "$port" -f "$dir/secret" "${@:2}" </dev/null
}
started() {
    local began
    printf 'never-to-be-seen\n' >"$dir/secret"
    chown "$uid" "$dir/secret" && chmod 600 "$dir/secret"
    began=$(date +%s%N)
    UID_GID=$uid:$uid start_sh "$dir/data"
    echo "  measured $(ms_since "$began") ms from start.sh to healthy"
    curl -sf "localhost:$port/status"
    [ "$(docker port "$name" 8000)" = "127.0.0.1:$port" ]
    [ "$(docker inspect -f '{{.Config.User}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}}' "$name")" = "$uid:$uid true [ALL]" ]
}
arrives() {
    tell fast
    into_its_network "$name" "${grid_ports[@]}"
    until_true 20 state ready
    ask mc16_13TeV:mc16_13TeV.first
    until_true 60 word mc16_13TeV:mc16_13TeV.first local
    whole "$dir/data" mc16_13TeV.first
    curl -sf -X POST "localhost:$port/ds?ds_name=mc16_13TeV:mc16_13TeV.first" | grep '"file:///here/mc16_13TeV.first/first._000001.root"' >/dev/null
}
again() {
    local before
    before=$(docker inspect -f '{{.Id}} {{.State.StartedAt}}' "$name")
    UID_GID=$uid:$uid start_sh "$dir/data"
    [ "$(docker inspect -f '{{.Id}} {{.State.StartedAt}}' "$name")" = "$before" ]
}
shell_works() {
    docker exec -i "$name" /bin/bash -e <<'IN'
cd /app; source ./setup.sh
case $PS1 in desktop-rucio:*) ;; *) exit 1 ;; esac
rucio ping
rucio whoami
xrdcp --version
voms-proxy-info --version
fetch-crl --version
desktop-rucio list | grep mc16_13TeV.first
[ "$(ls /etc/grid-security/certificates | wc -l)" -gt 500 ]
IN
}
no_secret() {
    { docker inspect "$name"; docker logs "$name"; docker exec "$name" cat /proc/self/environ; cat "$dir/config/env"; cat "$dir/data/.rucio/logs/"*; } >"$dir/seen" 2>&1
    never grep -aE 'jdoe-secret|never-to-be-seen' "$dir/seen"
}
stops() {
    local began
    began=$(date +%s%N)
    sh "$TOP/container/start.sh" -s
    echo "  measured $(ms_since "$began") ms"
    [ "$(docker inspect -f '{{.State.ExitCode}} {{.State.OOMKilled}}' "$name")" = '0 false' ]
    [ "$(ms_since "$began")" -lt 10000 ]
}
back() {
    UID_GID=$uid:$uid start_sh "$dir/data"
    until_true 30 word mc16_13TeV:mc16_13TeV.first local
    whole "$dir/data" mc16_13TeV.first
}
mistyped() {
    never start_sh "$dir/dta"
    never env DATA="$dir/dta" CERTS="$dir/certs" docker compose -p "$name-2" -f "$TOP/container/compose.yaml" run --rm desktop-rucio >"$dir/said" 2>&1
    grep -qi 'does not exist\|no such file' "$dir/said"
    [ ! -e "$dir/dta" ]
}
