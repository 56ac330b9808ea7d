// What the kernel knows of a process: the processor time it had, the memory it holds; and on which core it may run.
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { cpus } from 'node:os'

/** Nanoseconds that the threads of a process have had a processor (Documentation/scheduler/sched-stats.rst). */
export const processorNs = (pid) =>
  readdirSync(`/proc/${pid}/task`).reduce(
    (sum, thread) => sum + Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]),
    0,
  )

/** Bytes of memory a process holds at the moment. */
export const residentBytes = (pid) =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))[1]) * 1024

export const childrenOf = (pid) =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean).map(Number)

/** The load and what answers in the end share one core, what lies between has the other: so nobody wins by crowding out. */
export const cores = cpus().length > 1 ? { proxy: '0', others: '1' } : { proxy: '0', others: '0' }

/** Keeps every thread of a running process on one core. */
export const pin = (pid, core) => execFileSync('taskset', ['-a', '-c', '-p', core, String(pid)], { stdio: 'ignore' })

/** A command that runs on one core. */
export const pinned = (core, [program, ...args]) => ['taskset', ['-c', core, program, ...args]]
