// Whether this machine can run a config that makes sense in itself: adapters, programs, folders. `check`, `serve` and a reload ask the same.
// Each problem names its service where it concerns one, so that the others can be served without it.

import { hasSoundData } from '../config/checkTemplates.ts'
import { parseDocument, valueAt } from '../config/document.ts'
import { locateProblems, type Reading } from '../config/load.ts'
import { byPlace, type Issue, type Problem, showValue } from '../config/problem.ts'
import type { Config, Service } from '../config/schema.ts'
import { type Adapters, checkIsolation } from './checkIsolation.ts'
import { checkPrograms } from './checkPrograms.ts'
import { checkVisible, hiddenFolders } from './checkVisible.ts'
import type { CheckMachine } from './machine.ts'
import type { Written } from './requirements.ts'

export type { Adapters } from './checkIsolation.ts'

/** Everything that keeps this machine from running the config; empty when nothing does. Starts nothing. */
export const check = async (config: Config, adapters: Adapters, machine: CheckMachine): Promise<readonly Problem[]> => {
  const document = parseDocument(config.file, config.text)
  const written: Written = (path) => showValue(valueAt(document, path))
  const services = [...config.services.values()]
  const probes = await probeUsed(services, adapters, machine)
  const hidden = hiddenFolders(config)
  const issues = await Promise.all(
    services.map(async (service) => [
      ...checkIsolation(service, adapters, probes.get(service.isolation), written),
      ...checkVisible(service, adapters.get(service.isolation), hidden),
      ...(hasSoundData(service, config) ? await checkPrograms(service, config, machine) : []),
    ]),
  )
  return locateProblems([...issues.flat(), ...[...config.isolation.keys()].map(pluginNotThere)], config)
}

/** Said even where no service uses it: who wrote it expects an adapter of that name. */
const pluginNotThere = (name: string): Issue => ({
  path: ['isolation', name],
  message: `isolation.${name} is to come from a plugin, and this release loads none`,
  fix: `remove [isolation.${name}]`,
})

/** Every adapter that is used looks at the machine once, however many services use it. */
const probeUsed = async (services: readonly Service[], adapters: Adapters, machine: CheckMachine) => {
  const used = [...adapters].filter(([name]) => services.some(({ isolation }) => isolation === name))
  return new Map(await Promise.all(used.map(async ([name, adapter]) => [name, await adapter.probe(machine)] as const)))
}

/** The same for a config that may be wrong in itself: all problems of both kinds, in the order of the file. */
export const checkReading = async (
  { config, problems }: Reading,
  adapters: Adapters,
  machine: CheckMachine,
): Promise<readonly Problem[]> => [...problems, ...(await check(config, adapters, machine))].sort(byPlace)
