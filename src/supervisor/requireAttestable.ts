// An adapter that promises attested launches → a launch whose promises the launcher really compares with the kernel. The launcher
// looks at what is expected, and where nothing is expected it looks at nothing: an adapter that left it out would be believed.
// Pure. It does not know what the launcher finds.
import { TenementError } from '../errors.ts'
import type { IsolationAdapter, Launch, LaunchPlan, NamespaceKind } from '../isolation/adapter.ts'

const namespaceBehind: Readonly<Record<string, NamespaceKind>> = {
  'user.ns': 'user',
  'pid.private': 'pid',
  'fs.privateRoot': 'mnt',
  'ipc.private': 'ipc',
  'uts.private': 'uts',
  'cgroup.private': 'cgroup',
  'net.private': 'net',
}

/** Promises that a network of its own is the substance of; an instance that shares the machine's was promised none. */
const isPromisedTo = ({ network }: LaunchPlan, capability: string): boolean =>
  capability !== 'net.private' || network !== 'host'

/** Throws a TenementError that names the first promise of the adapter that the launch would not be attested for. */
export const requireAttestable = (
  { name, capabilities }: Pick<IsolationAdapter, 'name' | 'capabilities'>,
  plan: LaunchPlan,
  { expect }: Launch,
): void => {
  if (capabilities['launch.attested'] !== 'enforced') return
  const expected = new Set(expect?.namespaces)
  const unseen = Object.entries(namespaceBehind)
    .filter(([capability]) => capabilities[capability] === 'enforced' && isPromisedTo(plan, capability))
    .find(([, kind]) => !expected.has(kind))?.[0]
  const isUnfiltered =
    capabilities['syscalls.filtered'] === 'enforced' && plan.filter !== undefined && expect?.isFiltered !== true
  const missing =
    expect === undefined ? 'launch.attested' : (unseen ?? (isUnfiltered ? 'syscalls.filtered' : undefined))
  if (missing === undefined) return
  throw new TenementError(
    'start_failed',
    `isolation "${name}" promises "${missing}" and prepared a launch of ${plan.instance} that would not be attested for it`,
    { fix: `report it to whoever makes isolation "${name}", and use another meanwhile` },
  )
}
