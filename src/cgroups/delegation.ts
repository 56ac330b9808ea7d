// Where in the version 2 tree cgroups may be made. Each cgroup there has one writer: below a unit of systemd that is the unit's own
// processes, if it says Delegate= (systemd's CGROUP_DELEGATION.md); where no service manager runs, it is root.
import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { directoryOf, type Hierarchy } from './hierarchies.ts'
import type { CgroupMachine } from './machine.ts'
import { type Absence, notDelegated, notWritable, readOnly } from './support.ts'

/** The leaf for tenement itself: a cgroup that hands controllers down may hold no process of its own (cgroup-v2, "No Internal Process Constraint"). */
export const supervisorLeaf = 'supervisor'

/** The cgroup that is ours, as a path of /proc/PID/cgroup: above the leaf an earlier start, or systemd's DelegateSubgroup=, put us in. */
const ownUnit = (own: string): string => (basename(own) === supervisorLeaf ? dirname(own) : own)

/** The one cgroup that has no type: the root of all, which may hold processes and hand down controllers. */
export const isTrueRoot = (directory: string): boolean => !existsSync(join(directory, 'cgroup.type'))

const isUserUnit = (path: string): boolean => /\/user@\d+\.service\/./.test(path)

/** The directory below which cgroups may be made, or why there is none. */
export const findBase = (hierarchy: Hierarchy, machine: CgroupMachine): string | Absence => {
  const unit = ownUnit(hierarchy.own)
  // Without a service manager nobody else writes the tree: the top is as good a place as any, and found again by the next start.
  const directory = machine.isRoot && !machine.isManaged ? hierarchy.mountPoint : directoryOf(hierarchy, unit)
  if (!machine.canWrite(directory)) return machine.isRoot ? readOnly(hierarchy.mountPoint) : notWritable(unit)
  if (!machine.isManaged || unit === hierarchy.top) return directory
  return machine.isDelegated(basename(unit), isUserUnit(unit)) ? directory : notDelegated(unit, machine.isRoot)
}
