# shellcheck shell=bash disable=SC2016,SC2154
# A Unix socket or a token, where others are at work on the machine too. Sourced by checks.sh.

part_access() {
    fresh access
    check 'with a socket it opens no port, and answers its owner on the host' by_socket
    check 'killed and started again it answers on the socket again' by_socket_again
    check 'with a token it answers nobody else, is healthy, and shows it nowhere' by_token
    check 'a token that is too short is refused' refused 'takes 16 or more characters' -e API_TOKEN=short --user "$uid:$uid" \
        --mount "type=bind,source=$dir/access,target=/data" --mount "type=bind,source=$dir/certs,target=/certs,readonly"
    docker rm -f "$name" >/dev/null 2>&1
}
by_socket() {
    docker rm -f "$name" || true
    fresh sockets
    chmod 700 "$dir/sockets"
    # shellcheck disable=SC2046
    run $(mounts "$dir/access" "$dir/certs") --mount "type=bind,source=$dir/sockets,target=/sockets" -e DESKTOP_RUCIO_SOCKET=/sockets/desktop-rucio.sock "$image"
    until_true 20 on_socket
    [ "$(stat -c '%a %u %F' "$dir/sockets/desktop-rucio.sock")" = "600 $uid socket" ]
    docker exec "$name" cat /proc/net/tcp /proc/net/tcp6 >"$dir/seen"
    never grep ':1F40 ' "$dir/seen" # 8000
    until_true 30 is_healthy
    docker exec "$name" bash -ec 'cd /app; source ./setup.sh; desktop-rucio list'
}
on_socket() { curl -sf --unix-socket "$dir/sockets/desktop-rucio.sock" http://localhost/status | grep '"state"'; }
by_socket_again() {
    docker kill -s KILL "$name"
    never on_socket
    docker start "$name"
    until_true 20 on_socket
    docker stop "$name"
    [ "$(docker inspect -f '{{.State.ExitCode}}' "$name")" = 0 ]
}
by_token() {
    local token
    token=$(openssl rand -hex 16)
    docker rm -f "$name" || true
    printf '%s\r\n' "$token" >"$dir/token"
    chown "$uid" "$dir/token" && chmod 600 "$dir/token"
    on_host "$dir/access" "$dir/certs" --mount "type=bind,source=$dir/token,target=/run/secrets/api_token,readonly" \
        -e API_TOKEN_FILE=/run/secrets/api_token "$image"
    until_true 20 answers_code 401 /status
    answers_code 401 /status -H 'Authorization: Bearer 0123456789abcdef'
    answers_code 401 '/ds?ds_name=mc16_13TeV:mc16_13TeV.first' -X POST
    answers_code 200 /status -H "Authorization: Bearer $token"
    until_true 30 is_healthy
    { docker inspect "$name"; docker logs "$name"; docker exec "$name" bash -c "$see_processes"; cat "$dir/access/.rucio/logs/"*; } >"$dir/seen" 2>&1
    grep -qa 'main.js' "$dir/seen"
    never grep -aF "$token" "$dir/seen"
}
answers_code() { # CODE PATH [OF CURL...]
    [ "$(curl -s -o /dev/null -w '%{http_code}' "${@:3}" "localhost:$port$2")" = "$1" ]
}
