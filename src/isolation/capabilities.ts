// The vocabulary of promises an adapter can make, each with its sentence and the keys of [service.X] that need it.
// A capability is true on every machine; whether this machine can keep it is the adapter's probe. Adding one here adds its check.

/** A key of [service.X] that asks for a promise: with any value, or with this one alone. */
export interface Asking {
  readonly key:
    | 'network'
    | 'read'
    | 'write'
    | 'seccomp'
    | 'memory_max'
    | 'cpu_max'
    | 'cpu_weight'
    | 'pids_max'
    | 'files_max'
    | 'tmp_size'
  readonly value?: string
}

export interface Capability {
  /** What holds for an instance when the adapter makes this promise. */
  readonly promise: string
  readonly askedBy: readonly Asking[]
}

export const capabilities: Readonly<Record<string, Capability>> = {
  'fs.privateRoot': {
    promise: 'it finds only the files it was granted, and can change none but its own',
    askedBy: [{ key: 'read' }, { key: 'write' }],
  },
  'fs.privateTmp': { promise: 'it has a /tmp of its own, of bounded size', askedBy: [{ key: 'tmp_size' }] },
  'pid.private': { promise: 'it sees no process but its own', askedBy: [] },
  'ipc.private': { promise: 'it shares no System V IPC object or POSIX message queue with anybody', askedBy: [] },
  'user.perTenantUid': { promise: 'it runs as a uid no other instance has', askedBy: [] },
  'user.noNestedNs': { promise: 'it cannot make namespaces of its own', askedBy: [] },
  'priv.noNew': { promise: 'no program it starts gains privileges', askedBy: [] },
  'caps.none': { promise: 'it holds no capability of the kernel', askedBy: [] },
  'fd.clean': { promise: 'it inherits no descriptor beyond the ones it was given', askedBy: [] },
  'env.clean': { promise: 'its environment holds only what is declared', askedBy: [] },
  'tty.none': { promise: 'it has no terminal it could write into', askedBy: [] },
  'core.none': { promise: 'its memory is never written to disk when it crashes', askedBy: [] },
  'net.private': {
    promise: 'it has a network of its own, from which it reaches neither this machine nor others',
    askedBy: [
      { key: 'network', value: 'private' },
      { key: 'network', value: 'internet' },
    ],
  },
  'net.egress': {
    promise: 'it reaches the internet, and neither private networks nor this machine',
    askedBy: [{ key: 'network', value: 'internet' }],
  },
  'syscalls.filtered': {
    promise: 'it can make only the system calls its profile allows',
    askedBy: [{ key: 'seccomp' }],
  },
  'res.memory': { promise: 'its memory is bounded', askedBy: [{ key: 'memory_max' }] },
  'res.pids': { promise: 'the number of its processes and threads is bounded', askedBy: [{ key: 'pids_max' }] },
  'res.cpu': {
    promise: 'its share of the processors is bounded',
    askedBy: [{ key: 'cpu_max' }, { key: 'cpu_weight' }],
  },
  'res.files': { promise: 'the number of files it has open is bounded', askedBy: [{ key: 'files_max' }] },
  'restart.survives': { promise: 'it lives on when the server is restarted', askedBy: [] },
}
