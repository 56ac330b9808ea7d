// The grammar of service names and instance ids, and the written form 'service:id' of an instance.
// Everything that turns a name into a path, a host label or an argument relies on this check having been made.

/** A service name or instance id: one DNS label in lower case (RFC 1035 section 2.3.1, digits first allowed by RFC 1123). */
export const namePattern = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/** One tenant's copy of one service. */
export interface InstanceName {
  readonly service: string
  readonly id: string
}

export const isName = (text: string): boolean => namePattern.test(text)

/** The written form, 'notes:alice': how an instance is named in logs, commands and maps. */
export const formatInstance = ({ service, id }: InstanceName): string => `${service}:${id}`

/** The service in the written form of an instance. */
export const serviceOf = (instance: string): string => instance.slice(0, instance.indexOf(':'))

/** Reads 'notes:alice'; undefined when either half is outside the grammar. */
export const parseInstance = (text: string): InstanceName | undefined => {
  const [service = '', id = '', ...rest] = text.split(':')
  return rest.length === 0 && isName(service) && isName(id) ? { service, id } : undefined
}
