#!/usr/bin/env bash
# shellcheck disable=SC2016
# jane.sh PART DIR STEP: in the Debian of ways.sh: becomes the user jane, as a login would leave her, and runs PART.sh.
set -euo pipefail
part=$1 dir=$2 step=$3 here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# It ends all others at its end.
[ $$ = 1 ] || { echo 'jane.sh: only as the first process of root.sh' >&2; exit 1; }
uid=$(id -u jane)
mkdir -p /run/systemd/system "/run/user/$uid"
chown "$uid:$uid" "/run/user/$uid"
chmod 700 "/run/user/$uid"
# Hers to divide, and of the names that logind gives: systemd and apptainer read in them whose it is.
group=/sys/fs/cgroup/$(basename "$dir" | tr -c 'a-zA-Z0-9\n' _).slice
own=$group/user-$uid.slice/user@$uid.service
mkdir -p "$own/jane"
chown -R "$uid:$uid" "$own"
echo $$ >"$own/jane/cgroup.procs"
code=0
setpriv --reuid "$uid" --regid "$uid" --init-groups env -i HOME=/home/jane USER=jane LOGNAME=jane SHELL=/bin/bash LANG=C.UTF-8 \
    PATH=/usr/local/bin:/usr/bin:/bin XDG_RUNTIME_DIR="/run/user/$uid" DBUS_SESSION_BUS_ADDRESS="unix:path=/run/user/$uid/bus" \
    NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt DIR="$dir" BASES="$BASES" TOP=/home/jane/desktop-rucio PART="$part" STEP="$step" \
    bash -c 'cd; . "$1/lib.sh"; . "$1/$PART.sh"; "$STEP"; result' jane "$here" || code=$?
# All that she started ends with this process; her group is to be empty before it can go.
kill -KILL -1 2>/dev/null || true
echo $$ >/sys/fs/cgroup/cgroup.procs
for _ in $(seq 20); do
    find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
    [ -d "$group" ] || break
    sleep 0.1
done
exit $code
