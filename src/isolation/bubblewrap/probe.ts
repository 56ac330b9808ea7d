// Whether bubblewrap can confine anything on this machine, found by having it do so: the very view an instance gets, as the
// uid an instance would have. What root may do, or what a sysctl says, tells little: AppArmor, an outer container or a hardened
// unit refuse single steps. What it refuses becomes a cause and a fix by hostRestrictions.ts.
import { execa } from 'execa'
import { lostResources, probeResources } from '../../cgroups/probe.ts'
import type { Descriptor, Identity, Machine, Probe } from '../adapter.ts'
import { etcFiles } from './etcFiles.ts'
import { restrictionFor } from './hostRestrictions.ts'
import { readLayout } from './layout.ts'
import { bubblewrap, bubblewrapOptions } from './options.ts'
import { lostUplink } from './probeUplink.ts'
import { problemWithProgram } from './program.ts'
import { viewOf } from './view.ts'

type Problem = NonNullable<Probe['problem']>

/** Of this machine it is found out once, for all adapters that are asked about it together. */
const found = new WeakMap<Machine, Promise<Probe>>()

export const probeBubblewrap = (machine: Machine): Promise<Probe> => {
  const probe = found.get(machine) ?? tryBubblewrap(machine)
  found.set(machine, probe)
  return probe
}

const tryBubblewrap = async (machine: Machine): Promise<Probe> => {
  const identity = identityFor(machine)
  const problem = (await problemWithProgram(bubblewrap)) ?? (await problemWithTrial(identity))
  if (problem !== undefined) return { usable: false, lost: [], problem }
  const lost = [
    ...(machine.hasTenantUids ? [] : lostWithoutRoot),
    ...lostResources(probeResources()),
    ...(await lostUplink(machine.isRoot, identity)),
  ]
  return { usable: true, lost }
}

const lostWithoutRoot: Probe['lost'] = [
  {
    capability: 'user.perTenantUid',
    reason: 'without root every instance runs as the user who started tenement',
    fix: 'start tenement as root',
  },
]

/** As root never as root: it needs no permission to make namespaces. 65534 is nobody's. */
const identityFor = ({ isRoot, probeIdentity }: Machine): Identity | undefined =>
  probeIdentity ?? (isRoot ? { uid: 65_534, gid: 65_534 } : undefined)

/** A filter that allows everything: one BPF_RET of SECCOMP_RET_ALLOW (seccomp(2)). */
const allowAll = Buffer.from([0x06, 0, 0, 0, 0, 0, 0xff, 0x7f])

/**
 * For a launch of some milliseconds. A machine that has just booted starts everything at once, and what is found too slow then
 * stays refused until the next start: waiting is cheaper.
 */
const trialTimeoutMs = 30_000

const problemWithTrial = async (identity: Identity | undefined): Promise<Problem | undefined> => {
  const instance = 'probe:probe'
  const view = viewOf({
    layout: readLayout(),
    etc: etcFiles({ instance, home: '/', machine: undefined, resolvers: [] }),
    tmpBytes: 1024 ** 2,
    secrets: [],
    places: [],
    resources: {},
  })
  const inputs = { network: 'private', instance, env: {}, cwd: '/', isNested: false, view, filter: allowAll } as const
  const { options, descriptors } = bubblewrapOptions(inputs)
  const trial = await runTrial([...options, '--', '/usr/bin/true'], descriptors, identity)
  if (!trial.failed) return undefined
  if (trial.timedOut) return tooSlow
  return restrictionFor(trial.stderr ? String(trial.stderr) : (trial.shortMessage ?? 'it does not say why'))
}

const tooSlow: Problem = {
  reason: `bubblewrap did not end within ${trialTimeoutMs} ms`,
  fix: 'try it again when the machine is less busy',
}

/** What the launcher opens for a launch, in little: a gate that is open already, a mark nobody waits for. */
const standIn = (descriptor: Descriptor): Uint8Array =>
  descriptor.kind === 'content' ? descriptor.content : Buffer.from('\n')

/** Each under its number; those between stay closed. */
const placed = (descriptors: readonly Descriptor[]): ('ignore' | Uint8Array)[] => {
  const last = Math.max(...descriptors.map(({ fd }) => fd))
  return Array.from({ length: last - 2 }, (_, index) => {
    const descriptor = descriptors.find(({ fd }) => fd === index + 3)
    return descriptor === undefined ? 'ignore' : standIn(descriptor)
  })
}

const runTrial = (args: readonly string[], descriptors: readonly Descriptor[], identity: Identity | undefined) =>
  execa(bubblewrap, args, {
    // Descriptor 3 is a listener's and stays empty here.
    stdio: ['ignore', 'ignore', 'pipe', ...placed(descriptors)],
    env: {},
    extendEnv: false,
    cwd: '/',
    reject: false,
    timeout: trialTimeoutMs,
    killSignal: 'SIGKILL',
    ...identity,
  })
