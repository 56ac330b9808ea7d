// Where programs lie, found once at the start with the rights tenement starts with: the server later runs as a user that may
// not be able to look, and what an instance runs should not change because a file of that name appeared somewhere.
import { join } from 'node:path'
import { resolveProgram } from '../check/program.ts'
import type { Config } from '../config/schema.ts'
import { variablesOf } from '../config/template.ts'
import { TenementError } from '../errors.ts'
import type { CodeDir, Policy } from '../launcher/protocol.ts'
import type { PlanInputs } from '../supervisor/plan.ts'

/** Finds every program of the config; one that a template names is looked up by its path alone, when an instance starts. */
export const findPrograms = async ({ services }: Config, path: string): Promise<PlanInputs['findProgram']> => {
  const found = new Map<string, string>()
  for (const { command, cwd, env } of services.values()) {
    if (variablesOf(command[0]).length > 0) continue
    const place = { cwd, path: env.PATH ?? path }
    const program = await resolveProgram(command[0], place)
    if ('program' in program) found.set(keyOf(command[0], place), program.program)
  }
  return (name, place) => {
    const program =
      found.get(keyOf(name, place)) ??
      (name.includes('/') ? join('/', name.startsWith('/') ? name : join(place.cwd, name)) : undefined)
    if (program !== undefined) return program
    throw new TenementError(
      'start_failed',
      `"${name}" was not on the PATH of instances (${place.path}) when tenement started`,
      {
        fix: 'install it and restart tenement; tenement check tells whether it is found',
      },
    )
  }
}

const keyOf = (name: string, { cwd, path }: { readonly cwd: string; readonly path: string }): string =>
  `${name}\0${cwd}\0${path}`

/** Where tenants find a path that lies below a directory bound elsewhere for them. */
export const placeIn =
  (codeDirs: readonly CodeDir[]) =>
  (path: string): string => {
    const bound = codeDirs.find(
      ({ path: code, boundAt }) => boundAt !== undefined && (path === code || path.startsWith(`${code}/`)),
    )
    return bound?.boundAt === undefined ? path : join(bound.boundAt, path.slice(bound.path.length))
  }

/** Where the launcher finds what a service was granted: bound elsewhere, where tenants could not open it in its place. */
export const sourceIn =
  (grants: Policy['grants']): PlanInputs['sourceOf'] =>
  (service, kind, path) =>
    grants[service]?.[kind].find((grant) => grant.path === path)?.boundAt ?? path
