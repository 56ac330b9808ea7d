// settings.metrics beside settings.listen: one place cannot answer both clients and a collector, and the second to listen there is
// refused by the kernel. Pure; names are not resolved.
import type { HostPort } from './addresses.ts'
import type { Issue } from './problem.ts'
import type { ReadFile } from './schema.ts'

export const checkMetrics = ({ settings: { listen, metrics } }: ReadFile): readonly Issue[] =>
  metrics !== undefined && listen.some((address) => takes(address, metrics))
    ? [
        {
          path: ['settings', 'metrics'],
          message: 'settings.metrics is where settings.listen has tenement answer clients',
          fix: 'give it a port of its own, such as "127.0.0.1:9464"',
        },
      ]
    : []

/** Whoever listens on every address has the port of each. Port 0 is another one each time. */
const takes = ({ host, port }: HostPort, metrics: HostPort): boolean =>
  port === metrics.port && port !== 0 && (host === metrics.host || isEvery(host, metrics.host))

/** "::" takes IPv4 too. */
const isEvery = (host: string, of: string): boolean => host === '::' || (host === '0.0.0.0' && !of.includes(':'))
