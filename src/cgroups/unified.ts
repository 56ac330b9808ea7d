// cgroup version 2 (Documentation/admin-guide/cgroup-v2.rst): one directory that bounds everything.
import { hasKnob, readCounter, readKnob, writeKnob } from './files.ts'
import { cpuPeriodUs, cpuQuotaUs, type Version } from './version.ts'

/**
 * How far below its bound an instance is made to give back what it can, before the kernel has to kill. Little, and never much in
 * bytes: what cannot be given back is paid for in sleep, 64 s times the square of the part it is over for every 128 KiB
 * (mm/memcontrol.c, calculate_high_delay), so that a tenth of a large bound is a minute in which it neither answers nor ends.
 */
const highDistance = (bytes: number): number => Math.min(Math.floor(bytes / 50), 4 * 1024 ** 2)

const setMemory = (directory: string, bytes: number): void => {
  writeKnob(directory, 'memory.max', bytes)
  writeKnob(directory, 'memory.high', bytes - highDistance(bytes))
  // Swap would let it take more, and make the machine slow for everybody. No file where the kernel has no swap to count.
  if (hasKnob(directory, 'memory.swap.max')) writeKnob(directory, 'memory.swap.max', 0)
  // All or none: an application that lost one of its processes is seldom of use to anyone.
  writeKnob(directory, 'memory.oom.group', 1)
}

export const unified: Version = {
  joinFile: 'cgroup.procs',
  // It could make none anyway, owning none of this; if it ever did, its bounds would still be these.
  begin: (directory) => writeKnob(directory, 'cgroup.max.descendants', 0),
  set: {
    memoryBytes: setMemory,
    processes: (directory, count) => writeKnob(directory, 'pids.max', count),
    cpus: (directory, cpus) => writeKnob(directory, 'cpu.max', `${cpuQuotaUs(cpus)} ${cpuPeriodUs}`),
    cpuWeight: (directory, weight) => writeKnob(directory, 'cpu.weight', weight),
  },
  memoryKills: (directory) => readCounter(directory, 'memory.events', 'oom_kill'),
  refusedForks: (directory) => readCounter(directory, 'pids.events', 'max'),
  memoryBytes: (directory) => {
    const text = readKnob(directory, 'memory.current')
    return text === undefined ? undefined : Number(text)
  },
  isEmpty: (directory) => readCounter(directory, 'cgroup.events', 'populated') === 0,
  kill: (directory) => {
    if (!hasKnob(directory, 'cgroup.kill')) return false // before Linux 5.14
    writeKnob(directory, 'cgroup.kill', 1)
    return true
  },
  setFrozen: (directory, isFrozen) => writeKnob(directory, 'cgroup.freeze', isFrozen ? 1 : 0),
  isFrozen: (directory) => readCounter(directory, 'cgroup.events', 'frozen') === 1,
}
