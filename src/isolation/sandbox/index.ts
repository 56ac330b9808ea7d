// isolation = "sandbox": code that is not fully trusted. All that "namespace" does, with an allow-list of system calls, a
// network of its own always, and bounds on memory, processes and processors always: they are part of what is promised to the
// neighbours, so a machine that cannot keep one does not run it unless the config accepts the loss by name.
import { TenementError } from '../../errors.ts'
import { serviceOf } from '../../names.ts'
import type { IsolationAdapter } from '../adapter.ts'
import { bubblewrapCapabilities } from '../bubblewrap/capabilities.ts'
import { bubblewrapFloor } from '../bubblewrap/floor.ts'
import { bubblewrapLaunch } from '../bubblewrap/launch.ts'
import { readLayout } from '../bubblewrap/layout.ts'
import { sight } from '../bubblewrap/sight.ts'

const mebibyte = 1024 ** 2

/** Enough for a small server in any language, and too little to be felt by its neighbours. */
const limits = {
  memoryBytes: 512 * mebibyte,
  processes: 256,
  cpus: 1,
  openFiles: 16_384,
  tmpBytes: 64 * mebibyte,
} as const

export const sandbox: IsolationAdapter = {
  name: 'sandbox',
  apiVersion: 1,
  capabilities: {
    ...bubblewrapCapabilities,
    'user.noNestedNs': 'enforced',
    'net.noLoopback': 'enforced',
    'net.noMetadata': 'enforced',
    'uds.abstractPrivate': 'enforced',
  },
  defaults: { network: 'private', seccomp: 'default', limits },
  networks: ['private', 'internet'],
  needs: ['user.perTenantUid', 'res.memory', 'res.pids', 'res.cpu', 'syscalls.filtered'],
  sight,
  floorFor: bubblewrapFloor,
  // Loaded where it is asked: the server, which asks nothing, would keep in memory what runs programs for it.
  probe: async (machine) => (await import('../bubblewrap/probe.ts')).probeBubblewrap(machine),
  prepare: async (plan) => {
    if (plan.network === 'host') throw noHostNetwork(plan.instance)
    return bubblewrapLaunch(plan, { layout: readLayout(), isNested: false, tmpBytes: limits.tmpBytes })
  },
}

const noHostNetwork = (instance: string): TenementError =>
  new TenementError(
    'start_failed',
    `${instance} asks for the machine's network, which isolation "sandbox" gives nobody`,
    {
      fix: `set service.${serviceOf(instance)}.network to "private" or "internet", or isolation to "namespace"`,
    },
  )
