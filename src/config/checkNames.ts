// Whether [instances] and [hosts] name what is there, each once, and no host leads to two instances.
import { formatInstance, parseInstance } from '../names.ts'
import { normalizeHost } from './addresses.ts'
import { type Issue, quote, showKey } from './problem.ts'
import type { Config } from './schema.ts'
import { nearest } from './suggest.ts'

/** `known` are the services the file names, those that could not be read included: one mistake is not to be told twice. */
export const checkInstances = (config: Config, known: readonly string[]): readonly Issue[] =>
  [...config.instances].flatMap(([service, ids]) => [...unknownService(service, known), ...repeatedIds(service, ids)])

const unknownService = (service: string, known: readonly string[]): readonly Issue[] =>
  known.includes(service)
    ? []
    : [
        {
          path: ['instances', service],
          message: `instances.${service} names no service: there is no [service.${service}]`,
          ...hintFor(service, known),
        },
      ]

const repeatedIds = (service: string, ids: readonly string[]): readonly Issue[] => {
  const firsts = new Map([...ids.entries()].reverse().map(([index, id]) => [id, index]))
  const repeated = [...ids.entries()].filter(([index, id]) => firsts.get(id) !== index)
  return repeated.map(([index, id]) => ({
    path: ['instances', service, index],
    message: `instances.${service} holds ${quote(id)} twice`,
    value: quote(id),
    fix: 'remove one of them',
  }))
}

const hintFor = (written: string, candidates: readonly string[]) => {
  const suggestion = nearest(written, candidates)
  if (suggestion !== undefined) return { suggestion, fix: `did you mean ${quote(suggestion)}?` }
  return {
    fix: candidates.length === 0 ? 'describe the service first' : `there are: ${candidates.slice(0, 10).join(', ')}`,
  }
}

/** Hosts in their one spelling, with the instance each leads to, and what is wrong with the others. */
export const readHosts = (
  config: Config,
  known: readonly string[],
): { readonly hosts: ReadonlyMap<string, string>; readonly issues: readonly Issue[] } => {
  const hosts = new Map<string, string>()
  const spellings = new Map<string, string>()
  const issues = [...config.hosts].flatMap(([written, target]): readonly Issue[] => {
    const host = normalizeHost(written)
    if (host === undefined) return [notAHost(written)]
    const wrong = [
      ...claimedTwice(written, spellings.get(host)),
      ...checkTarget(written, target, config, known),
      ...alreadyGiven(written, host, target, config, known),
    ]
    if (!spellings.has(host)) spellings.set(host, written)
    if (wrong.length === 0) hosts.set(host, target)
    return wrong
  })
  return { hosts, issues }
}

const notAHost = (written: string): Issue => ({
  path: ['hosts', written],
  message: `${showKey(['hosts', written])}: the name must be a host such as "shop.acme.com"`,
  fix: 'write it as in a Host header, without scheme, port, path or "*"',
})

const claimedTwice = (written: string, earlier: string | undefined): readonly Issue[] =>
  earlier === undefined
    ? []
    : [
        {
          path: ['hosts', written],
          message: `${showKey(['hosts', written])} is the same host as ${showKey(['hosts', earlier])}`,
          fix: 'remove one of them',
        },
      ]

const checkTarget = (written: string, target: string, config: Config, known: readonly string[]): readonly Issue[] => {
  const path = ['hosts', written]
  const issue = (message: string, hint: Pick<Issue, 'suggestion' | 'fix'>): readonly Issue[] => [
    { path, message: `${showKey(path)} = ${quote(target)} ${message}`, value: quote(target), ...hint },
  ]
  const name = parseInstance(target)
  if (name === undefined)
    return issue('must be an instance such as "api:acme"', {
      fix: 'write service and id in lower case, with a colon between them',
    })
  if (!known.includes(name.service))
    return issue(`names no service: there is no [service.${name.service}]`, hintFor(name.service, known))
  const service = config.services.get(name.service)
  const ids = config.instances.get(name.service) ?? []
  if (service === undefined || service.open || ids.includes(name.id)) return []
  const suggestion = nearest(name.id, ids)
  const hint = suggestion === undefined ? {} : { suggestion: `${name.service}:${suggestion}` }
  return issue('names an instance that is not declared', {
    ...hint,
    fix:
      suggestion === undefined
        ? `add it: instances.${name.service} = [${quote(name.id)}]`
        : `did you mean "${name.service}:${suggestion}"?`,
  })
}

/** A host below one of the domains may not lead elsewhere than its labels say. */
const alreadyGiven = (
  written: string,
  host: string,
  target: string,
  config: Config,
  known: readonly string[],
): readonly Issue[] => {
  const given = config.settings.domains
    .flatMap((domain) => instanceAt(host, domain, known) ?? [])
    .find((instance) => instance !== target)
  if (given === undefined) return []
  const path = ['hosts', written]
  return [
    {
      path,
      message: `${showKey(path)} = ${quote(target)} claims a host that is already the one of ${given}`,
      value: quote(target),
      fix: 'use a host outside settings.domain, or leave the line out',
    },
  ]
}

/** The instance that {id}.{service}.{domain} or {service}.{domain} names. */
const instanceAt = (host: string, domain: string, known: readonly string[]): string | undefined => {
  if (!host.endsWith(`.${domain}`)) return undefined
  const labels = host.slice(0, -domain.length - 1).split('.')
  const [id, service] = labels.length === 1 ? ['main', labels[0]] : labels
  return labels.length > 2 || id === undefined || service === undefined || !known.includes(service)
    ? undefined
    : formatInstance({ service, id })
}

/** With the domains "example.com" and "api.example.com", x.api.example.com would be an instance of api and a service x. */
export const checkDomains = (config: Config, known: readonly string[]): readonly Issue[] =>
  config.settings.domains.flatMap((outer) =>
    known
      .map((service) => ({ service, inner: `${service}.${outer}` }))
      .filter(({ inner }) => config.settings.domains.includes(inner))
      .map(({ service, inner }) => ({
        path: ['settings', 'domain'],
        message: `settings.domain holds ${quote(inner)}, below which the instances of service ${quote(service)} are found already`,
        value: quote(inner),
        fix: 'remove it, or rename the service',
      })),
  )
