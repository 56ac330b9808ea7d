// Which paths of the machine an instance is shown at their own place, and whether they may lie there together. Pure.
// bubblewrap before 0.12 follows a symlink in the parent of a mount's destination out of the sandbox (CVE-2026-87766), so
// nothing may be mounted below a place that a tenant can write: that is refused here, whatever version there is.
import { TenementError } from '../../errors.ts'
import { serviceOf } from '../../names.ts'
import type { LaunchPlan } from '../adapter.ts'
import { ownDirectories } from '../reach.ts'
import { coveredBy } from '../sight.ts'
import type { Operation } from './operations.ts'
import { sight } from './sight.ts'

export type Place = Extract<Operation, { kind: 'bind' }>

/** The places of a plan in the order in which they are bound: what lies inside another comes after it, the data last. */
export const placesOf = (plan: LaunchPlan): readonly Place[] => {
  const key = (name: string): string => `service.${serviceOf(plan.instance)}.${name}`
  const places = [
    { key: key('cwd'), ...place(plan.cwd, plan.cwd, false) },
    ...plan.read.map(({ path, source }) => ({ key: key('read'), ...place(path, source, false) })),
    ...plan.write.map(({ path, source }) => ({ key: key('write'), ...place(path, source, true) })),
    ...ownDirectories(plan.reach).map((path) => ({ key: 'settings.run_dir', ...place(path, path, true) })),
  ].sort((one, other) => (one.at < other.at ? -1 : 1))
  const all = [...withoutRepeats(places), { key: key('data'), ...place(plan.dataDir, plan.dataDir, true) }]
  for (const each of all) requireFree(each, plan.instance)
  for (const [index, each] of all.entries())
    for (const earlier of all.slice(0, index)) requireApart(each, earlier, plan.instance)
  return all.map(({ key: _, ...rest }) => rest)
}

interface Keyed extends Place {
  /** The key of the config by which it came here. */
  readonly key: string
}

const place = (at: string, source: string, isWritable: boolean): Place => ({ kind: 'bind', source, at, isWritable })

/** The folder of the code is often granted once more; that is no fault. */
const withoutRepeats = (places: readonly Keyed[]): readonly Keyed[] =>
  places.filter(
    ({ at, isWritable }, index) =>
      places.findIndex((other) => other.at === at && other.isWritable === isWritable) === index,
  )

const isBelow = (path: string, folder: string): boolean => path.startsWith(folder === '/' ? '/' : `${folder}/`)

const requireFree = ({ key, at }: Keyed, instance: string): void => {
  const covered = coveredBy(at, sight)
  if (covered !== undefined)
    throw refusal(key, `"${at}" cannot be shown to ${instance}, which has a "${covered}" of its own`)
}

const requireApart = (inner: Keyed, outer: Keyed, instance: string): void => {
  const isInside = outer.isWritable && isBelow(inner.at, outer.at)
  const isAround = inner.isWritable && isBelow(outer.at, inner.at)
  if (inner.at !== outer.at && !isInside && !isAround) return
  const message = `${instance} cannot be given "${inner.at}" (${inner.key}) beside "${outer.at}" (${outer.key}): nothing may lie inside what a tenant writes`
  throw refusal(inner.key, message)
}

const refusal = (key: string, message: string): TenementError =>
  new TenementError('start_failed', message, { fix: `set ${key} to a folder apart from it, such as one below /srv` })
