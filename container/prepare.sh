# shellcheck shell=bash
# prepare: turns what is mounted and set into what the daemon reads, below one directory of this user's own in memory. Says in one line
# what is wrong, with the cure. Never writes into /data or /certs, and never shows a password.

say() { printf 'desktop-rucio: %s\n' "$*" >&2; }

prepare() {
    umask 077
    local run uid_gid chosen=${X509_CERT_DIR:-}
    uid_gid=$(id -u):$(id -g)
    run=${DESKTOP_RUCIO_RUN:-/tmp/desktop-rucio-run-$(id -u)}
    # /tmp may be everybody's (Apptainer): what another user has laid there is not followed.
    mkdir -m 700 "$run" 2>/dev/null
    if [ ! -d "$run" ] || [ -L "$run" ] || [ ! -O "$run" ]; then
        say "$run cannot be made, or is another user's: give the container a /tmp (--tmpfs /tmp), or set DESKTOP_RUCIO_RUN"
        return 1
    fi
    export DESKTOP_RUCIO_DATA=${DESKTOP_RUCIO_DATA:-/data} DESKTOP_RUCIO_PROXY_DIR=$run/proxy
    local certs=${CERTS:-/certs}
    check_data "$DESKTOP_RUCIO_DATA" "$uid_gid" || return 1
    take_experiment "$certs" || return 1
    choose_authorities "$certs" "$run" || return 1
    take_certificate "$certs" "$run" "$uid_gid" || return 1
    write_cfg "$certs" "$run" || return 1
    # A container has a network of its own, and what is published of it is chosen outside. Apptainer shares the machine's.
    if [ -z "${DESKTOP_RUCIO_HOST:-}" ] && [ -z "${DESKTOP_RUCIO_SOCKET:-}" ] && [ -z "${APPTAINER_CONTAINER:-}${SINGULARITY_CONTAINER:-}" ]; then
        export DESKTOP_RUCIO_HOST=0.0.0.0,::
    fi
    # An instance of Apptainer has the machine's network and sees its own processes alone, so the daemon cannot look who else is here.
    if [ -n "${APPTAINER_CONTAINER:-}${SINGULARITY_CONTAINER:-}" ] && [ -z "${DESKTOP_RUCIO_SOCKET:-}${API_TOKEN:-}${API_TOKEN_FILE:-}" ]; then
        say 'every user of this machine can use this daemon through its port: start it with DESKTOP_RUCIO_SOCKET, or set API_TOKEN_FILE'
    fi
    if [ -d "$certs/certificates" ]; then chosen=$X509_CERT_DIR; fi
    keep_env "$run" "$chosen"
}

check_data() { # DIR UID:GID
    if [ "$1" = /data ] && ! mounted /data; then
        say 'nothing is mounted at /data: add --mount type=bind,source=YOUR_DIRECTORY,target=/data'
        return 1
    fi
    if [ ! -d "$1" ]; then
        say "$1 is not there, or cannot be looked at by user $2: mount the data directory"
        return 1
    fi
    if [ ! -w "$1" ] || [ ! -x "$1" ]; then
        local owner
        owner=$(stat -c %u:%g "$1")
        case $owner in
            "$2" | 0:*) say "user $2 may not write to $1, which belongs to $owner: mount it without :ro, and on the host: chown $2 YOUR_DIRECTORY" ;;
            *) say "user $2 may not write to $1, which belongs to $owner: start with --user $owner (UID_GID=$owner for compose)" ;;
        esac
        return 1
    fi
}

mounted() { # PATH
    local at
    while read -r _ _ _ _ at _; do if [ "$at" = "$1" ]; then return 0; fi; done </proc/self/mountinfo
    return 1
}

# Lines KEY=value of three known keys; read, not run. What is set already counts more.
take_experiment() { # CERTS
    local name=${EXPERIMENT:-none} file key value
    [ "$name" = none ] && return 0
    case $name in */* | .*) say "EXPERIMENT is a name such as atlas, not $name"; return 1 ;; esac
    for file in "$1/experiments/$name" "/app/experiments/$name" ''; do [ -r "$file" ] && break; done
    if [ -z "$file" ]; then
        say "there is no experiment $name: known are $(ls -m /app/experiments); another one is a file $1/experiments/$name"
        return 1
    fi
    while IFS='=' read -r key value || [ -n "$key" ]; do
        value=${value%$'\r'}
        case $key in
            RUCIO_URL | RUCIO_AUTH_URL | GRID_VOMS) if [ -z "${!key:-}" ]; then export "$key=$value"; fi ;;
            '' | '#'* | $'\r') ;;
            *) say "$file: $key is not known here; RUCIO_URL, RUCIO_AUTH_URL and GRID_VOMS are" && return 1 ;;
        esac
    done <"$file"
}

# Said, then mounted, then CVMFS (fresher than any image), then the image's own with room for revocation lists beside them.
choose_authorities() { # CERTS RUN
    local cvmfs=${CVMFS:-/cvmfs}/grid.cern.ch/etc/grid-security
    if [ -z "${X509_CERT_DIR:-}" ]; then
        if [ -d "$1/certificates" ]; then X509_CERT_DIR=$1/certificates
        elif [ -d "$cvmfs/certificates" ]; then X509_CERT_DIR=$cvmfs/certificates
        else
            X509_CERT_DIR=$2/certificates
            [ -d "$X509_CERT_DIR" ] || cp -r --symbolic-link /etc/grid-security/certificates "$2/certificates" || return 1
        fi
    fi
    if [ -z "${X509_VOMS_DIR:-}" ]; then
        if [ -d "$1/vomsdir" ]; then X509_VOMS_DIR=$1/vomsdir
        elif [ -d "$cvmfs/vomsdir" ]; then X509_VOMS_DIR=$cvmfs/vomsdir
        else X509_VOMS_DIR=/etc/grid-security/vomsdir; fi
    fi
    if [ -z "${VOMS_USERCONF:-}" ]; then
        if [ -e "$1/vomses" ]; then VOMS_USERCONF=$1/vomses
        elif [ -d "$cvmfs/vomses" ]; then VOMS_USERCONF=$cvmfs/vomses
        else VOMS_USERCONF=/etc/vomses; fi
    fi
    export X509_CERT_DIR X509_VOMS_DIR VOMS_USERCONF
}

take_certificate() { # CERTS RUN UID:GID
    local file p12='' secret=${GRID_PASSWORD_FILE:-/run/secrets/grid_password}
    [ -n "${X509_USER_PROXY:-}" ] && return 0
    for file in "$1"/usercert.pem "$1"/userkey.pem "$1"/*.p12 "$1"/*.pfx; do
        [ -e "$file" ] || continue
        if [ ! -r "$file" ]; then
            say "user $3 may not read $file, which belongs to $(stat -c %u:%g "$file") with mode $(stat -c %a "$file"): start with --user of its owner"
            return 1
        fi
        case $file in *.p12 | *.pfx) p12=$file ;; esac
    done
    if [ -f "$secret" ] && [ ! -r "$secret" ]; then
        say "user $3 may not read the password file $secret, which belongs to $(stat -c %u:%g "$secret"): start with --user of its owner"
        return 1
    fi
    if [ -f "$1/usercert.pem" ] && [ -f "$1/userkey.pem" ]; then
        export DESKTOP_RUCIO_CERT_DIR=${DESKTOP_RUCIO_CERT_DIR:-$1}
    elif [ -n "$p12" ]; then
        convert_p12 "$p12" "$2" "$secret" || return 1
        export DESKTOP_RUCIO_CERT_DIR=$2/certs
    else
        return 0
    fi
    # voms-proxy-init takes a key of mode 0400 or 0600 alone, and a share of Windows shows 0777: the daemon gives it a copy.
    export GRID_KEY_COPY=${GRID_KEY_COPY:-1}
    file=$DESKTOP_RUCIO_CERT_DIR/userkey.pem
    case $(stat -c %a "$file") in
        400 | 600 | 777 | 755) ;; # 777 and 755: what Windows and macOS shares show of every file
        *) say "$file has mode $(stat -c %a "$file"), others may read it: chmod 400 it on the host" ;;
    esac
}

# The key stays encrypted, with the same password.
convert_p12() { # FILE RUN SECRET
    local password='' old why dir=$2/certs
    if [ -f "$3" ]; then IFS= read -r password <"$3" || true; fi
    password=${password%$'\r'}
    mkdir -p "$dir"
    for old in '' -legacy; do
        # shellcheck disable=SC2086
        why=$(printf '%s\n' "$password" | openssl pkcs12 $old -in "$1" -clcerts -nokeys -passin stdin -out "$dir/usercert.pem" 2>&1 >/dev/null) &&
            why=$(printf '%s\n%s\n' "$password" "$password" | openssl pkcs12 $old -in "$1" -nocerts -passin stdin -passout stdin -out "$dir/userkey.pem" 2>&1 >/dev/null) &&
            chmod 400 "$dir"/user*.pem && return 0
        rm -f "$dir"/user*.pem
    done
    case $why in
        *'invalid password'* | *'mac verify'*) say "the password does not open $1: put the right one into the password file" ;;
        *) say "$1 cannot be read as PKCS#12: ${why##*$'\n'}" ;;
    esac
    return 1
}

write_cfg() { # CERTS RUN
    local from=${RUCIO_CONFIG:-} hash
    hash=$(printf %s "$DESKTOP_RUCIO_DATA" | sha256sum)
    export DESKTOP_RUCIO_OWN_PROXY=${X509_USER_PROXY:-$DESKTOP_RUCIO_PROXY_DIR/x509up_${hash:0:16}.pem}
    if [ -z "$from" ] && [ -r "$1/rucio.cfg" ]; then from=$1/rucio.cfg; fi
    if [ -n "$from" ]; then
        # With the line ends of Windows the values would end in CR.
        if [ "$from" != "$2/rucio.cfg" ] && ! tr -d '\r' <"$from" >"$2/rucio.cfg"; then
            say "$from cannot be read"
            return 1
        fi
    else
        if [ -z "${DESKTOP_RUCIO_CERT_DIR:-}${X509_USER_PROXY:-}" ]; then
            say "$1 holds neither usercert.pem and userkey.pem, nor a .p12, nor a rucio.cfg: mount your certificate directory there"
            return 1
        fi
        [[ ${RUCIO_ACCOUNT:-} =~ ^[A-Za-z0-9._-]+$ ]] || { say 'set RUCIO_ACCOUNT to the name of your Rucio account'; return 1; }
        RUCIO_AUTH_URL=${RUCIO_AUTH_URL:-${RUCIO_URL:-}}
        [[ ${RUCIO_URL:-} =~ ^https?://[^[:space:]]+$ && $RUCIO_AUTH_URL =~ ^https?://[^[:space:]]+$ ]] ||
            { say "set EXPERIMENT ($(ls -m /app/experiments)), or RUCIO_URL and RUCIO_AUTH_URL to your Rucio servers (https://…)"; return 1; }
        cat >"$2/rucio.cfg" <<CFG || return 1
[client]
rucio_host = $RUCIO_URL
auth_host = $RUCIO_AUTH_URL
account = $RUCIO_ACCOUNT
auth_type = x509_proxy
ca_cert = $X509_CERT_DIR
client_x509_proxy = $DESKTOP_RUCIO_OWN_PROXY
request_retries = 3
CFG
    fi
    export RUCIO_CONFIG=$2/rucio.cfg
}

# For setup.sh: what was found here, and no secret.
keep_env() { # RUN CHOSEN
    local name
    # The official client takes X509_CERT_DIR rather than the ca_cert of its own rucio.cfg; voms and xrdcp find the image's without it.
    local X509_CERT_DIR=$X509_CERT_DIR
    if [ -z "$2" ] && ! grep -qF "ca_cert = $X509_CERT_DIR" "$RUCIO_CONFIG" && grep -q '^ca_cert *[=:]' "$RUCIO_CONFIG"; then X509_CERT_DIR=''; fi
    for name in DESKTOP_RUCIO_DATA DESKTOP_RUCIO_PROXY_DIR DESKTOP_RUCIO_OWN_PROXY DESKTOP_RUCIO_CERT_DIR DESKTOP_RUCIO_PORT \
        X509_CERT_DIR X509_VOMS_DIR VOMS_USERCONF RUCIO_CONFIG RUCIO_ACCOUNT; do
        if [ -n "${!name:-}" ]; then printf 'export %s=%q\n' "$name" "${!name}"; fi
    done >"$1/env"
}
