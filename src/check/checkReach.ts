// Whether tenement could reach what listens inside a network of the instance's own. Pure.
import { type Issue, quote, showKey } from '../config/problem.ts'
import type { Service } from '../config/schema.ts'
import type { IsolationAdapter, Machine } from '../isolation/adapter.ts'
import { tablesOf } from './promises.ts'

/**
 * Opening a connection to a port of another network namespace means entering it, for which setns(2) wants CAP_SYS_ADMIN in the
 * namespace that owns it and in the caller's own: without root the launcher has neither. Unix sockets cross namespaces by path.
 */
export const checkReach = (service: Service, adapter: IsolationAdapter, { isRoot }: Machine): readonly Issue[] => {
  // Of an adapter that gives no network of its own the key is a problem already.
  if (isRoot || service.listen !== 'port' || adapter.capabilities['net.private'] === undefined) return []
  const own = tablesOf(service)
    .map(({ keys }) => keys.network ?? service.network ?? adapter.defaults.network)
    .find((network) => network !== 'host')
  if (own === undefined) return []
  const path = ['service', service.name, 'listen']
  return [
    {
      path,
      code: 'unsupported_machine',
      message: `${showKey(path)} = "port" with network = ${quote(own)} needs root: only root can connect into a network of the instance's own`,
      value: '"port"',
      fix: 'set listen to "fd" or "unix", or start tenement as root',
    },
  ]
}
