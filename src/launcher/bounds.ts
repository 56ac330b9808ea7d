// Which numbers a launch may carry: limits of its processes, bounds of its cgroup. Pure. The launcher sets both with rights that
// tenants lack, so a number out of range is no slip: -1 means "without bound" to a cgroup of version 1, and a limit on real-time
// priority (sched(7)) is the right to keep everybody else from running.
import type { Launch, LimitName, Resources } from '../isolation/adapter.ts'

/** The most that a limit may be where more would be a privilege: what a user has who was given nothing (getrlimit(2), mq_overview(7)). */
const mostLimits: Readonly<Partial<Record<LimitName, number>>> = {
  memlock: 8 * 1024 ** 2,
  msgqueue: 819_200,
  nice: 0,
  rtprio: 0,
}

interface Range {
  readonly least: number
  readonly most: number
  readonly isWhole: boolean
}

const ranges: Readonly<Record<keyof Resources, Range>> = {
  memoryBytes: { least: 1, most: Number.MAX_SAFE_INTEGER, isWhole: true },
  processes: { least: 1, most: Number.MAX_SAFE_INTEGER, isWhole: true },
  cpus: { least: 0.001, most: 100_000, isWhole: false },
  cpuWeight: { least: 1, most: 10_000, isWhole: true },
}

const wrongLimit = ([name, value]: [string, number]): string | undefined => {
  if (!Number.isSafeInteger(value) || value < 0) return `the limit ${name} = ${value} is no whole number of at least 0`
  const most = mostLimits[name as LimitName]
  return most === undefined || value <= most
    ? undefined
    : `the limit ${name} = ${value} is above ${most}, more than instances get`
}

const wrongBound = ([name, value]: [string, number]): string | undefined => {
  const { least, most, isWhole } = ranges[name as keyof Resources]
  if (value >= least && value <= most && (!isWhole || Number.isInteger(value))) return undefined
  return `the bound ${name} = ${value} is no ${isWhole ? 'whole ' : ''}number from ${least} to ${most}`
}

/** What is wrong with the numbers of a launch; undefined where nothing is. */
export const wrongNumber = ({ limits, resources }: Pick<Launch, 'limits' | 'resources'>): string | undefined =>
  [...Object.entries(limits).map(wrongLimit), ...Object.entries(resources).map(wrongBound)].find(
    (wrong) => wrong !== undefined,
  )
