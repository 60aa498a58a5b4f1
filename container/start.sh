#!/bin/sh
# start.sh: starts desktop-rucio in Docker on Linux and macOS; run again it changes nothing that runs as it should.
# It writes compose's .env (no secret) and a password file of mode 0600, and calls docker compose. Never takes a password as an argument.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

usage() {
    cat <<'U'
start.sh CERT_DIR DATA_DIR RUCIO_ACCOUNT [options]
  CERT_DIR        directory with usercert.pem and userkey.pem (or a .p12, or a rucio.cfg)
  DATA_DIR        where the datasets shall lie
  RUCIO_ACCOUNT   your account in Rucio
  -f FILE         file with the password of the private key; without it you are asked, and RETURN means that it has none
  -v VERSION      of the image, default latest
  -p PORT         on this machine alone, default 8000
  -g VO           VOMS group as voms-proxy-init takes it, default that of the experiment
  -e EXPERIMENT   default atlas; a file of container/experiments, or CERT_DIR/experiments
  -b              opens a bash in it, with the tools set up by: source ./setup.sh
  -u              fetches the revocation lists of the grid's authorities
  -s              stops it
CONFIG_DIR names where the settings are kept (default ~/.config/desktop-rucio), CACHE_PREFIX what is joined to each path of a filelist.
U
}
fail() { echo "start.sh: $*" >&2; exit 2; }

certs='' data='' account='' secret='' version=latest port=8000 vo='' experiment=atlas bash='' update='' stop=''
while [ $# -gt 0 ]; do
    case $1 in
        -h | --help) usage; exit 0 ;;
        -b) bash=1; shift ;;
        -u) update=1; shift ;;
        -s) stop=1; shift ;;
        -f | -v | -p | -g | -e)
            [ $# -ge 2 ] || fail "$1 takes a value; start.sh --help"
            case $1 in
                -f) secret=$2 ;;
                -v) version=$2 ;;
                -p) port=$2 ;;
                -g) vo=$2 ;;
                -e) experiment=$2 ;;
            esac
            shift 2
            ;;
        -*) fail "there is no option $1; start.sh --help" ;;
        *)
            if [ -z "$certs" ]; then certs=$1
            elif [ -z "$data" ]; then data=$1
            elif [ -z "$account" ]; then account=$1
            else fail "$1 is one argument too many; start.sh --help"; fi
            shift
            ;;
    esac
done

config=${CONFIG_DIR:-${XDG_CONFIG_HOME:-$HOME/.config}/desktop-rucio}
name=${NAME:-desktop-rucio}
docker info >/dev/null 2>&1 || fail 'docker does not answer: start Docker (Desktop), or ask to be put into the group docker'
docker compose version >/dev/null 2>&1 || fail 'docker compose is missing: install the package docker-compose-plugin'
compose() { docker compose --env-file "$config/env" -f "$here/compose.yaml" ${COMPOSE_MORE:+-f "$COMPOSE_MORE"} "$@"; }
running() { [ "$(docker inspect -f '{{.State.Running}}' "$name" 2>/dev/null)" = true ]; }

if [ -z "$certs" ]; then
    if [ -z "$bash$update$stop" ] || [ ! -r "$config/env" ]; then usage >&2; exit 2; fi
else
    [ -n "$account" ] || { usage >&2; exit 2; }
    case $port in '' | *[!0-9]*) fail "-p takes a port, not $port" ;; esac
    [ -d "$certs" ] || fail "$certs is no directory"
    [ -d "$data" ] || fail "$data is no directory; make it first (a disk that is not mounted must not be filled beside)"
    certs=$(CDPATH='' cd -- "$certs" && pwd) data=$(CDPATH='' cd -- "$data" && pwd)
    umask 077
    mkdir -p "$config"
    if [ -n "$secret" ]; then
        [ -r "$secret" ] || fail "$secret cannot be read"
        secret=$(CDPATH='' cd -- "$(dirname -- "$secret")" && pwd)/$(basename -- "$secret")
    elif [ -s "$config/password" ]; then
        secret=$config/password
    elif [ -t 0 ]; then
        printf 'Password of the private key (RETURN for none): ' >&2
        trap 'stty echo' EXIT
        trap 'echo >&2; exit 130' INT TERM # not "none": it was not answered
        stty -echo
        IFS= read -r password || password=''
        stty echo
        trap - EXIT INT TERM
        echo >&2
        if [ -n "$password" ]; then
            printf '%s\n' "$password" >"$config/password"
            secret=$config/password
        fi
        unset password
    fi
    # A value in single quotes stands for itself in compose's file; so it must hold none.
    put() {
        case $2 in *"'"*) fail "$1 may hold no quote: $2" ;; esac
        printf "%s='%s'\n" "$1" "$2"
    }
    {
        put DATA "$data"
        put CERTS "$certs"
        put RUCIO_ACCOUNT "$account"
        put UID_GID "${UID_GID:-$(id -u):$(id -g)}"
        put PORT "$port"
        put VERSION "$version"
        put NAME "$name"
        put EXPERIMENT "$experiment"
        put GRID_VOMS "$vo"
        put GRID_PASSWORD_FILE "${secret:-$here/no-password}"
        put CACHE_PREFIX "${CACHE_PREFIX:-file://$data}"
    } >"$config/env.new"
    mv "$config/env.new" "$config/env"
fi

if [ -n "$stop" ]; then
    compose stop
    exit
fi
if [ -z "$bash$update" ] || ! running; then
    if ! compose up -d --wait; then
        docker logs --tail 5 "$name" >&2 || true
        fail 'it does not answer: what it said last stands above'
    fi
    echo "desktop-rucio answers at http://localhost:$(sed -n "s/^PORT='\(.*\)'/\1/p" "$config/env")"
fi
if [ -n "$update" ]; then docker exec "$name" update-certificates; fi
if [ -n "$bash" ]; then
    if [ -t 0 ]; then exec docker exec -it "$name" /bin/bash; fi
    exec docker exec -i "$name" /bin/bash
fi
