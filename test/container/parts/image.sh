# shellcheck shell=bash disable=SC2016,SC2154
# What the image does with what is mounted and set, each told in one line. Sourced by checks.sh; needs no grid.

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
    (umask 077; echo secret >"$dir/roots")
    check 'a key that others may read is told with the chmod, and it goes on' open_key
    check 'a password file of another user is told with its owner' refused 'may not read the password file /run/secrets/grid_password, which belongs to 0:0: start with --user of its owner' --user "$uid:$uid" \
        --mount "type=bind,source=$dir/wrong,target=/data" --mount "type=bind,source=$dir/foreign,target=/certs,readonly" --mount "type=bind,source=$dir/roots,target=/run/secrets/grid_password,readonly"
    check 'without an account it asks for one' refused 'set RUCIO_ACCOUNT' --user "$uid:$uid" -e EXPERIMENT=atlas --mount "type=bind,source=$dir/wrong,target=/data" --mount "type=bind,source=$dir/foreign,target=/certs,readonly"
    check 'an experiment that is not known is told with those that are' refused 'known are atlas, cms' --user "$uid:$uid" -e EXPERIMENT=opera --mount "type=bind,source=$dir/wrong,target=/data" --mount "type=bind,source=$dir/foreign,target=/certs,readonly"
    check 'a p12 with a password file of Windows becomes certificate and key in memory' p12
    check 'CVMFS is taken up on sight' cvmfs
    check 'another experiment is one file beside the certificates, also of a Windows editor' one_file
    check 'a rucio.cfg beside the certificates is taken in place of the one that is made, also of a Windows editor' own_cfg
    check 'the image is no larger than 400 MB' small
}
open_key() {
    chmod 644 "$dir/foreign/userkey.pem"
    docker rm -f "$name" || true
    run --mount "type=bind,source=$dir/wrong,target=/data" --mount "type=bind,source=$dir/foreign,target=/certs,readonly" -e RUCIO_ACCOUNT=jane -e RUCIO_URL=https://localhost:1 "$image"
    until_true 10 docker exec "$name" /app/healthcheck
    [ "$(docker logs "$name" 2>&1 | grep -c 'userkey.pem has mode 644, others may read it: chmod 400 it on the host')" = 1 ]
    docker rm -f "$name"
    chmod 400 "$dir/foreign/userkey.pem"
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
        [ "$(stat -f -c %T userkey.pem) $(stat -c %a userkey.pem)" = "tmpfs 400" ]
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
one_file() {
    mkdir -p "$dir/opera/experiments"
    cp -p "$dir/foreign/"user*.pem "$dir/opera/"
    printf '# OPERA\r\nRUCIO_URL=https://rucio.opera.example:443\r\nRUCIO_AUTH_URL=https://auth.opera.example:443\r\nGRID_VOMS=opera\r\n' >"$dir/opera/experiments/opera"
    chown -R "$uid:$uid" "$dir/opera"
    docker run --rm "${locked[@]}" --user "$uid:$uid" -e RUCIO_ACCOUNT=jane -e EXPERIMENT=opera --mount "type=bind,source=$dir/wrong,target=/data" \
        --mount "type=bind,source=$dir/opera,target=/certs,readonly" --entrypoint /bin/bash "$image" -ec '. /app/prepare.sh; prepare
        [ "$RUCIO_URL $RUCIO_AUTH_URL $GRID_VOMS" = "https://rucio.opera.example:443 https://auth.opera.example:443 opera" ]
        grep -qx "rucio_host *= *https://rucio.opera.example:443" "$RUCIO_CONFIG"'
}
own_cfg() {
    mkdir -p "$dir/owncfg"
    printf '[client]\r\nrucio_host = https://mine.example:443\r\nauth_host = https://mine.example:443\r\nauth_type = userpass\r\nusername = jane\r\naccount = jane\r\n' >"$dir/owncfg/rucio.cfg"
    chown -R "$uid:$uid" "$dir/owncfg"
    docker run --rm "${locked[@]}" --user "$uid:$uid" --mount "type=bind,source=$dir/wrong,target=/data" \
        --mount "type=bind,source=$dir/owncfg,target=/certs,readonly" --entrypoint /bin/bash "$image" -ec '. /app/prepare.sh; prepare
        grep -qx "rucio_host = https://mine.example:443" "$RUCIO_CONFIG"'
}
small() {
    local bytes
    bytes=$(docker image inspect -f '{{.Size}}' "$image")
    echo "  measured $((bytes / 1000000)) MB"
    [ "$bytes" -le 400000000 ]
}
