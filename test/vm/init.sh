#!/bin/busybox sh
# First program of the virtual machine: makes the machine's own root file system, read over 9p, its root, with all writes kept in
# memory, and hands over to inside.sh. Busybox alone is here, since nothing else is mounted yet.
/bin/busybox mkdir -p /proc /sys /dev /lower /upper /new
/bin/busybox --install -s /bin
fail() {
  echo "tenement-vm: $*"
  poweroff -f
}
mount -t proc none /proc && mount -t sysfs none /sys && mount -t devtmpfs none /dev || fail "the kernel's own file systems cannot be mounted"
# In several passes, until all that others need is there: their order is modprobe's business, which is not here.
for pass in 1 2 3 4; do
  for module in /modules/*.ko; do insmod "$module" 2>/dev/null; done
done
mount -t 9p -o trans=virtio,version=9p2000.L,ro,msize=262144,cache=loose host0 /lower || fail "the machine's files cannot be mounted"
mount -t tmpfs -o size=2g none /upper && mkdir /upper/data /upper/work
# A folder that is in both is one folder.
cp -a /often/. /upper/data/
mount -t overlay -o lowerdir=/lower,upperdir=/upper/data,workdir=/upper/work none /new || fail "nothing can be laid over the machine's files"
mount -t proc none /new/proc && mount -t sysfs none /new/sys && mount -t devtmpfs none /new/dev
mount -t tmpfs none /new/run
cp /inside.sh /plan.sh /new/run/
# As sd_booted(3) has it: where this folder is, systemd is the first process.
[ ! -d /units ] || { mkdir -p /new/run/systemd && cp -r /units /new/run/systemd/system; }
exec switch_root /new /bin/sh /run/inside.sh
