// What the two versions of cgroups do differently, as one interface over the directory of a single cgroup. Neither knows which
// run it serves, nor where the directory came from.
import type { Bounds } from './support.ts'

export interface Version {
  /** The file into which a process writes "0" to join. */
  readonly joinFile: string
  /** Sets what a new cgroup needs whatever its bounds. */
  begin(directory: string): void
  /** Each sets one bound; throws what the kernel answered. */
  readonly set: { readonly [bound in keyof Bounds]-?: (directory: string, value: number) => void }
  /** How often the kernel killed a process of it for want of memory. */
  memoryKills(directory: string): number
  refusedForks(directory: string): number
  memoryBytes(directory: string): number | undefined
  isEmpty(directory: string): boolean
  /** Kills everything in it at once, if the kernel has a command for that. */
  kill(directory: string): boolean
  setFrozen(directory: string, isFrozen: boolean): void
  isFrozen(directory: string): boolean
}

/** Length of the time over which processor time is counted, in microseconds: the kernel's own default. */
export const cpuPeriodUs = 100_000

/** Processor time in each period; the kernel takes no less than a millisecond (kernel/sched/core.c, min_cfs_quota_period). */
export const cpuQuotaUs = (cpus: number): number => Math.max(Math.round(cpus * cpuPeriodUs), 1_000)
