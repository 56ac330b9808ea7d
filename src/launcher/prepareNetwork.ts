// A held program's own network → one in which the application may run: opened, limited, and connected with the machine's where the
// launch says so. In this order: nothing leads out before what must stay unreachable is.
import type { RunCgroup } from '../cgroups/runCgroup.ts'
import type { Launch } from '../isolation/adapter.ts'
import type { Networks, RunNetwork } from './networks.ts'
import type { FirstProcess } from './processes.ts'
import { limitBound, limitNetwork, localNetworks } from './routes.ts'
import { startUplink, type Uplink } from './uplink.ts'

export interface PreparedNetwork {
  readonly network: RunNetwork
  readonly uplink: Uplink | undefined
  /** Closes and ends what the launcher keeps of it. */
  release(): void
}

/** Whether connections are opened inside, something must be unreachable from inside, or inside leads out. */
export const needsNetwork = ({ reach, unreachable, uplink }: Launch): boolean =>
  (reach.kind === 'port' && reach.network === 'own') || unreachable !== undefined || uplink !== undefined

/** Resolves with undefined where the launch has nothing to do with a network of its own; rejects leaving nothing behind. */
export const prepareNetwork = async (
  networks: Networks,
  first: FirstProcess,
  launch: Launch,
  cgroup: RunCgroup | undefined,
): Promise<PreparedNetwork | undefined> => {
  if (!needsNetwork(launch)) return undefined
  const { unreachable, resolvers = [], identity } = launch
  const command = launch.uplink
  const network = networks.open(first)
  try {
    const all = unreachable === undefined ? undefined : [...unreachable, ...localNetworks()]
    if (all !== undefined) limitNetwork(networks, network, { unreachable: all, resolvers })
    const uplink = command === undefined ? undefined : await startUplink({ network, command, identity, cgroup })
    if (all !== undefined && uplink !== undefined) limitBoundOrEnd(networks, network, all, uplink)
    const release = (): void => {
      network.close()
      uplink?.kill()
    }
    return { network, uplink, release }
  } catch (error) {
    network.close()
    throw error
  }
}

/** Now that there is an interface; a launch that fails here leaves no uplink behind. */
const limitBoundOrEnd = (networks: Networks, network: RunNetwork, all: readonly string[], uplink: Uplink): void => {
  try {
    limitBound(networks, network, all)
  } catch (error) {
    uplink.kill()
    throw error
  }
}
