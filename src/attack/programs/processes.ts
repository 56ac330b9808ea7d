// Other processes, and what a process may change about itself.
import { spawn } from 'node:child_process'
import {
  closeSync,
  constants as openFlags,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { constants, getPriority } from 'node:os'
import { type Attack, requireThat } from '../attempt.ts'
import { addressOf, call } from '../kernel.ts'
import type { Targets } from '../targets.ts'

/** What nobody dies of: ignored unless it is handled. */
const { SIGWINCH } = constants.signals

export const processes = ({ machine, neighbour }: Targets): readonly Attack[] => [
  {
    row: '26',
    attempts: {
      ...ptraceOf('its neighbour', neighbour.pid),
      ...Object.assign({}, ...machine.processes.map((pid) => ptraceOf(`process ${pid} of tenement`, pid))),
    },
    twin: ownChild,
  },
  {
    row: '26.parent',
    attempts: { ...ptraceOf('process 1', 1), ...ptraceOf('its parent', process.ppid) },
    twin: ownChild,
  },
  {
    row: '27',
    attempts: {
      'signal its neighbour': () => call('kill', neighbour.pid, SIGWINCH),
      'signal the process group of its neighbour': () => call('kill', -neighbour.pid, SIGWINCH),
      ...Object.fromEntries(
        machine.processes.map((pid) => [`signal process ${pid} of tenement`, () => call('kill', pid, SIGWINCH)]),
      ),
    },
    twin: ['signal itself', () => call('kill', process.pid, SIGWINCH)],
  },
  {
    row: '46',
    attempts: {
      'raise its priority': () => call('setpriority', 0, 0, getPriority() - 1),
      'run before all others': () => call('sched_setscheduler', 0, 1, Buffer.from([1, 0, 0, 0])),
      'run by a deadline': () => call('sched_setattr', 0, deadline(), 0),
      'raise its limit on open files': () => raiseLimit(7),
      'raise its limit on core files': () => raiseLimit(4),
    },
    twin: ['lower its limit on open files', () => setLimit(7, 4_000)],
  },
  {
    row: '46.score',
    attempts: { 'be ended later than others when memory runs out': lowerScore },
    twin: ['be ended sooner', () => writeFileSync('/proc/self/oom_score_adj', '1000')],
  },
  {
    row: '64',
    attempts: {
      'attach to the first process': () => call('ptrace', 0x4206, 1, 0, 0),
      'take a descriptor of the first process': () => call('pidfd_getfd', call('pidfd_open', 1, 0), 0, 0),
      'write an exit status where the first process reports it': writeExitStatus,
    },
    twin: ['see the first process', () => readFileSync('/proc/1/stat')],
  },
  {
    row: '64.memory',
    attempts: { 'open the memory of the first process': () => closeSync(openSync('/proc/1/mem', 'r+')) },
    twin: ['open its own', () => closeSync(openSync('/proc/self/mem', 'r+'))],
  },
]

/** PTRACE_SEIZE does not stop what it attaches to, and lets go when the attacker ends (ptrace(2)). */
const ptraceOf = (who: string, pid: number): Attack['attempts'] => ({
  [`attach to ${who}`]: () => call('ptrace', 0x4206, pid, 0, 0),
  [`read the memory of ${who}`]: () => readMemory(pid),
  [`take a descriptor of ${who}`]: () => closeSync(call('pidfd_getfd', call('pidfd_open', pid, 0), 0, 0)),
})

/** Where the program of a process lies is not known outside of it; any address serves to ask whether it may be read. */
const readMemory = (pid: number): void => {
  const bytes = Buffer.alloc(8)
  const vector = Buffer.alloc(16)
  vector.writeBigUInt64LE(addressOf(bytes), 0)
  vector.writeBigUInt64LE(8n, 8)
  const there = Buffer.from(vector)
  try {
    call('process_vm_readv', pid, vector, 1, there, 1, 0)
  } catch (error) {
    // EFAULT: it was allowed to look, there was only nothing at that place.
    if (!(error instanceof Error) || error.message !== 'EFAULT') throw error
  }
}

const ownChild: Attack['twin'] = [
  'signal a child of its own',
  () => {
    const child = spawn('/bin/sleep', ['10'])
    call('kill', child.pid ?? -1, constants.signals.SIGKILL)
  },
]

/** struct sched_attr: SCHED_DEADLINE, a millisecond of every ten (sched_setattr(2)). */
const deadline = (): Buffer => {
  const attributes = Buffer.alloc(48)
  attributes.writeUInt32LE(48, 0)
  attributes.writeUInt32LE(6, 4)
  attributes.writeBigUInt64LE(1_000_000n, 24)
  attributes.writeBigUInt64LE(10_000_000n, 32)
  attributes.writeBigUInt64LE(10_000_000n, 40)
  return attributes
}

const limitOf = (resource: number): readonly [soft: bigint, hard: bigint] => {
  const limit = Buffer.alloc(16)
  call('prlimit64', 0, resource, null, limit)
  return [limit.readBigUInt64LE(0), limit.readBigUInt64LE(8)]
}

const raiseLimit = (resource: number): void => {
  const [soft, hard] = limitOf(resource)
  const limit = Buffer.alloc(16)
  limit.writeBigUInt64LE(soft, 0)
  limit.writeBigUInt64LE(hard + 1n, 8)
  call('prlimit64', 0, resource, limit, null)
}

const setLimit = (resource: number, soft: number): void => {
  const limit = Buffer.alloc(16)
  limit.writeBigUInt64LE(BigInt(soft), 0)
  limit.writeBigUInt64LE(limitOf(resource)[1], 8)
  call('prlimit64', 0, resource, limit, null)
}

const lowerScore = (): void => {
  const before = readFileSync('/proc/self/oom_score_adj', 'utf8').trim()
  writeFileSync('/proc/self/oom_score_adj', String(Number(before) - 1))
}

/** The first process under bubblewrap tells its monitor by an eventfd how the application ended. */
const writeExitStatus = (): string => {
  const events = readdirSync('/proc/1/fd').filter((fd) => readlinkSync(`/proc/1/fd/${fd}`).includes('eventfd'))
  requireThat(events.length > 0, 'it has none open')
  const status = Buffer.alloc(8)
  status.writeBigUInt64LE(1n, 0)
  const fd = openSync(`/proc/1/fd/${events[0]}`, openFlags.O_WRONLY)
  writeSync(fd, status)
  return events.join(' ')
}
