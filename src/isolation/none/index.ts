// isolation = "none": a plain process, for development and code you trust fully. As root each instance still runs as a uid of
// its own with a data directory nobody else can open, and within the bounds that were set; everything else of the machine is
// there to see.
import { lostResources, probeResources } from '../../cgroups/probe.ts'
import type { Directory, IsolationAdapter, Launch, LaunchPlan, Limits, Machine, Probe } from '../adapter.ts'
import { descriptorsFor, socketDirectories, umaskFor, withListenPid } from '../reach.ts'
import { resourcesOf, storageOf } from '../resources.ts'

const lostWithoutRoot: Probe['lost'] = [
  {
    capability: 'user.perTenantUid',
    reason: 'without root every instance runs as the user who started tenement',
    fix: 'start tenement as root',
  },
  // The files that bound it belong to the uid it runs as, and nothing hides them from it.
  ...['res.memory', 'res.pids', 'res.cpu'].map((capability) => ({
    capability,
    reason: 'without root an instance could lift its own bounds',
    fix: 'start tenement as root, or set isolation to "namespace"',
  })),
]

/** The data directory is the instance's alone; what else the plan lets it write must be there already. */
const directoriesFor = (plan: LaunchPlan): Directory[] => [
  { path: plan.dataDir, mode: 0o700, owner: 'tenant' },
  ...socketDirectories(plan.reach),
]

const limitsOf = ({ openFiles }: Limits): Launch['limits'] => (openFiles === undefined ? {} : { nofile: openFiles })

const prepare = async (plan: LaunchPlan): Promise<Launch> => ({
  argv: withListenPid(plan.argv, plan.reach),
  env: plan.env,
  cwd: plan.cwd,
  identity: plan.identity,
  umask: umaskFor(plan.reach),
  directories: directoriesFor(plan),
  descriptors: descriptorsFor(plan.reach),
  limits: limitsOf(plan.limits),
  resources: resourcesOf(plan.limits),
  ...storageOf(plan.limits),
  depth: 0,
  reach: plan.reach,
})

export const none: IsolationAdapter = {
  name: 'none',
  apiVersion: 1,
  capabilities: {
    'user.perTenantUid': 'enforced',
    'priv.noNew': 'enforced',
    'env.clean': 'enforced',
    'fd.clean': 'enforced',
    'core.none': 'enforced',
    'tty.none': 'enforced',
    'res.memory': 'enforced',
    'res.pids': 'enforced',
    'res.cpu': 'enforced',
    'res.files': 'enforced',
    'disk.quota': 'best-effort',
    'restart.survives': 'enforced',
  },
  defaults: { network: 'host', limits: {} },
  needs: [],
  // Nothing confines it; what was set to bound it does, whoever asks for it.
  floorFor: ({ limits }) => ({ resources: resourcesOf(limits), limits: limitsOf(limits), ...storageOf(limits) }),
  probe: async ({ hasTenantUids }: Machine) => ({
    usable: true,
    lost: hasTenantUids ? lostResources(probeResources()) : lostWithoutRoot,
  }),
  prepare,
}
