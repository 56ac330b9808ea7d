// A request line → the route it asks for and what stands in its path. Pure, and strict: paths are compared as they were
// sent, never decoded or normalised, since no name within the grammar needs either.
import { Fault } from './fault.ts'
import type { Route } from './route.ts'
import { routes } from './routes.ts'

export interface Match {
  readonly route: Route
  readonly parameters: Readonly<Record<string, string>>
  readonly query: URLSearchParams
}

const isParameter = (segment: string): boolean => segment.startsWith('{')

/** The parameters of a path that has the form of `pattern`; undefined when it has another. */
const parametersOf = (pattern: string, path: string): Readonly<Record<string, string>> | undefined => {
  const wanted = pattern.split('/')
  const given = path.split('/')
  if (wanted.length !== given.length) return undefined
  const pairs = wanted.map((segment, index) => [segment, given[index] ?? ''] as const)
  if (pairs.some(([segment, value]) => !isParameter(segment) && segment !== value)) return undefined
  return Object.fromEntries(pairs.filter(([segment]) => isParameter(segment)))
}

const queryFor = (route: Route, written: string): URLSearchParams => {
  const query = new URLSearchParams(written)
  for (const key of new Set(query.keys())) {
    if (!route.query.includes(key))
      throw new Fault('bad_request', `this path takes no parameter ${JSON.stringify(key)}`)
    if (query.getAll(key).length > 1) throw new Fault('bad_request', `the parameter "${key}" is there more than once`)
  }
  return query
}

/** The route for a request line; throws a Fault for one that is not in the table. */
export const matchRoute = (method: string, target: string): Match => {
  const [path = '', ...rest] = target.split('?')
  const candidates = routes.flatMap((route) => {
    const parameters = parametersOf(route.path, path)
    return parameters ? [{ route, parameters }] : []
  })
  if (candidates.length === 0) throw new Fault('unknown_route', `there is nothing at ${JSON.stringify(path)}`)
  const match = candidates.find(({ route }) => route.method === method)
  if (match) return { ...match, query: queryFor(match.route, rest.join('?')) }
  const allow = candidates.map(({ route }) => route.method).join(', ')
  throw new Fault('wrong_method', `${method} is not answered here, only ${allow}`, { allow })
}
