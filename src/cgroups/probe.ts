// Whether this machine can keep the promises about resources, asked before any launcher runs: by `tenement check` and by the
// adapters' probes. Makes nothing and moves nobody. What it cannot see is asked of systemd: a check in a terminal runs in the
// terminal's own cgroup, while the tenement it is meant for runs in its unit's.
import { detectHomes, type Home, isHome } from './detect.ts'
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
