// Where each start of an instance listens: on a port of the machine's, which is its own until it has ended, on the one port of a
// network in which nobody else is, or on a socket named after the start.
import { join } from 'node:path'
import type { Service } from '../config/schema.ts'
import type { Network, Reach } from '../isolation/adapter.ts'
import type { Ports } from './ports.ts'

export interface Reaches {
  /** For a start named `run`; to be given back when nothing of it is left. */
  take(service: Pick<Service, 'listen'>, network: Network, run: string): Promise<Reach>
  /** That of a process which an earlier server started. */
  keep(reach: Reach): void
  giveBack(reach: Reach): void
}

/** The port of every instance that has a network of its own: there is nobody there to share it with. */
const ownPort = 8_080

const holdsPort = (reach: Reach): reach is Extract<Reach, { kind: 'port' }> =>
  reach.kind === 'port' && reach.network === 'host'

export const createReaches = (ports: Ports, runDir: string): Reaches => ({
  async take({ listen }, network, run) {
    if (listen === 'fd') return { kind: 'fd', socket: join(runDir, 's', `${run}.sock`) }
    if (listen === 'unix') return { kind: 'unix', socket: join(runDir, 'u', run, 'app.sock') }
    return network === 'host'
      ? { kind: 'port', port: await ports.take(), network: 'host' }
      : { kind: 'port', port: ownPort, network: 'own' }
  },
  keep(reach) {
    if (holdsPort(reach)) ports.keep(reach.port)
  },
  giveBack(reach) {
    if (holdsPort(reach)) ports.free(reach.port)
  },
})
