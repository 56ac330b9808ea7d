// Whether this machine can freeze instances. One that cannot keeps them ready instead, which costs processor time and breaks nothing.
import type { ResourceSupport } from '../cgroups/support.ts'
import { type Issue, showKey } from '../config/problem.ts'
import type { Service } from '../config/schema.ts'

/** Freezing is the same hierarchy's part as ending all processes at once. */
export const warnOfFreeze = ({ name, freezeAfterMs }: Service, found: ResourceSupport['kill']): readonly Issue[] => {
  if (freezeAfterMs === undefined || found === 'enforced') return []
  const path = ['service', name, 'freeze_after']
  const message = `${showKey(path)} is without effect on this machine, where instances stay ready instead: ${found.reason}`
  return [{ path, message, fix: found.fix }]
}
