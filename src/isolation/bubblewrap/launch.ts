// A plan → the launch that runs it under bubblewrap. Pure: what the machine looks like comes in as a value.
// bubblewrap is given an empty environment and its options through a descriptor, since /proc/PID/environ and cmdline of the
// instance's first process show it what bubblewrap was started with, and the machine's other users the same.
import { TenementError } from '../../errors.ts'
import type { Expectation, Launch, LaunchPlan, NamespaceKind, Network } from '../adapter.ts'
import { descriptorsFor, socketDirectories, umaskFor } from '../reach.ts'
import { resourcesOf, storageOf } from '../resources.ts'
import { etcFiles, innerUid } from './etcFiles.ts'
import { mountsAfter } from './expectation.ts'
import type { Layout } from './layout.ts'
import { limitsFor } from './limits.ts'
import type { Operation } from './operations.ts'
import { bubblewrap, bubblewrapOptions } from './options.ts'
import { requireResolvers, uplink } from './pasta.ts'
import { placesOf } from './places.ts'
import { viewOf } from './view.ts'

export interface Confinement {
  readonly layout: Layout
  /** Whether the instance may make namespaces of its own. */
  readonly isNested: boolean
  /** Bytes of /tmp where the plan does not say. */
  readonly tmpBytes: number
}

/** Rejects what it cannot confine whole; throws a TenementError with the way out. */
export const bubblewrapLaunch = (plan: LaunchPlan, confinement: Confinement): Launch => {
  const filter = requireFilter(plan)
  const { layout, isNested } = confinement
  const machine = plan.network === 'host' ? layout : undefined
  const resolvers = plan.network === 'internet' ? requireResolvers(layout.resolvers, plan.instance) : []
  const view = viewOf({
    layout,
    etc: etcFiles({ instance: plan.instance, home: plan.dataDir, machine, resolvers }),
    tmpBytes: plan.limits.tmpBytes ?? confinement.tmpBytes,
    secrets: plan.secrets,
    places: placesOf(plan),
    resources: resourcesOf(plan.limits),
  })
  const { network, instance, cwd } = plan
  const env = { ...plan.env, ...listenPid(plan.reach) }
  const { options, descriptors } = bubblewrapOptions({ network, instance, env, cwd, isNested, view, filter })
  return {
    argv: [bubblewrap, ...options, '--', ...plan.argv],
    env: {},
    cwd: plan.cwd,
    identity: plan.identity,
    umask: umaskFor(plan.reach),
    directories: [{ path: plan.dataDir, mode: 0o700, owner: 'tenant' }, ...socketDirectories(plan.reach)],
    descriptors: [...descriptorsFor(plan.reach), ...descriptors],
    limits: limitsFor(plan),
    resources: resourcesOf(plan.limits),
    ...storageOf(plan.limits),
    depth: 2,
    expect: expectationOf(plan, view, layout),
    ...(plan.network === 'internet' ? { uplink, resolvers, unreachable: layout.unreachable } : {}),
    reach: plan.reach,
  }
}

/**
 * LISTEN_PID is the pid of the application (sd_listen_fds(3)) in its own namespace, where bubblewrap is the first process and starts
 * nothing else: no shell has to look it up.
 */
const listenPid = ({ kind }: LaunchPlan['reach']): Readonly<Record<string, string>> =>
  kind === 'fd' ? { LISTEN_PID: '2' } : {}

const requireFilter = ({ filter, instance }: LaunchPlan): Uint8Array => {
  // An empty program is what a profile that could not be read would look like; bubblewrap would refuse it later and less clearly.
  if (filter !== undefined && filter.length > 0) return filter
  throw new TenementError('start_failed', `${instance} has no compiled seccomp filter, and is not started without one`)
}

const alwaysOwn: readonly NamespaceKind[] = ['user', 'pid', 'mnt', 'ipc', 'uts', 'cgroup']

/** Those an instance on this network shares with nobody. */
export const namespacesFor = (network: Network): readonly NamespaceKind[] =>
  network === 'host' ? alwaysOwn : [...alwaysOwn, 'net']

const expectationOf = (plan: LaunchPlan, view: readonly Operation[], { mounts }: Layout): Expectation => ({
  namespaces: namespacesFor(plan.network),
  innerUid,
  innerGid: innerUid,
  ...mountsAfter(view, mounts),
  isFiltered: true,
  descriptors: [0, 1, 2, ...descriptorsFor(plan.reach).map(({ fd }) => fd)],
})
