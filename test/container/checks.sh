#!/usr/bin/env bash
# shellcheck disable=SC2016 # what stands in single quotes is for the shell in the container
# checks.sh [PART...]: what must hold of the image in a running engine; run.sh calls it. Each check is a sentence; the last line counts them.
set -uo pipefail
dir=$(mktemp -d "${TMPDIR:-/tmp}/dr-container-XXXXXX")
passed=0 failed=0
uid=12345 # nobody's, and not the image's own
# shellcheck disable=SC2054
locked=(--read-only --tmpfs /tmp:mode=1777,size=512m --cap-drop ALL --security-opt no-new-privileges)
# shellcheck disable=SC2153
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
        docker logs --tail 5 "$name" 2>&1 | sed 's/^/  it said: /'
        curl -s -m 5 "localhost:$port/datasets" | cut -c1-1500 | sed 's/^/  datasets: /'
    fi
}

end() {
    docker rm -f "$name" >/dev/null 2>&1
    # shellcheck disable=SC2046
    kill $(cat "$dir"/*.pid 2>/dev/null) 2>/dev/null
    [ -z "${grid_dir:-}" ] || bash "$TOP/test/grid/down.sh" "$grid_dir" >/dev/null 2>&1
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

fresh() { # NAME: an empty data directory of uid
    rm -rf "${dir:?}/$1"
    mkdir "$dir/$1"
    chown "$uid:$uid" "$dir/$1"
}

run() { # ARGUMENT...: the container in the background, as uid; options before --, a command after
    docker run -d --name "$name" --user "$uid:$uid" "${locked[@]}" "$@"
}
mounts() { echo "--mount type=bind,source=$1,target=/data --mount type=bind,source=$2,target=/certs,readonly"; }
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

port=$(free_port)
mkfifo "$dir/grid.in"
node "$TOP/dist/test/container/grid.js" "$dir" <"$dir/grid.in" &
grid=$!
echo $grid >"$dir/grid.pid"
exec 8>"$dir/grid.in"
until_true 20 test -s "$dir/ports" || exit 1
chown -R "$uid:$uid" "$dir/certs"
chmod 755 "$dir"
read -r -a grid_ports <"$dir/ports"

# ---- each part
part_scripts() {
    check 'shellcheck finds nothing in the scripts' find_nothing shellcheck
    check 'hadolint finds nothing in the Dockerfile' find_nothing hadolint
    check 'compose takes its file, and says what is not set' compose_file
}
find_nothing() {
    case $1 in
        shellcheck)
            has shellcheck || return 0
            (cd "$TOP" && shellcheck -x container/{start.sh,entrypoint,healthcheck,prepare.sh,setup.sh,update-certificates} test/container/*.sh)
            ;;
        hadolint)
            has hadolint || return 0
            hadolint "$TOP/container/Dockerfile"
            ;;
    esac
}
has() { command -v "$1" >/dev/null || { echo "  measured nothing: no $1 here"; return 1; }; }
compose_file() {
    DATA=$dir/certs CERTS=$dir/certs docker compose -f "$TOP/container/compose.yaml" config -q
    never docker compose -f "$TOP/container/compose.yaml" config -q 2>"$dir/said"
    grep -q 'set DATA to the directory' "$dir/said"
}

part_image() {
    check 'without a mount it says so, and ends with 2' refused 'nothing is mounted at /data'
    fresh wrong
    check 'another user than the owner of the data is told which --user works' refused "start with --user $uid:$uid" --user 4711:4711 --mount "type=bind,source=$dir/wrong,target=/data"
    check 'a read-only data directory is told' refused 'mount it without :ro' --user "$uid:$uid" --mount "type=bind,source=$dir/wrong,target=/data,readonly"
    check 'without certificates it says what may lie there' refused 'holds neither usercert.pem and userkey.pem' --user "$uid:$uid" --mount "type=bind,source=$dir/wrong,target=/data"
    mkdir "$dir/foreign"
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$dir/foreign/userkey.pem" -out "$dir/foreign/usercert.pem" -days 2 -subj /DC=org/CN=Jane 2>/dev/null
    chmod 400 "$dir/foreign/userkey.pem"
    check 'a key of another user is told with its owner and mode' refused 'may not read /certs/userkey.pem, which belongs to 0:0 with mode 400' --user "$uid:$uid" --mount "type=bind,source=$dir/wrong,target=/data" --mount "type=bind,source=$dir/foreign,target=/certs,readonly"
    chown -R "$uid:$uid" "$dir/foreign"
    check 'without an account it asks for one' refused 'set RUCIO_ACCOUNT' --user "$uid:$uid" -e EXPERIMENT=atlas --mount "type=bind,source=$dir/wrong,target=/data" --mount "type=bind,source=$dir/foreign,target=/certs,readonly"
    check 'an experiment that is not known is told with those that are' refused 'known are atlas, cms' --user "$uid:$uid" -e EXPERIMENT=opera --mount "type=bind,source=$dir/wrong,target=/data" --mount "type=bind,source=$dir/foreign,target=/certs,readonly"
    check 'a p12 with a password file of Windows becomes certificate and key in memory' p12
    check 'CVMFS is taken up on sight' cvmfs
    check 'the image is no larger than 400 MB' small
}
p12() {
    mkdir -p "$dir/p12"
    printf 'open sesame\r\n' >"$dir/password"
    openssl pkcs12 -export -legacy -in "$dir/foreign/usercert.pem" -inkey "$dir/foreign/userkey.pem" -passout 'pass:open sesame' -out "$dir/p12/grid.p12" 2>/dev/null ||
        openssl pkcs12 -export -in "$dir/foreign/usercert.pem" -inkey "$dir/foreign/userkey.pem" -passout 'pass:open sesame' -out "$dir/p12/grid.p12"
    chown -R "$uid:$uid" "$dir/p12" "$dir/password"
    chmod 400 "$dir/p12/grid.p12" "$dir/password"
    local common=(--rm "${locked[@]}" --user "$uid:$uid" -e RUCIO_ACCOUNT=jane -e RUCIO_URL=https://localhost:1
        --mount "type=bind,source=$dir/wrong,target=/data" --mount "type=bind,source=$dir/p12,target=/certs,readonly")
    docker run "${common[@]}" --mount "type=bind,source=$dir/password,target=/run/secrets/grid_password,readonly" --entrypoint /bin/bash "$image" -ec '
        . /app/prepare.sh; prepare
        cd "$DESKTOP_RUCIO_CERT_DIR"
        [ "$(stat -c %a userkey.pem)" = 400 ]
        grep -q ENCRYPTED userkey.pem
        # What the maker of proxies does with it, as far as no server is needed.
        printf "open sesame\n" | voms-proxy-init -pwstdin -cert usercert.pem -key userkey.pem -out /tmp/p -bits 2048 2>&1 || true
        grep -q "BEGIN CERTIFICATE" /tmp/p'
    printf 'wrong\n' >"$dir/password"
    never docker run "${common[@]}" --mount "type=bind,source=$dir/password,target=/run/secrets/grid_password,readonly" "$image" >"$dir/said" 2>&1
    grep -q 'the password does not open /certs/grid.p12' "$dir/said"
}
cvmfs() {
    mkdir -p "$dir/cvmfs/grid.cern.ch/etc/grid-security/"{certificates,vomsdir,vomses}
    docker run --rm "${locked[@]}" --user "$uid:$uid" --mount "type=bind,source=$dir/wrong,target=/data" --mount "type=bind,source=$dir/certs,target=/certs,readonly" \
        --mount "type=bind,source=$dir/cvmfs,target=/cvmfs,readonly" --entrypoint /bin/bash "$image" -ec '. /app/prepare.sh; prepare
        at=/cvmfs/grid.cern.ch/etc/grid-security
        [ "$X509_CERT_DIR $X509_VOMS_DIR $VOMS_USERCONF" = "$at/certificates $at/vomsdir $at/vomses" ]'
}
small() {
    local bytes
    bytes=$(docker image inspect -f '{{.Size}}' "$image")
    echo "  measured $((bytes / 1000000)) MB"
    [ "$bytes" -le 400000000 ]
}

# The files as they are shipped, with nothing but settings; the practice grid comes into the container's own network.
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
is_healthy() { [ "$(docker inspect -f '{{.State.Health.Status}}' "$name")" = healthy ]; }
into_its_network() {
    local pid
    pid=$(docker inspect -f '{{.State.Pid}}' "$name")
    # shellcheck disable=SC2046
    kill $(cat "$dir"/relay*.pid 2>/dev/null) 2>/dev/null || true
    local gateway
    gateway=$(docker inspect -f '{{range .NetworkSettings.Networks}}{{.Gateway}}{{end}}' "$name")
    node "$TOP/dist/test/container/relay.js" "$gateway" 127.0.0.1 "${grid_ports[@]}" & echo $! >"$dir/relay1.pid"
    nsenter -t "$pid" -n node "$TOP/dist/test/container/relay.js" 127.0.0.1 "$gateway" "${grid_ports[@]}" & echo $! >"$dir/relay2.pid"
}
started() {
    local began
    printf 'never-to-be-seen\n' >"$dir/secret"
    chown "$uid" "$dir/secret" && chmod 600 "$dir/secret"
    began=$(date +%s%N)
    UID_GID=$uid:$uid start_sh "$dir/data"
    echo "  measured $((($(date +%s%N) - began) / 1000000)) ms from start.sh to healthy"
    curl -sf "localhost:$port/status"
    [ "$(docker port "$name" 8000)" = "127.0.0.1:$port" ]
    [ "$(docker inspect -f '{{.Config.User}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}}' "$name")" = "$uid:$uid true [ALL]" ]
}
arrives() {
    kill -USR2 $grid
    into_its_network
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
    echo "  measured $((($(date +%s%N) - began) / 1000000)) ms"
    [ "$(docker inspect -f '{{.State.ExitCode}} {{.State.OOMKilled}}' "$name")" = '0 false' ]
    [ $((($(date +%s%N) - began) / 1000000000)) -lt 10 ]
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

# In the network of the machine, where the grid is.
on_host() { # DATA CERTS [ARGUMENT...]
    # shellcheck disable=SC2046
    run --network host -e DESKTOP_RUCIO_HOST=127.0.0.1 -e "DESKTOP_RUCIO_PORT=$port" $(mounts "$1" "$2") "${@:3}"
}
part_life() {
    fresh life
    check 'it writes nothing into its own file system: docker diff is empty' nothing_written
    check 'another --user goes on with a directory that was given to it' other_user
    check 'children that lost their parents are reaped' no_zombies
    docker rm -f "$name" >/dev/null 2>&1
}
nothing_written() {
    kill -USR2 $grid
    docker rm -f "$name" || true
    # Without --read-only, so that what would be written is seen.
    # shellcheck disable=SC2046
    docker run -d --name "$name" --user "$uid:$uid" --tmpfs /tmp:mode=1777 --cap-drop ALL --network host -e DESKTOP_RUCIO_HOST=127.0.0.1 -e "DESKTOP_RUCIO_PORT=$port" \
        $(mounts "$dir/life" "$dir/certs") "$image"
    until_true 20 state ready
    ask mc16_13TeV:mc16_13TeV.other
    until_true 30 word mc16_13TeV:mc16_13TeV.other local
    docker exec "$name" bash -ec 'cd /app; source ./setup.sh; rucio whoami; desktop-rucio list; /app/healthcheck'
    docker stop "$name"
    docker diff "$name" | tee "$dir/diff"
    [ ! -s "$dir/diff" ]
    docker rm "$name"
}
other_user() {
    local before=$uid
    docker rm -f "$name" || true
    uid=4242
    chown -R 4242:4242 "$dir/life" "$dir/certs"
    on_host "$dir/life" "$dir/certs" "$image"
    until_true 20 state ready
    until_true 20 word mc16_13TeV:mc16_13TeV.other local
    ask mc16_13TeV:mc16_13TeV.first
    until_true 30 word mc16_13TeV:mc16_13TeV.first local
    whole "$dir/life" mc16_13TeV.first
    chown -R "$before:$before" "$dir/certs"
}
no_zombies() {
    for _ in 1 2 3; do docker exec "$name" bash -c '(sleep 0.3 &) ; (sleep 0.3 &)'; done
    sleep 0.6
    docker exec "$name" bash -c 'cat /proc/[0-9]*/status' >"$dir/seen"
    never grep '^State:.Z' "$dir/seen"
}

part_kills() {
    fresh kills
    check "killed ${KILLS:-20} times in mid-transfer, with another pid each time, it loses nothing and is at work within 10 s" kills
    docker rm -f "$name" >/dev/null 2>&1
}
kills() {
    local n began ms most=0 had=0 now pids=''
    kill -USR1 $grid
    for n in $(seq "${KILLS:-20}"); do
        began=$(date +%s%N)
        if [ $((n % 2)) = 1 ]; then
            # Another container, with another name for its machine; its daemon has another pid.
            docker rm -f "$name" || true
            on_host "$dir/kills" "$dir/certs" -e DESKTOP_RUCIO_CHECKPOINT_EVERY=0.5 --entrypoint tini "$image" \
                -s -- bash -c "for _ in $(seq -s ' ' "$n"); do /bin/true; done; /app/entrypoint; exit \$?"
        else
            docker start "$name"
        fi
        if [ "$n" = 1 ]; then
            until_true 10 state ready
            ask mc16_13TeV:mc16_13TeV.long
        fi
        until_true 15 at_work
        ms=$((($(date +%s%N) - began) / 1000000))
        [ $ms -le $most ] || most=$ms
        now=$(so_far)
        echo "  kill $n: $ms ms, $now bytes, $had before"
        [ "$now" -ge "$had" ]
        pids+=" $(grep -o '"pid": *[0-9]*' "$dir/kills/.rucio/owner.json" | tr -dc 0-9)"
        until_true 20 so_far_over $((now + 500000))
        had=$(so_far)
        never word mc16_13TeV:mc16_13TeV.long local
        docker kill -s KILL "$name"
    done
    echo "  measured at most $most ms from docker start to bytes on their way; $had bytes by then; pids$pids"
    [ $most -lt 10000 ]
    [ "$(tr ' ' '\n' <<<"$pids" | sort -u | wc -l)" -gt 2 ]
    docker start "$name"
    until_true 20 at_work
    docker stats --no-stream --format '  measured at work {{.MemUsage}}' "$name"
    kill -USR2 $grid
    until_true 90 word mc16_13TeV:mc16_13TeV.long local
    whole "$dir/kills" mc16_13TeV.long
}
# Bytes that the daemon has synced and counted of all datasets, and whether more are on their way.
so_far() { curl -sf "localhost:$port/datasets" | node -pe 'JSON.parse(require("node:fs").readFileSync(0, "utf8")).datasets.reduce((sum, { bytes }) => sum + (bytes.so_far ?? 0), 0)'; }
so_far_over() { [ "$(so_far)" -gt "$1" ]; }
at_work() { state ready && curl -sf "localhost:$port/datasets" | grep '"rate":[1-9]' >/dev/null; }

part_grid() {
    if [ ! -d "${GRID_VENVS:-$TOP/.grid}/venv-server" ]; then
        echo 'skipped: a real Rucio server, which needs a grid that test:grid has made (GRID_VENVS)'
        return
    fi
    grid_dir=$dir/g
    mkdir "$grid_dir"
    check 'a real Rucio server and its storages are up' real_up
    check 'with a key that has a password it makes its proxy, and brings what only a certificate opens' real_job
    check 'in its shell the official client, xrdcp and voms-proxy-info use that proxy' real_shell
    check 'neither password nor key is in docker inspect or the logs' real_secrets
    docker rm -f "$name" >/dev/null 2>&1
}
real_up() { GRID_VENVS=${GRID_VENVS:-$TOP/.grid} bash "$TOP/test/grid/up.sh" "$grid_dir"; }
real_job() {
    # shellcheck disable=SC1091
    . "$grid_dir/env.sh"
    fresh real
    mkdir "$dir/real-certs"
    cp "$USER_CERT" "$dir/real-certs/usercert.pem"
    cp "$USER_KEY" "$dir/real-certs/userkey.pem"
    cp -rL "$X509_CERT_DIR" "$dir/real-certs/certificates"
    printf '%s\r\n' "$USER_KEY_PASSWORD" >"$dir/real-password"
    chown -R "$uid:$uid" "$dir/real-certs" "$dir/real-password"
    chmod 777 "$dir/real-certs/userkey.pem" # as a share of Windows shows it
    chmod 400 "$dir/real-password"
    on_host "$dir/real" "$dir/real-certs" -e RUCIO_ACCOUNT=jdoe -e "RUCIO_URL=$RUCIO_URL" \
        --mount "type=bind,source=$dir/real-password,target=/run/secrets/grid_password,readonly" "$image"
    until_true 20 state ready
    local ds=mc16_13TeV:mc16_13TeV.000007.xrd1only_tid09
    ask $ds
    until_true 60 word $ds local
    [ "$(find "$dir/real/${ds#*:}" -maxdepth 1 -name '*.root' -size 2097152c -uid "$uid" | wc -l)" = 2 ] ||
        { ls -la "$dir/real/${ds#*:}"; return 1; }
}
real_shell() {
    # shellcheck disable=SC1091
    . "$grid_dir/env.sh"
    docker exec -i "$name" /bin/bash -e <<IN
cd /app; source ./setup.sh
rucio whoami | grep jdoe
voms-proxy-info -all | grep 'Jane Doe'
xrdfs root://localhost:$GRID_XRD1_PORT ls /rucio
desktop-rucio list | grep xrd1only
IN
}
real_secrets() {
    { docker inspect "$name"; docker logs "$name"; cat "$dir/real/.rucio/logs/"*; } >"$dir/seen" 2>&1
    never grep -aE 'open-sesame|PRIVATE KEY' "$dir/seen"
}

for part in "${@:-}"; do
    for each in ${part:-scripts image compose life kills grid}; do "part_$each"; done
done
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
