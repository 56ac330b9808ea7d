// Calls that every program may make and a short trace may miss: what the C library and the kernel do on rare days. A profile
// without them would break a service long after it was traced. Each group says when it happens.

const essentials: Readonly<Record<string, readonly string[]>> = {
  'the sandbox executes the application, and waits for it as the first process of its namespace': [
    ...['execve', 'wait4', 'waitid', 'exit', 'exit_group', 'read', 'write', 'close'],
  ],
  'a program begins: its loader and its C library': [
    ...['brk', 'mmap', 'mprotect', 'munmap', 'openat', 'open', 'pread64', 'fstat', 'newfstatat', 'access', 'faccessat'],
    ...['arch_prctl', 'set_tid_address', 'set_robust_list', 'rseq', 'prlimit64', 'getrandom', 'readlink', 'uname'],
  ],
  'memory grows and is given back': ['mremap', 'madvise'],
  'a signal comes and a handler returns; a call that was interrupted goes on (restart_syscall(2))': [
    ...['rt_sigaction', 'rt_sigprocmask', 'rt_sigreturn', 'rt_sigpending', 'rt_sigsuspend', 'sigaltstack'],
    'restart_syscall',
  ],
  'a program ends itself: abort(3), and the signal it sends for that': ['getpid', 'gettid', 'tgkill', 'kill'],
  'threads wait for each other': ['futex', 'sched_yield'],
  'the clock is not to be had without a call: where the vDSO cannot tell it (vdso(7))': [
    ...['clock_gettime', 'clock_getres', 'gettimeofday', 'time', 'clock_nanosleep', 'nanosleep'],
  ],
  'errors are written: to where output goes, with the time of day': ['writev', 'lseek', 'fcntl', 'stat', 'lstat'],
}

export const essentialCalls: ReadonlySet<string> = new Set(Object.values(essentials).flat())
