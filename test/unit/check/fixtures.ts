// Adapters and surroundings that do not depend on the machine the tests run on.

import { check, type Findings } from '../../../src/check/check.ts'
import type { CheckMachine } from '../../../src/check/machine.ts'
import { probeAdapters } from '../../../src/check/probes.ts'
import type { Config } from '../../../src/config/schema.ts'
import type { Surroundings } from '../../../src/config/surroundings.ts'
import type { IsolationAdapter, Strength } from '../../../src/isolation/adapter.ts'
import { flags } from '../../../src/isolation/options.ts'
import type { Adapters } from '../../../src/isolation/registry.ts'

export const surroundings: Surroundings = { env: {}, cwd: '/', home: '/home/ada', isRoot: false, processors: 4 }

/** An adapter that makes the given promises and can run everywhere, unless told otherwise. */
export const adapterWith = (
  name: string,
  promises: readonly string[],
  probe: Partial<Awaited<ReturnType<IsolationAdapter['probe']>>> = {},
): IsolationAdapter => ({
  name,
  apiVersion: 1,
  capabilities: Object.fromEntries(promises.map((promise): [string, Strength] => [promise, 'enforced'])),
  defaults: { network: 'host', limits: {} },
  needs: [],
  floorFor: () => ({}),
  probe: async () => ({ usable: true, lost: [], ...probe }),
  prepare: () => Promise.reject(new Error('no test of checks launches anything')),
})

/** A laptop of somebody who is not root, on which every seccomp profile can be used. */
export const machine: CheckMachine = {
  isRoot: false,
  hasTenantUids: false,
  path: '/usr/bin:/bin',
  tryProfile: async () => undefined,
  lintProfile: async () => [],
  weighProfile: async () => ({ dangers: 0, ofDangers: 1, allowsOthers: false }),
  quotaOn: async () => ({ isKept: false, reason: 'it keeps none', fix: 'mount another' }),
}

/** What is found of a config when every adapter is asked about the machine. */
export const findingsOf = async (config: Config, adapters: Adapters, machine: CheckMachine): Promise<Findings> =>
  check(config, {
    adapters,
    faults: new Map(),
    machine,
    probes: await probeAdapters(adapters, new Set(adapters.keys()), machine),
  })

const confining = [
  'fs.privateRoot',
  'fs.privateTmp',
  'fs.secrets',
  'net.private',
  'res.memory',
  'res.pids',
  'res.files',
  'syscalls.filtered',
]

export const adapters: Adapters = new Map(
  [
    adapterWith('none', ['res.files']),
    { ...adapterWith('namespace', confining), options: flags({ nested: false }) },
    {
      ...adapterWith('sandbox', [...confining, 'net.egress', 'res.cpu', 'disk.quota', 'user.perTenantUid']),
      networks: ['private', 'internet'] as const,
    },
  ].map((adapter) => [adapter.name, adapter]),
)
