#!/bin/sh
# Second program of the virtual machine, which has cgroup version 2 and nothing else: makes ready what a distribution would have,
# then does what boots.mjs planned and prints how each step ended. What it prints is read by boot.mjs, line by line. Where systemd is
# to be the first process it becomes that, which runs it again as a service.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root NO_COLOR=1 CI=1
# How many times slower than a real machine its tests take it to be.
export TENEMENT_TEST_SLOWNESS=30
make_ready() {
  mount -t cgroup2 none /sys/fs/cgroup
  mkdir -p /dev/shm /dev/pts && mount -t tmpfs none /dev/shm && mount -t devpts none /dev/pts
  ln -sf /proc/self/fd /dev/fd
  # As udev would: whoever may make a network of its own may make interfaces in it.
  [ ! -e /dev/net/tun ] || chmod 0666 /dev/net/tun
  mkdir -p /home/user && chown 1000:1000 /home/user
  ip link set lo up
  # A way out that leads nowhere: pasta copies the machine's interface and ends where there is none, and attacks must reach nobody.
  if ip link add net0 type dummy 2>/dev/null; then
    ip address add 192.0.2.2/24 dev net0 && ip link set net0 up && ip route add default via 192.0.2.1
  fi
}

if [ $$ = 1 ]; then
  make_ready
  [ ! -d /run/systemd/system ] || exec /lib/systemd/systemd --unit=steps.target --show-status=no --log-target=console --log-level=warning
fi
ulimit -n 65536

uptime_now() { cut -d. -f1 /proc/uptime; }

# A kernel setting, of this machine that ends with its last step.
setting() {
  echo "$2" >"/proc/sys/$1" || echo "tenement-vm: $1 cannot be set"
}

# step NUMBER COMMAND...: its output is told as it comes, and how it ended as a line of its own, whatever stands unended before.
step() {
  number=$1
  began=$(uptime_now)
  shift
  echo "tenement-vm: begins $number"
  "$@"
  code=$?
  printf '\ntenement-vm: ended %s with %s after %s s\n' "$number" "$code" "$(($(uptime_now) - began))"
}

cd "$(tr ' ' '\n' </proc/cmdline | sed -n 's/^tenement.directory=//p')" && . /run/plan.sh
echo o >/proc/sysrq-trigger
# The end of the first process would be a panic of the kernel.
while :; do sleep 1; done
