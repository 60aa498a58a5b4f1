# shellcheck shell=bash disable=SC2016,SC2154
# One container from its start to its end, as any user. Sourced by checks.sh.

part_life() {
    fresh life
    check 'it writes nothing into its own file system: docker diff is empty' nothing_written
    check 'another --user goes on with a directory that was given to it' other_user
    check 'children that lost their parents are reaped' no_zombies
    docker rm -f "$name" >/dev/null 2>&1
}
nothing_written() {
    tell fast
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
