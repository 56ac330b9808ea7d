// A service as one tenant has it: [service.X.tenant.ID] over [service.X]. Pure.
import type { Service } from './schema.ts'

/** The service with the tenant's overrides in place; its variables are added to the service's, everything else replaces. */
export const serviceFor = (service: Service, id: string): Service => {
  const overrides = Object.hasOwn(service.tenant, id) ? service.tenant[id] : undefined
  return overrides === undefined ? service : { ...service, ...overrides, env: { ...service.env, ...overrides.env } }
}
