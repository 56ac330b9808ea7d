// Adapters and surroundings that do not depend on the machine the tests run on.
import type { Adapters } from '../../../src/check/checkIsolation.ts'
import type { Surroundings } from '../../../src/config/surroundings.ts'
import type { IsolationAdapter, Strength } from '../../../src/isolation/adapter.ts'

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
  probe: async () => ({ usable: true, lost: [], ...probe }),
  prepare: () => Promise.reject(new Error('no test of checks launches anything')),
})

const confining = [
  'fs.privateRoot',
  'fs.privateTmp',
  'net.private',
  'res.memory',
  'res.pids',
  'res.files',
  'syscalls.filtered',
]

export const adapters: Adapters = new Map(
  [
    adapterWith('none', ['res.files']),
    adapterWith('namespace', confining),
    adapterWith('sandbox', [...confining, 'net.egress', 'res.cpu']),
  ].map((adapter) => [adapter.name, adapter]),
)
