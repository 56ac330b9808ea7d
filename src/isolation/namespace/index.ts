// isolation = "namespace": your own code for many customers. An instance sees its own processes and only the files it was
// granted, under a filter that refuses the system calls nobody serves requests with; the network is the machine's unless it
// asks for one of its own. Kernel faults in what the filter lets through are not defended against: that is "sandbox".
import { lostToNested } from '../../cgroups/probe.ts'
import type { IsolationAdapter } from '../adapter.ts'
import { bubblewrapCapabilities } from '../bubblewrap/capabilities.ts'
import { bubblewrapFloor } from '../bubblewrap/floor.ts'
import { bubblewrapLaunch } from '../bubblewrap/launch.ts'
import { readLayout } from '../bubblewrap/layout.ts'
import { sight } from '../bubblewrap/sight.ts'
import { flags } from '../options.ts'

export interface NamespaceOptions {
  /** Lets an instance make namespaces of its own, for programs that confine parts of themselves, such as Chromium. */
  readonly nested?: boolean
}

const defaults = { network: 'host', seccomp: 'permissive', limits: { tmpBytes: 64 * 1024 ** 2 } } as const

export const namespace: IsolationAdapter<NamespaceOptions> = {
  name: 'namespace',
  apiVersion: 1,
  capabilities: bubblewrapCapabilities,
  defaults,
  defaultsFor: ({ nested }) => (nested ? { ...defaults, seccomp: 'nested' } : defaults),
  needs: ['syscalls.filtered'],
  options: flags({ nested: false }),
  sight,
  floorFor: bubblewrapFloor,
  probe: async (machine) => {
    const { lost, ...probe } = await (await import('../bubblewrap/probe.ts')).probeBubblewrap(machine)
    const onlyWith = { nested: true }
    return { ...probe, lost: [...lost, ...lostToNested().map((loss) => ({ ...loss, onlyWith }))] }
  },
  prepare: async (plan) =>
    bubblewrapLaunch(plan, {
      layout: readLayout(),
      isNested: plan.options.nested === true,
      tmpBytes: defaults.limits.tmpBytes,
    }),
}
