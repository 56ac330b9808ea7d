// Resource limits of processes (prlimit(2)), and who the kernel ends first when memory runs out. Set by the launcher from
// outside, with rights the tenant lacks, so that no wrapper has to run before the program.
import { readFileSync, writeFileSync } from 'node:fs'
import type { Launch, LimitName } from '../isolation/adapter.ts'
import { setLimit } from './libc.ts'

/** Numbers of the resources (asm-generic/resource.h). */
const resources: Readonly<Record<LimitName, number>> = {
  fsize: 1,
  nproc: 6,
  nofile: 7,
  memlock: 8,
  msgqueue: 12,
  nice: 13,
  rtprio: 14,
}

export const limitNames = Object.keys(resources) as LimitName[]

/** CAP_SYS_RESOURCE (linux/capability.h). */
const mayLimitOthers = 24n

/**
 * Whether limits can be set from outside: of a process of another uid only with CAP_SYS_RESOURCE (prlimit(2)), which root has
 * not got everywhere, for example in a container.
 */
export const canLimit = (identity: Launch['identity']): boolean => {
  if (identity === undefined) return true
  const effective = /^CapEff:\t(\w+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'
  return ((BigInt(`0x${effective}`) >> mayLimitOthers) & 1n) === 1n
}

/** Soft and hard; what the process starts from then on inherits them. */
export const applyLimits = (pid: number, limits: Launch['limits']): void => {
  for (const name of limitNames) {
    const value = limits[name]
    if (value !== undefined) setLimit(pid, resources[name], value)
  }
}

const scoreFile = '/proc/self/oom_score_adj'
/** How much sooner than tenement itself instances are ended. */
const tenantPenalty = 200

/**
 * Runs `start` with the score that instances inherit. Written by a process with CAP_SYS_RESOURCE it is also the lower bound
 * that what is started may ever choose for itself (proc(5), oom_score_adj).
 */
export const withTenantScore = <T>(start: () => T): T => {
  const own = readFileSync(scoreFile, 'utf8').trim()
  writeFileSync(scoreFile, String(Math.min(Number(own) + tenantPenalty, 1_000)))
  try {
    return start()
  } finally {
    writeFileSync(scoreFile, own)
  }
}
