// Whether this machine can keep the promises about resources, asked before any launcher runs: by `tenement check` and by the
// adapters' probes. Makes nothing and moves nobody. What it cannot see is asked of systemd: a check in a terminal runs in the
// terminal's own cgroup, while the tenement it is meant for runs in its unit's.
import { detectHomes, type Home, isHome } from './detect.ts'
import { isNsDelegated } from './hierarchies.ts'
import { type CgroupMachine, thisMachine } from './machine.ts'
import { type Absence, type Resource, type ResourceSupport, resourceNames, resources } from './support.ts'

/** The unit that tenement is usually started by. */
const usualUnit = 'tenement.service'

const isInUnit = (found: Absence, { isManaged, isRoot, isDelegated }: CgroupMachine): boolean =>
  found.isOfUnit === true && isManaged && isDelegated(usualUnit, !isRoot)

export const probeResources = (machine: CgroupMachine = thisMachine()): ResourceSupport => {
  const homes = detectHomes(machine)
  const answer = (found: Home | Absence): 'enforced' | Absence =>
    isHome(found) || isInUnit(found, machine) ? 'enforced' : found
  const entries = resourceNames.map((resource) => [resource, answer(homes[resource])] as const)
  return Object.fromEntries(entries) as Record<Resource, 'enforced' | Absence>
}

/**
 * The promises lost besides to an instance that may make namespaces of its own, where all run as tenement's user: it can mount its
 * cgroup, whose files are that user's, and write what bounds it, unless the kernel was told not to let it.
 */
export const lostToNested = (machine: CgroupMachine = thisMachine()): ReturnType<typeof lostResources> => {
  if (machine.isRoot || isNsDelegated(machine.mountinfo)) return []
  const support = probeResources(machine)
  return resourceNames.flatMap((resource) => {
    const { capability } = resources[resource]
    return support[resource] !== 'enforced' || capability === undefined ? [] : [{ capability, ...liftable }]
  })
}

const liftable = {
  reason: 'without root an instance that makes namespaces of its own could mount its cgroup and lift its bounds',
  fix: 'set nested to false, start tenement as root, or have root run mount -o remount,nsdelegate /sys/fs/cgroup',
}

/** The promises that are lost here, as an adapter's probe tells them. */
export const lostResources = (
  support: ResourceSupport,
): readonly { readonly capability: string; readonly reason: string; readonly fix: string }[] =>
  resourceNames.flatMap((resource) => {
    const found = support[resource]
    const { capability } = resources[resource]
    return found === 'enforced' || capability === undefined
      ? []
      : [{ capability, reason: found.reason, fix: found.fix }]
  })
