#!/bin/sh
# Boots systemd as process 1 of namespaces that the caller has made (unshare): on a copy of
# this machine's root in memory, with processes, network and control groups of its own.
# $1 is an empty directory, $2 one with files that are put over the root.
set -eu
mount --make-rprivate /
mount -t tmpfs -o size=1g tmpfs "$1"
mkdir "$1/over" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/over,workdir=$1/work" "$1/root"
root=$1/root
# Nothing of what this machine has enabled is started.
rm -rf "$root/etc/systemd/system" "$root/etc/cassini" "$root/etc/default/cassini-agent" "$root/etc/default/cassini-manager" "$root/var/lib/cassini"
cp -R "$2/." "$root/"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
if [ -e /sys/kernel/tracing/events ]; then mount --rbind /sys/kernel/tracing "$root/sys/kernel/tracing"; fi
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do
	: >"$root/dev/$device"
	mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
mount -t tmpfs tmpfs "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
ip link set lo up
hostname units
cd "$root"
pivot_root . mnt
umount -l /mnt
exec env -i container=cassini PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --unit=tried.target --log-target=console --show-status=false </dev/null
