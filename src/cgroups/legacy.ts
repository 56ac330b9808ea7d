// cgroup version 1 (Documentation/admin-guide/cgroup-v1): each controller a tree of its own, and no command that kills.
// Surprising: a process joins by `tasks`, not by cgroup.procs. A single thread that moves itself needs no lock over all forks of
// the machine (cgroup_procs_write_start() in kernel/cgroup/cgroup.c), and so no wait for an RCU grace period: 0.02 ms against
// 5 to 17 measured. The process that joins has one thread only, so that thread is all of it.
import { hasKnob, pidsIn, readCounter, readKnob, writeKnob } from './files.ts'
import { cpuPeriodUs, cpuQuotaUs, type Version } from './version.ts'

const setMemory = (directory: string, bytes: number): void => {
  writeKnob(directory, 'memory.limit_in_bytes', bytes)
  // Memory and swap together; it may not be less than the bound on memory, so it comes second.
  if (hasKnob(directory, 'memory.memsw.limit_in_bytes')) writeKnob(directory, 'memory.memsw.limit_in_bytes', bytes)
  else writeKnob(directory, 'memory.swappiness', 0)
}

const setCpus = (directory: string, cpus: number): void => {
  writeKnob(directory, 'cpu.cfs_period_us', cpuPeriodUs)
  writeKnob(directory, 'cpu.cfs_quota_us', cpuQuotaUs(cpus))
}

/** The usual weight is 100 in version 2 and 1024 shares here; 2 shares are the fewest. */
const sharesOf = (weight: number): number => Math.max(2, Math.round((weight * 1_024) / 100))

export const legacy: Version = {
  joinFile: 'tasks',
  begin: () => undefined,
  set: {
    memoryBytes: setMemory,
    processes: (directory, count) => writeKnob(directory, 'pids.max', count),
    cpus: setCpus,
    cpuWeight: (directory, weight) => writeKnob(directory, 'cpu.shares', sharesOf(weight)),
  },
  memoryKills: (directory) => readCounter(directory, 'memory.oom_control', 'oom_kill'),
  refusedForks: (directory) => readCounter(directory, 'pids.events', 'max'),
  memoryBytes: (directory) => {
    const text = readKnob(directory, 'memory.usage_in_bytes')
    return text === undefined ? undefined : Number(text)
  },
  isEmpty: (directory) => pidsIn(directory).length === 0,
  kill: () => false,
  setFrozen: (directory, isFrozen) => writeKnob(directory, 'freezer.state', isFrozen ? 'FROZEN' : 'THAWED'),
  isFrozen: (directory) => readKnob(directory, 'freezer.state')?.trim() === 'FROZEN',
}
