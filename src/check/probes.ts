// Asks adapters what they can do on this machine, all at once, and each once however many services use it.
import { messageOf } from '../errors.ts'
import type { IsolationAdapter, Machine, Probe } from '../isolation/adapter.ts'
import type { Adapters } from '../isolation/registry.ts'

/** What each adapter found out, by its name. */
export type Probes = ReadonlyMap<string, Probe>

export const probeAdapters = async (
  adapters: Adapters,
  names: ReadonlySet<string>,
  machine: Machine,
): Promise<Probes> => {
  const asked = [...adapters.values()].filter(({ name }) => names.has(name))
  return new Map(
    await Promise.all(asked.map(async (adapter) => [adapter.name, await probe(adapter, machine)] as const)),
  )
}

/** Who cannot say what it keeps is taken at the worst. */
const probe = (adapter: IsolationAdapter, machine: Machine): Promise<Probe> =>
  adapter.probe(machine).catch((error: unknown) => ({
    usable: false,
    lost: [],
    problem: {
      reason: `it could not find out what this machine allows: ${messageOf(error)}`,
      fix: 'set another isolation, and report this: a probe must not fail',
    },
  }))
