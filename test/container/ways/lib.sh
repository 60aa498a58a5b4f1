# shellcheck shell=bash
# lib.sh: what each part of ways.sh needs once it is jane. Sourced with DIR (the practice grid's files), TOP (a checkout of hers) and PART.
passed=0 failed=0
log=$DIR/jane-log

check() { # SENTENCE COMMAND...: in a shell of its own, where the first failure ends it
    local sentence=$1 began=$SECONDS code; shift
    (set -eEuo pipefail; trap 'echo "  line $LINENO: $BASH_COMMAND"' ERR; "$@") >"$log" 2>&1
    code=$?
    if [ $code = 0 ]; then
        passed=$((passed + 1))
        echo "ok      $sentence ($((SECONDS - began)) s)"
        grep '^  measured' "$log" || true
    else
        failed=$((failed + 1))
        echo "FAILED  $sentence"
        tail -40 "$log"
    fi
}
never() { ! "$@"; } # a bare ! would be passed over by set -e

until_true() { # SECONDS COMMAND...
    local end=$((SECONDS + $1)); shift
    until "$@" >/dev/null 2>&1; do
        if [ $SECONDS -ge "$end" ]; then echo "  not within the time: $*"; return 1; fi
        sleep 0.2
    done
}

# The indented lines of the page, which are all of them commands.
page() { sed -n 's/^    //p' "$TOP/container/$PART.md"; }
# What needs the world's network: a build, or a registry.
fetches='^(podman build|npm (pack|install))( |$)'
as_it_stands() { # FILE: the page's other commands, as one script; what was done and said goes to FILE
    page | grep -vE "$fetches" >"$DIR/page.sh"
    [ -s "$DIR/page.sh" ]
    # shellcheck disable=SC2024
    (cd "$TOP" && bash -euo pipefail -x "$DIR/page.sh" </dev/null) >"$1" 2>&1 || { cat "$1"; return 1; }
}

whole() { # DATA DATASET: every byte is right, and all of it is jane's
    (cd "$1" && sha256sum --quiet --strict -c "$DIR/$2.sha256")
    [ -z "$(find "$1/$2" ! -uid "$(id -u)")" ]
    [ -e "$1/$2/.rucio/complete" ]
}
said() { grep -aF -- "$1" "$DIR/said" >/dev/null || { echo "  not said: $1"; cat "$DIR/said"; return 1; }; } # in the page's output
own_systemd() {
    mkdir -p ~/.config/systemd/user
    # It asks the machine's systemd for the network, and there is none here.
    ln -sf /dev/null ~/.config/systemd/user/podman-user-wait-network-online.service
    /usr/lib/systemd/systemd --user >"$DIR/systemd.log" 2>&1 &
    until_true 20 systemctl --user is-system-running
}
own_cfg() { # PATH OF THE AUTHORITY: the practice grid's rucio.cfg as a program outside of a container reads it
    sed "s#^ca_cert.*#ca_cert = $1#" "$DIR/certs/rucio.cfg"
}
result() { echo "$passed passed, $failed failed"; [ $failed = 0 ]; }
