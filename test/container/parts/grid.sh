# shellcheck shell=bash disable=SC2016,SC2154
# A real Rucio server, VOMS server and XRootD storage. Sourced by checks.sh.

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
