// The calls that open more of the kernel than a service needs, each with what it opens and where that is written. Data: whoever
// allows one is asked for a reason (lint.ts), whoever is seen to make one is told (src/trace). A call that is dangerous only with
// some arguments stands here with an example of them.

export interface Danger {
  readonly call: string
  /** Arguments that make it dangerous; without them it is dangerous whatever they are. */
  readonly args?: readonly bigint[]
  readonly why: string
  /** A manual page, a document of the kernel, or a fault that was found there. */
  readonly source: string
}

const all = (why: string, source: string, ...calls: readonly string[]): readonly Danger[] =>
  calls.map((call) => ({ call, why, source }))

/** linux/sched.h: the flags of clone(2) that make namespaces. */
const newNamespaces: Readonly<Record<string, bigint>> = {
  CLONE_NEWNS: 0x0002_0000n,
  CLONE_NEWCGROUP: 0x0200_0000n,
  CLONE_NEWUTS: 0x0400_0000n,
  CLONE_NEWIPC: 0x0800_0000n,
  CLONE_NEWUSER: 0x1000_0000n,
  CLONE_NEWPID: 0x2000_0000n,
  CLONE_NEWNET: 0x4000_0000n,
}

/** Families, types and protocols of linux/socket.h: whole networks inside the kernel that no service speaks. */
const sockets: readonly (readonly [name: string, args: readonly bigint[], source: string])[] = [
  ['AF_ALG', [38n, 5n, 0n], 'CVE-2026-31431'],
  ['AF_RXRPC', [33n, 2n, 2n], 'CVE-2026-43284'],
  ['NETLINK_XFRM', [16n, 3n, 6n], 'CVE-2026-43284'],
  ['NETLINK_NETFILTER', [16n, 3n, 12n], 'CVE-2024-1086'],
  ['AF_PACKET', [17n, 3n, 0n], 'packet(7), CVE-2020-14386'],
  ['AF_VSOCK', [40n, 1n, 0n], 'vsock(7), CVE-2021-26708'],
  ['AF_KEY', [15n, 3n, 2n], 'CVE-2022-1353'],
  ['AF_TIPC', [30n, 1n, 0n], 'CVE-2021-43267'],
  ['AF_BLUETOOTH', [31n, 3n, 1n], 'CVE-2020-12351'],
  ['AF_SMC', [43n, 1n, 0n], 'Documentation/networking/smc-sysctl.rst'],
  ['raw IPv4', [2n, 3n, 1n], 'raw(7)'],
]

export const dangers: readonly Danger[] = [
  ...all('runs programs inside the kernel', 'bpf(2); Documentation/bpf; CVE-2021-3490', 'bpf'),
  ...all(
    'does what other calls do without being filtered as they are',
    'io_uring(7); CVE-2022-29582; Google reported in 2023 that 60% of the kernel exploits it paid for went through it',
    ...['io_uring_setup', 'io_uring_enter', 'io_uring_register'],
  ),
  ...all(
    'reads and changes other processes',
    'ptrace(2), process_vm_readv(2), pidfd_getfd(2), kcmp(2)',
    ...['ptrace', 'process_vm_readv', 'process_vm_writev', 'pidfd_getfd', 'kcmp'],
  ),
  ...all(
    'stops the kernel in the middle of what it does, which makes races easy to win',
    'userfaultfd(2); Documentation/admin-guide/mm/userfaultfd.rst',
    'userfaultfd',
  ),
  ...all('reaches keys that no namespace separates', 'keyctl(2), keyrings(7)', 'keyctl', 'add_key', 'request_key'),
  ...all(
    'changes what the file system is',
    'mount(2), mount_namespaces(7); CVE-2022-0185',
    ...['mount', 'umount2', 'pivot_root', 'chroot', 'fsopen', 'fsconfig', 'fsmount', 'fspick', 'open_tree'],
    ...['open_tree_attr', 'move_mount', 'mount_setattr'],
  ),
  ...all(
    'makes or enters namespaces, in which one holds capabilities',
    'namespaces(7), user_namespaces(7)',
    'unshare',
    'setns',
  ),
  ...Object.entries(newNamespaces).map(([flag, value]) => ({
    call: 'clone',
    args: [value],
    why: `makes namespaces, in which one holds capabilities (${flag})`,
    source: 'clone(2), user_namespaces(7)',
  })),
  ...all('makes namespaces too, by flags behind a pointer that no filter can read', 'clone(2), seccomp(2)', 'clone3'),
  ...all(
    'measures the kernel and other processes',
    'perf_event_open(2); Documentation/admin-guide/perf-security.rst',
    'perf_event_open',
  ),
  ...all(
    'replaces the kernel or adds to it',
    'kexec_load(2), init_module(2)',
    ...['kexec_load', 'kexec_file_load', 'init_module', 'finit_module', 'delete_module'],
  ),
  ...all(
    'opens files past every directory on the way',
    'open_by_handle_at(2); the "Shocker" escape from Docker, 2014',
    'open_by_handle_at',
  ),
  ...all(
    'belongs to whoever runs the machine',
    'syslog(2), reboot(2), swapon(2), acct(2), quotactl(2)',
    ...[
      'syslog',
      'reboot',
      'swapon',
      'swapoff',
      'acct',
      'quotactl',
      'quotactl_fd',
      'sethostname',
      'setdomainname',
      'vhangup',
    ],
  ),
  ...all(
    'sets the clock of the machine',
    'clock_settime(2), adjtimex(2)',
    ...['clock_settime', 'clock_adjtime', 'adjtimex', 'settimeofday'],
  ),
  ...all('reaches the ports of devices', 'iopl(2), ioperm(2)', 'iopl', 'ioperm'),
  ...all('watches a whole file system', 'fanotify_init(2)', 'fanotify_init'),
  ...all(
    'gives segments to 16-bit programs, a path hardly anybody looks at',
    'modify_ldt(2); CVE-2017-17053',
    'modify_ldt',
  ),
  ...sockets.map(([name, args, source]) => ({
    call: 'socket',
    args,
    why: `opens a family of sockets that no service needs (${name})`,
    source,
  })),
  { call: 'ioctl', args: [0n, 0x5412n], why: 'types into a terminal (TIOCSTI)', source: 'ioctl_tty(2); CVE-2017-5226' },
  {
    call: 'ioctl',
    args: [0n, 0x541cn],
    why: 'pastes into the console (TIOCLINUX)',
    source: 'ioctl_console(2); CVE-2023-28100',
  },
  {
    call: 'ioctl',
    args: [0n, 0x5423n],
    why: 'loads a line discipline into the kernel (TIOCSETD)',
    source: 'ioctl_tty(2); CVE-2017-2636',
  },
]
