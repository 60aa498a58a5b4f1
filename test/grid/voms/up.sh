#!/usr/bin/env bash
# up.sh DIR: a real VOMS server (VO testvo) on loopback for the grid of DIR, which has to be made already; jdoe is its one member.
#   DIR/voms   vomses, vomsdir/testvo/localhost.lsc, the database, logs, pid files; java/ is Debian's Java client, not installed
# Runs again without harm. Exit 3: this machine cannot have a VOMS server (the message says why).
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
. "$GRID_SRC/voms/voms.sh"
[ -s "$C/usercert.pem" ] || fail "$C has no certificates: bring the grid up first"
mkdir -p "$V/run" "$V/log" "$V/vomsdir/testvo"
[[ $GRID_DIR != *[[:space:]:]* ]] || fail "LD_PRELOAD cannot hold this path: $GRID_DIR" 3

. "$GRID_SRC/packages.sh"
packages=(voms-server voms-mysql-plugin voms-clients mariadb-server openssl gcc libc6-dev)
install_packages
[ -x /usr/sbin/voms ] && [ -s /usr/lib/voms/libvomsmysql.so ] || fail 'voms or its MySQL plug-in is not where Debian puts it' 3

# The Java client looks for an authority under its old hash only.
for kind in subject_hash subject_hash_old; do
    hash=$(openssl x509 -in "$C/ca.pem" -noout "-$kind")
    [ -e "$C/certificates/$hash.0" ] || cp "$C/ca.pem" "$C/certificates/$hash.0"
done
name() { openssl x509 -in "$1" -noout "-$2" -nameopt compat | sed 's/^[a-z]*=//'; }
CA_DN=$(name "$C/hostcert.pem" issuer) HOST_DN=$(name "$C/hostcert.pem" subject) USER_DN=$(name "$C/usercert.pem" subject)

# ---- its own MariaDB, on a socket only
sql() { mariadb --no-defaults -S "$SOCKET" "$@"; }
if ! voms_alive db; then
    [ -d "$V/db/mysql" ] || mariadb-install-db --no-defaults --user="$(id -un)" --datadir="$V/db" --skip-test-db >"$V/log/db-install.log" 2>&1 \
        || fail "mariadb-install-db failed, see $V/log/db-install.log" 3
    mariadbd --no-defaults --user="$(id -un)" --datadir="$V/db" --socket="$SOCKET" --pid-file="$V/run/db.pid" --skip-networking \
        --innodb-buffer-pool-size=16M --innodb-log-file-size=8M --performance-schema=OFF >"$V/log/db.log" 2>&1 </dev/null &
    disown
    for _ in $(seq 300); do
        if sql -e 'select 1' >/dev/null 2>&1; then break; fi
        sleep 0.1
    done
    sql -e 'select 1' >/dev/null 2>&1 || fail "MariaDB does not come up, see $V/log/db.log" 3
fi
if ! sql -N -e 'select version from voms.version' >/dev/null 2>&1; then
    [ -s "$V/db.password" ] || {
        openssl rand -hex 12 >"$V/db.password"
        chmod 640 "$V/db.password" # 640 is what voms insists on
    }
    sql -e 'drop database if exists voms; create database voms'
    sed 's/^#.*//' /usr/share/voms/voms-mysql.data | sql voms
    sql voms <<SQL
grant select, lock tables on voms.* to voms@localhost identified by '$(cat "$V/db.password")';
insert into ca values (1, '/O=VOMS/O=System/CN=Dummy Certificate Authority', ''), (6, '$CA_DN', '');
insert into admins values (1, '/O=VOMS/O=System/CN=Local Database Administrator', '', 1);
insert into \`groups\` values (1, '/testvo', 1, 1), (2, '/testvo/de', 1, 0);
insert into roles values (1, 'VO-Admin'), (2, 'production');
insert into seqnumber values ('00');
insert into usr (userid, dn, ca, cn, mail) values (1, '$USER_DN', 6, 'Jane Doe', 'jdoe@localhost');
insert into m (userid, gid, rid) values (1, 1, null), (1, 2, null), (1, 1, 2);
insert into version values (2);
SQL
fi

start_voms

# ---- what clients need
printf '"testvo" "localhost" "%s" "%s" "testvo"\n' "$VOMS_PORT" "$HOST_DN" >"$V/vomses"
chmod 644 "$V/vomses"
printf '%s\n%s\n' "$HOST_DN" "$CA_DN" >"$V/vomsdir/testvo/localhost.lsc"

# ---- the Java client beside the C++ one: installed it would take over the name voms-proxy-init on this machine
if [ ! -x "$V/java/bin/voms-proxy-init" ] && command -v java >/dev/null; then
    mkdir -p "$V/java/bin" "$V/java/debs"
    if (cd "$V/java/debs" && apt-get download libbcprov-java libbcutil-java libbcpkix-java libcanl-java libvoms-api-java-java \
        voms-clients-java libcommons-cli-java libcommons-io-java) >"$V/log/java.log" 2>&1; then
        for deb in "$V"/java/debs/*.deb; do dpkg-deb -x "$deb" "$V/java"; done
        sed "s#/usr/share/java/#$V/java/usr/share/java/#g" "$V/java/usr/bin/voms-proxy-init3" >"$V/java/bin/voms-proxy-init"
        chmod +x "$V/java/bin/voms-proxy-init"
    fi
    rm -rf "$V/java/debs"
fi
[ -x "$V/java/bin/voms-proxy-init" ] || say 'the Java client is not to be had here (no java, or apt-get download failed)'
say "VOMS testvo on 127.0.0.1:$VOMS_PORT"
