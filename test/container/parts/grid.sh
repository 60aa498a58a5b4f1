# shellcheck shell=bash disable=SC2016,SC2154
# A real Rucio server with XRootD storages and a real VOMS server, which run.sh has made: compose.yaml as it is shipped, a certificate
# directory with an encrypted key, vomses and vomsdir. Sourced by checks.sh.

part_grid() {
    if [ -z "$REAL_GRID" ]; then
        skip "a real Rucio server with VOMS: ${NO_GRID:-it was not made}"
        return
    fi
    grid_dir=$REAL_GRID
    check 'a real Rucio server, its storages and a VOMS server are up' real_up
    check 'compose brings it up with data and certificate directory, and it makes a proxy with the attributes of the VO' real_start
    check 'it brings what only a certificate opens to the disk, with the owner of the data directory' real_job
    check 'in its shell rucio, xrdcp and voms-proxy-info use that proxy, and voms-proxy-info shows the VO' real_shell
    check 'password and key are in no docker inspect, log, environment, argument or file of the data directory' real_secrets
    check 'a .p12 in place of the two files does the same, and its key lies in memory alone' real_p12
    check 'a wrong password is told with the cure' real_wrong_password
    real_compose down -t 5 >/dev/null 2>&1
}
end_real_grid() {
    bash "$TOP/test/grid/voms/down.sh" "$grid_dir" >/dev/null 2>&1
    bash "$TOP/test/grid/down.sh" "$grid_dir" >/dev/null 2>&1
}
real_up() {
    bash "$TOP/test/grid/up.sh" "$grid_dir"
    bash "$TOP/test/grid/voms/up.sh" "$grid_dir"
}
real_env() {
    # shellcheck disable=SC1091
    . "$grid_dir/env.sh"
    real_voms_port=$((15000 + $(cat "$grid_dir/run/shift")))
    real_ports=("$GRID_RUCIO_PORT" "$GRID_XRD1_PORT" "$GRID_XRD1_HTTP" "$GRID_XRD2_PORT" "$GRID_XRD2_HTTP" "$real_voms_port")
}
real_compose() { # its settings alone; the file is the one of a fresh clone
    DATA=$dir/real CERTS=$dir/real-certs UID_GID=$uid:$uid PORT=$port VERSION=$VERSION NAME=$name EXPERIMENT=none RUCIO_ACCOUNT=jdoe \
        RUCIO_URL=https://localhost:${GRID_RUCIO_PORT:-0} GRID_VOMS=testvo GRID_PASSWORD_FILE=$dir/real-password \
        docker compose -p "$name" -f "$CLONE/container/compose.yaml" "$@"
}
real_start() {
    real_env
    docker rm -f "$name" || true
    fresh real
    mkdir "$dir/real-certs"
    cp "$USER_CERT" "$dir/real-certs/usercert.pem"
    cp "$USER_KEY" "$dir/real-certs/userkey.pem"
    grep -q ENCRYPTED "$dir/real-certs/userkey.pem"
    cp -rL "$X509_CERT_DIR" "$dir/real-certs/certificates"
    cp -r "$grid_dir/voms/vomses" "$grid_dir/voms/vomsdir" "$dir/real-certs/"
    printf '%s\r\n' "$USER_KEY_PASSWORD" >"$dir/real-password" # as Notepad writes it
    chown -R "$uid:$uid" "$dir/real-certs" "$dir/real-password"
    chmod 777 "$dir/real-certs/userkey.pem" # as a share of Windows shows it
    chmod 600 "$dir/real-password"
    # What its processes have for arguments and environment, from its start until the proxy is there.
    watch_processes "$dir/watched" &
    echo $! >"$dir/watch.pid"
    real_compose up -d --wait
    real_network
    until_true 60 has_proxy || { curl -s "localhost:$port/status"; curl -s "localhost:$port/logs?name=grid_cert" | tail -20; return 1; }
    curl -sf "localhost:$port/status" | cut -c1-2000
    kill "$(cat "$dir/watch.pid")"
    [ "$(docker inspect -f '{{.HostConfig.ReadonlyRootfs}} {{.Config.User}}' "$name")" = "true $uid:$uid" ]
}
# The relays come when the container has its network; a try before them is repeated after five minutes, or when the password file changes.
real_network() {
    into_its_network "$name" "${real_ports[@]}"
    until_true 10 docker exec "$name" bash -c "exec 3<>/dev/tcp/127.0.0.1/$real_voms_port"
    touch "$dir/real-password"
}
has_proxy() { curl -sf "localhost:$port/status" | grep '"is_good":true' | grep '/testvo/Role=NULL' >/dev/null; }
watch_processes() { # FILE
    while true; do
        find /proc -maxdepth 1 -user "$uid" -name '[0-9]*' -exec sh -c 'for process; do cat "$process/cmdline" "$process/environ"; echo; done' sh {} + || true # one has ended meanwhile
        sleep 0.02
    done >"$1" 2>/dev/null
}
real_job() {
    until_true 20 state ready
    local ds=mc16_13TeV:mc16_13TeV.000007.xrd1only_tid09
    ask $ds
    until_true 60 word $ds local
    [ "$(find "$dir/real/${ds#*:}" -maxdepth 1 -name '*.root' -size 2097152c -uid "$uid" | wc -l)" = 2 ] ||
        { ls -la "$dir/real/${ds#*:}"; return 1; }
}
real_shell() {
    real_env
    docker exec -i "$name" /bin/bash -e <<IN
cd /app; source ./setup.sh
rucio whoami | grep jdoe
voms-proxy-info -all | tee /tmp/info
grep 'Jane Doe' /tmp/info
grep '^VO *: testvo' /tmp/info
grep '^attribute *: /testvo/Role=NULL' /tmp/info
[ "\$(voms-proxy-info -path)" = "\$X509_USER_PROXY" ]
[ "\$(stat -f -c %T "\$X509_USER_PROXY") \$(stat -c %a "\$X509_USER_PROXY")" = 'tmpfs 600' ]
xrdfs root://localhost:$GRID_XRD1_PORT ls /rucio
path=\$(xrdfs root://localhost:$GRID_XRD1_PORT ls -R /rucio | grep -m 1 'root\$')
xrdcp --silent "root://localhost:$GRID_XRD1_PORT/\$path" /tmp/copy
[ -s /tmp/copy ]
rm /tmp/copy
desktop-rucio list | grep xrd1only
IN
}
real_secrets() {
    real_env
    grep -qa voms-proxy-init "$dir/watched" # it did look
    {
        docker inspect "$name"
        docker logs "$name"
        docker exec "$name" bash -c "$see_processes; cat /tmp/desktop-rucio-run-*/env"
        real_compose config
        cat "$dir/watched"
        curl -sf "localhost:$port/status"
        for log in grid_cert rucio_downloader web_server; do curl -sf "localhost:$port/logs?name=$log"; done
    } >"$dir/seen" 2>&1
    [ "$(wc -c <"$dir/seen")" -gt 5000 ]
    grep -qa 'main.js' "$dir/seen"
    never grep -aE "$USER_KEY_PASSWORD|PRIVATE KEY" "$dir/seen"
    never grep -raE "$USER_KEY_PASSWORD|PRIVATE KEY|BEGIN CERTIFICATE" "$dir/real"
}
real_p12() {
    real_env
    real_compose stop
    [ "$(docker inspect -f '{{.State.ExitCode}}' "$name")" = 0 ]
    openssl pkcs12 -export -in "$USER_CERT" -inkey "$USER_KEY" -passin "pass:$USER_KEY_PASSWORD" -passout "pass:$USER_KEY_PASSWORD" -out "$dir/real-certs/jane.p12"
    rm "$dir/real-certs/user"*.pem
    chown "$uid:$uid" "$dir/real-certs/jane.p12"
    chmod 600 "$dir/real-certs/jane.p12"
    real_compose up -d --wait
    real_network
    until_true 60 has_proxy || { curl -s "localhost:$port/status"; curl -s "localhost:$port/logs?name=grid_cert" | tail -20; return 1; }
    docker exec "$name" bash -ec '. /tmp/desktop-rucio-run-*/env; cd "$DESKTOP_RUCIO_CERT_DIR"; [ "$(stat -f -c %T userkey.pem) $(stat -c %a userkey.pem)" = "tmpfs 400" ]; grep -q ENCRYPTED userkey.pem'
    until_true 20 word mc16_13TeV:mc16_13TeV.000007.xrd1only_tid09 local
}
real_wrong_password() {
    real_env
    real_compose stop
    rm "$dir/real-certs/jane.p12"
    cp "$USER_CERT" "$dir/real-certs/usercert.pem"
    cp "$USER_KEY" "$dir/real-certs/userkey.pem"
    chown "$uid:$uid" "$dir/real-certs/user"*.pem
    echo not-the-one >"$dir/real-password"
    real_compose up -d --wait
    real_network
    until_true 30 says_password_is_wrong
    curl -sf "localhost:$port/status" | grep -o '"grid_cert":.*' | cut -c1-800
}
says_password_is_wrong() { curl -sf "localhost:$port/status" | grep -i '"message":"[^"]*password' >/dev/null; }
