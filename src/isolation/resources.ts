// Which of the bounds a cgroup keeps. Pure.
import type { Limits, Resources } from './adapter.ts'

const names = ['memoryBytes', 'cpus', 'cpuWeight', 'processes'] as const satisfies readonly (keyof Resources)[]

export const resourcesOf = (limits: Limits): Resources =>
  Object.fromEntries(names.flatMap((name) => (limits[name] === undefined ? [] : [[name, limits[name]]])))
