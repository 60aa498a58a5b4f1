#!/usr/bin/env bash
# storage.sh DIR up|down: a third storage, which looks at VOMS attributes alone: it gives what XRD2 has to whoever shows the role production
# of testvo, whatever his name. It stands where the PFNs of SLOW1 (https) and SLOWROOT1 (root) lead. The grid and voms/up.sh come first.
# Exit 3: this machine cannot have it (the message says why).
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
. "$GRID_DIR/env.sh"
. "$GRID_SRC/voms/voms.sh"
name=xrdvoms
if [ "${2:?usage: $0 DIR up|down}" = down ]; then
    stop "$name"
    exit 0
fi
! running "$name" || exit 0
. "$GRID_SRC/packages.sh"
packages=(xrootd-server xrootd-voms-plugins)
install_packages
mkdir -p "$V/storage"/{admin,run}
[ "$(id -u)" != 0 ] || chown -R xrootd:xrootd "$V/storage"
cat >"$V/storage/authdb" <<'CFG'
= mayread o: testvo g: /testvo r: production
x mayread /rucio a
CFG
cat >"$V/storage/xrd.cfg" <<CFG
all.export /rucio
all.adminpath $V/storage/admin
all.pidpath $V/storage/run
oss.localroot $GRID_DIR/xrd2/data
xrd.port $GRID_SLOWROOT_PORT
xrd.tls $C/xrdcert.pem $C/xrdkey.pem
xrd.tlsca certdir $C/certificates proxies
xrd.protocol http:$GRID_SLOW_PORT libXrdHttp.so
http.cadir $C/certificates
http.cert $C/xrdcert.pem
http.key $C/xrdkey.pem
http.listingdeny no
http.secxtractor libXrdHttpVOMS.so
xrootd.chksum max 2 adler32 md5
xrootd.seclib libXrdSec.so
sec.protocol gsi -certdir:$C/certificates -cert:$C/xrdcert.pem -key:$C/xrdkey.pem -gmapopt:10 -crl:0 -vomsat:1 -vomsfun:libXrdSecgsiVOMS.so -vomsfunparms:certfmt=raw|grpopt=useall
ofs.authorize 1
acc.authdb $V/storage/authdb
CFG
user=()
[ "$(id -u)" != 0 ] || user=(-R xrootd)
(cd "$V/storage/run" && X509_VOMS_DIR="$V/vomsdir" LD_PRELOAD="$GRID_DIR/bindlo.so" \
    start "$name" xrootd -n "$name" "${user[@]}" -I v4 -c "$V/storage/xrd.cfg")
wait_port "$GRID_SLOWROOT_PORT" 30 && wait_port "$GRID_SLOW_PORT" 30
