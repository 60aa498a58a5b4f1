#!/usr/bin/env bash
# root.sh ROOT WORK COMMAND...: COMMAND as root of the Debian that lies in ROOT, with what engines of plain users need of a machine: its
# own processes, devices, cgroups and /run; WORK lies at its own path. The network is the caller's. All of it ends with COMMAND.
set -euo pipefail
root=${1:?usage: $0 ROOT WORK COMMAND...} work=$2; shift 2
if [ "${IN_ROOT:-}" != yes ]; then
    IN_ROOT=yes exec unshare -m -p -f -C --propagation private bash "$0" "$root" "$work" "$@"
fi
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys" 2>/dev/null || mount --rbind /sys "$root/sys"
umount -R "$root/sys/fs/cgroup" 2>/dev/null || true
mount -t cgroup2 none "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 none "$root/dev"
while read -r name major minor; do mknod -m 666 "$root/dev/$name" c "$major" "$minor"; done <<'D'
null 1 3
zero 1 5
full 1 7
random 1 8
urandom 1 9
tty 5 0
fuse 10 229
D
mkdir "$root/dev/net" "$root/dev/pts" "$root/dev/shm"
mknod -m 666 "$root/dev/net/tun" c 10 200
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 none "$root/dev/pts"
mount -t tmpfs -o mode=1777 none "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
for fd in fd:/proc/self/fd stdin:fd/0 stdout:fd/1 stderr:fd/2; do ln -s "${fd#*:}" "$root/dev/${fd%%:*}"; done
mount -t tmpfs -o mode=755 none "$root/run"
mount -t tmpfs -o mode=1777 none "$root/tmp"
mkdir -p "$root$work" "$root/.old"
mount --bind "$work" "$root$work"
cd "$root"
pivot_root . .old
cd /
umount -l /.old
unset IN_ROOT
exec "$@"
