#!/bin/sh
# Runs one command in the virtual machine, which has cgroup version 2 and nothing else, and prints how it ended as the last line.
# The command is in /proc/cmdline, words parted by commas.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TENEMENT_TEST_SLOWNESS=30 NO_COLOR=1 CI=1
argument() { tr ' ' '\n' </proc/cmdline | sed -n "s/^$1=//p" | tr ',' ' '; }
mount -t cgroup2 none /sys/fs/cgroup
mkdir -p /dev/shm /dev/pts && mount -t tmpfs none /dev/shm && mount -t devpts none /dev/pts
ip link set lo up 2>/dev/null
ulimit -n 65536
cd "$(argument tenement.directory)" || exit
# shellcheck disable=SC2046 # the words are meant to be split
$(argument tenement.command)
echo "tenement-vm: exit $?"
echo o >/proc/sysrq-trigger
# The end of the first process would be a panic of the kernel.
while :; do :; done
