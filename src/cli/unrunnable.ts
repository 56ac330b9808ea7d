// What `serve` serves of a checked config. A service that this machine cannot run is refused, with the reason, and the others run;
// what is wrong in the config itself is not this machine's fault and is never passed over. Pure.
import { lostTo } from '../check/promises.ts'
import type { Problem } from '../config/problem.ts'
import type { Service } from '../config/schema.ts'
import type { Probe } from '../isolation/adapter.ts'
import type { Checked } from './checkConfig.ts'
import { exitCodes } from './exitCodes.ts'
import type { Served } from './launcherSettings.ts'

/** The code that problems mean where nothing is done about them: a wrong config comes before a wrong machine. */
export const exitCodeOf = (problems: readonly Problem[]): number => {
  if (problems.length === 0) return exitCodes.ok
  return problems.every(({ fault }) => fault === 'machine') ? exitCodes.unsupported : exitCodes.usage
}

/** What to serve; a number, the exit code, where a problem must be solved first or nothing would be left. */
export const servedOf = ({
  config,
  problems,
  probes,
  adapters,
}: Pick<Checked, 'config' | 'problems' | 'probes' | 'adapters'>): Served | number => {
  const unrunnable = unrunnableServices(problems)
  if (config === undefined || unrunnable === undefined) return exitCodeOf(problems)
  const left = [...config.services.values()].filter(({ name }) => !Object.hasOwn(unrunnable, name))
  if (left.length === 0) return exitCodeOf(problems)
  const givenUp = left.map((service) => [service.name, lostOf(service, probes.get(service.isolation))] as const)
  return { config, adapters, unrunnable, givenUp: Object.fromEntries(givenUp) }
}

/** The reason by service; undefined when a problem must be solved before anything is served. */
const unrunnableServices = (problems: readonly Problem[]): Readonly<Record<string, string>> | undefined => {
  const reasons: Record<string, string> = {}
  for (const { service, fault, message } of problems) {
    if (service === undefined || fault !== 'machine') return undefined
    reasons[service] ??= message
  }
  return reasons
}

/** Whatever a service that runs has lost it does not insist upon, or has accepted: else it would be refused. */
const lostOf = (service: Service, probe: Probe | undefined): readonly string[] =>
  lostTo(service, probe).map(({ capability }) => capability)
