// Plug-ins that provide no adapter. One that does not work stops its own services and nobody else's, as a machine would that cannot
// run them; what is wrong in [isolation.NAME] itself is a fault of the config like any other. Pure: they were loaded before.
import { type Issue, quote } from '../config/problem.ts'
import type { Config, Service } from '../config/schema.ts'
import type { Isolation, PluginFault } from '../isolation/registry.ts'
import { placedAt } from './checkOptions.ts'

export const unusablePlugin = (service: Service, { reason, fix }: PluginFault): Issue => ({
  path: ['service', service.name, 'isolation'],
  code: 'unusable_plugin',
  fault: 'machine',
  message: `isolation ${quote(service.isolation)} cannot be had: ${reason}`,
  value: quote(service.isolation),
  fix,
})

export const settingsIssues = ([name, { issues = [] }]: readonly [string, PluginFault]): readonly Issue[] =>
  issues.map((issue) => placedAt(issue, ['isolation', name]))

/** Said even where no service uses it: who wrote it expects an isolation of that name. */
export const unusedFaults = (config: Config, { faults }: Isolation): readonly Issue[] => {
  const used = new Set([...config.services.values()].map(({ isolation }) => isolation))
  return [...faults]
    .filter(([name, { issues }]) => issues === undefined && !used.has(name))
    .map(([name, { reason, fix }]) => ({
      path: ['isolation', name],
      code: 'unusable_plugin',
      message: `isolation ${quote(name)} cannot be had: ${reason}`,
      fix,
    }))
}
