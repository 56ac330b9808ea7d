// freeze_after beside idle_timeout: an instance that is stopped first is never frozen, which nobody writes on purpose. Pure.
import type { Issue } from './problem.ts'
import type { ReadFile, ReadService } from './schema.ts'

export const checkFreeze = (read: ReadFile): readonly Issue[] =>
  Object.entries(read.service)
    .filter(([, service]) => service.freezeAfterMs !== undefined && service.freezeAfterMs >= longestIdleMs(service))
    .map(([name]) => ({
      path: ['service', name, 'freeze_after'],
      message: `service.${name}.freeze_after is not shorter than service.${name}.idle_timeout, so nothing is ever frozen`,
      fix: 'make freeze_after shorter, or idle_timeout longer or "never"',
    }))

/** The longest that any instance of it may go unused before it is stopped. */
const longestIdleMs = ({ idleTimeoutMs, tenant }: ReadService): number => {
  const tenants = Object.values(tenant).filter((overrides) => 'idleTimeoutMs' in overrides)
  const times = [idleTimeoutMs, ...tenants.map((overrides) => overrides.idleTimeoutMs)]
  return Math.max(...times.map((time) => time ?? Number.POSITIVE_INFINITY))
}
