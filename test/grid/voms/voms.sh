# The VOMS server's settings, and starting and stopping it. Sourced after lib.sh; runs nothing.

V=$GRID_DIR/voms C=$GRID_DIR/certs
SOCKET=$V/run/db.sock
VOMS_PORT=$((15000 + $(cat "$GRID_DIR/run/shift" 2>/dev/null || echo 0)))

voms_ours() { tr '\0' ' ' 2>/dev/null <"/proc/$1/cmdline" | grep -F "$V" >/dev/null; }

voms_alive() { # db|voms
    [ -s "$V/run/$1.pid" ] && voms_ours "$(tr -dc 0-9 <"$V/run/$1.pid")"
}

start_voms() {
    local process
    voms_alive voms && return 0
    ! listens "$VOMS_PORT" || fail "port $VOMS_PORT is taken" 3
    # It has no option for its address, and listens on all of them.
    gcc -shared -fPIC -O1 -o "$V/only-loopback.so" "$GRID_SRC/voms/only-loopback.c" -ldl || fail 'only-loopback.c does not compile' 3
    mkdir -p "$V/x509"
    cp "$C/hostcert.pem" "$V/x509" && rm -f "$V/x509/hostkey.pem" && cp "$C/hostkey.pem" "$V/x509" && chmod 400 "$V/x509/hostkey.pem"
    LD_PRELOAD="$V/only-loopback.so" /usr/sbin/voms -foreground -vo testvo -port "$VOMS_PORT" -uri "localhost:$VOMS_PORT" -newformat \
        -dbname voms -username voms -passfile "$V/db.password" -mysql-socket "$SOCKET" -sqlloc /usr/lib/voms/libvomsmysql.so \
        -contactstring localhost -x509_cert_dir "$C/certificates" -x509_user_cert "$V/x509/hostcert.pem" -x509_user_key "$V/x509/hostkey.pem" \
        -timeout "${GRID_VOMS_MAX:-86400}" -socktimeout 60 -logfile "$V/log/voms.log" -loglevel 4 -logtype 255 >"$V/log/voms.out" 2>&1 </dev/null &
    wait $! || true # it goes to the background by itself, -foreground or not, and writes no pid file
    for process in /proc/[0-9]*; do # the one that leads its session: the others serve one request each
        [ "$(readlink "$process/exe" 2>/dev/null)" = /usr/sbin/voms ] && voms_ours "${process#/proc/}" \
            && [ "$(cut -d' ' -f6 "$process/stat")" = "${process#/proc/}" ] && echo "${process#/proc/}" >"$V/run/voms.pid" || true
    done
    wait_port "$VOMS_PORT" 10
    voms_alive voms || fail "it does not run, see $V/log/voms.log and voms.out"
    ! grep -qi "00000000:$(printf %04X "$VOMS_PORT") " /proc/net/tcp /proc/net/tcp6 2>/dev/null || {
        stop_voms voms
        fail 'it listened on all addresses: only-loopback.so was not taken' 3
    }
}

stop_voms() { # db|voms...
    local name pid children
    for name in "$@"; do
        [ -s "$V/run/$name.pid" ] || continue
        pid=$(tr -dc 0-9 <"$V/run/$name.pid")
        children=$(cat "/proc/$pid/task/$pid/children" 2>/dev/null || true) # voms: one for each request under way
        if voms_ours "$pid"; then
            # shellcheck disable=SC2086
            kill "$pid" $([ "$name" != voms ] || echo $children) 2>/dev/null || true
            for _ in $(seq 100); do
                voms_ours "$pid" || break
                sleep 0.1
            done
            ! voms_ours "$pid" || kill -9 "$pid" || true
        fi
        rm -f "$V/run/$name.pid"
    done
}
