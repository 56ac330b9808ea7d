// Whether a config that makes sense in itself can be run: adapters, promises, programs, files. `check`, `serve` and a reload ask
// the same. Each problem names its service where it concerns one, so that the others can be served without it.
// Without a machine only what is true on every one is looked at: nothing is probed and no file is looked for.

import { probeResources } from '../cgroups/probe.ts'
import { hasSoundData } from '../config/checkTemplates.ts'
import { parseDocument, valueAt } from '../config/document.ts'
import { locateProblems, type Reading } from '../config/load.ts'
import { byPlace, type Issue, type Problem, showValue } from '../config/problem.ts'
import type { Config, Service } from '../config/schema.ts'
import type { IsolationAdapter } from '../isolation/adapter.ts'
import type { Isolation } from '../isolation/registry.ts'
import { checkExposure, exposureFor } from './checkExposure.ts'
import { checkGrants } from './checkGrants.ts'
import { checkIsolation, unknownAdapter, type Written } from './checkIsolation.ts'
import { checkOptions } from './checkOptions.ts'
import { settingsIssues, unusablePlugin, unusedFaults } from './checkPlugins.ts'
import { checkProfile } from './checkProfile.ts'
import { checkPrograms } from './checkPrograms.ts'
import { checkReach } from './checkReach.ts'
import { checkSecrets, warnOfSecrets } from './checkSecrets.ts'
import { checkSight } from './checkSight.ts'
import { checkVisible, type HiddenFolder, hiddenFolders } from './checkVisible.ts'
import type { Exposure } from './exposure/exposure.ts'
import type { CheckMachine } from './machine.ts'
import type { Probes } from './probes.ts'
import { promisesFor, type Verdict } from './promises.ts'
import { asFound, withStorage } from './storage.ts'
import { warnOfFloor } from './warnOfFloor.ts'
import { warnOfFreeze } from './warnOfFreeze.ts'
import { warnOfProfile } from './warnOfProfile.ts'

/** What a config is held against. */
export interface Ground extends Isolation {
  /** Undefined for a config that is meant for another machine. */
  readonly machine: CheckMachine | undefined
  /** Of an adapter that is not among them nothing is said about this machine. */
  readonly probes: Probes
}

export interface Findings {
  /** Everything that keeps the config from being run, in the order of the file; empty when nothing does. */
  readonly problems: readonly Problem[]
  /** What keeps nothing from running and is worth a person's attention. */
  readonly warnings: readonly Problem[]
  /** What each service needs of its isolation, and whether it gets it; by service, without those whose adapter there is not. */
  readonly promises: ReadonlyMap<string, readonly Verdict[]>
  /** How exposed each service is here; by service, without those of which that cannot be said. */
  readonly exposures: ReadonlyMap<string, Exposure>
}

/** Starts nothing. */
export const check = async (config: Config, ground: Ground): Promise<Findings> => {
  const document = parseDocument(config.file, config.text)
  const written: Written = (path) => showValue(valueAt(document, path))
  const services = [...config.services.values()]
  const hidden = hiddenFolders(config)
  const found = await Promise.all(
    services.map((service) => checkService(service, { ...ground, config, hidden, written })),
  )
  const warnings = [
    ...services.flatMap((service) => warnOfFloor(service, ground.adapters)),
    ...(await Promise.all(services.map((service) => warn(service, config, ground)))).flat(),
  ]
  return {
    problems: locateProblems(
      [...found.flatMap(({ issues }) => issues), ...[...ground.faults].flatMap(settingsIssues)],
      config,
    ),
    warnings: locateProblems([...warnings, ...unusedFaults(config, ground)], config),
    promises: new Map(found.flatMap(({ name, promises }) => (promises === undefined ? [] : [[name, promises]]))),
    exposures: new Map(found.flatMap(({ name, exposure }) => (exposure === undefined ? [] : [[name, exposure]]))),
  }
}

const warn = async (service: Service, config: Config, { adapters, machine }: Ground): Promise<readonly Issue[]> => {
  if (machine === undefined) return []
  const isFiltered = adapters.get(service.isolation)?.capabilities['syscalls.filtered'] !== undefined
  return [
    ...(await warnOfSecrets(service)),
    ...(service.freezeAfterMs === undefined ? [] : warnOfFreeze(service, probeResources().kill)),
    ...(isFiltered ? await warnOfProfile(service, config, machine.lintProfile) : []),
  ]
}

interface ServiceGround extends Ground {
  readonly config: Config
  readonly hidden: readonly HiddenFolder[]
  readonly written: Written
}

interface ServiceFindings {
  readonly name: string
  readonly issues: readonly Issue[]
  readonly promises?: readonly Verdict[]
  readonly exposure?: Exposure | undefined
}

const checkService = async (service: Service, ground: ServiceGround): Promise<ServiceFindings> => {
  const { name } = service
  const adapter = ground.adapters.get(service.isolation)
  const files = await checkFiles(service, ground)
  if (adapter === undefined) return { name, issues: [...adapterNotThere(service, ground), ...files] }
  const probe = ground.probes.get(adapter.name)
  const promises = await withStorage(promisesFor(service, adapter, probe), service, adapter, ground)
  const options = await checkOptions(service, adapter)
  const sight = await checkSight(service, ground.config, adapter, ground.machine)
  const exposure = options.length === 0 ? await exposureFor(service, asFound(adapter, promises), ground) : undefined
  const issues = [
    ...checkIsolation(service, adapter, probe, promises, ground.adapters, ground.written),
    ...options,
    ...checkVisible(service, adapter, ground.hidden),
    ...sight,
    ...(options.length === 0 ? withoutThose(await checkConfined(service, adapter, ground), sight) : []),
    ...checkExposure(service, exposure, ground.config.settings),
    ...files,
  ]
  return { name, issues, promises, exposure }
}

/** Nobody should do to a path like "/etc" what it would take to grant it, when it cannot be granted at all. */
const withoutThose = (issues: readonly Issue[], told: readonly Issue[]): readonly Issue[] =>
  issues.filter(({ path }) => !told.some((other) => other.path.join('\0') === path.join('\0')))

/** What the adapter and this machine decide together. */
const checkConfined = async (
  service: Service,
  adapter: IsolationAdapter,
  { machine, config }: ServiceGround,
): Promise<readonly Issue[]> =>
  machine === undefined
    ? []
    : [
        ...checkReach(service, adapter, machine),
        ...(await checkProfile(service, config, adapter, machine.tryProfile)),
        // Of an adapter that hides nothing a grant is a problem already.
        ...(adapter.capabilities['fs.privateRoot'] === undefined ? [] : await checkGrants(service, machine)),
      ]

const checkFiles = async (service: Service, { machine, config }: ServiceGround): Promise<readonly Issue[]> =>
  machine === undefined
    ? []
    : [
        ...(hasSoundData(service, config) ? await checkPrograms(service, config, machine) : []),
        ...(await checkSecrets(service)),
      ]

/** A plug-in that was not asked for, as for another machine, says nothing about its services either. */
const adapterNotThere = (service: Service, { config, adapters, faults }: ServiceGround): readonly Issue[] => {
  const fault = faults.get(service.isolation)
  if (fault !== undefined) return fault.issues === undefined ? [unusablePlugin(service, fault)] : []
  return config.isolation.has(service.isolation)
    ? []
    : [unknownAdapter(service, adapters, [...config.isolation.keys()])]
}

/** The same for a config that may be wrong in itself: all problems of both kinds, in the order of the file. */
export const checkReading = async ({ config, problems }: Reading, ground: Ground): Promise<Findings> => {
  const findings = await check(config, ground)
  const wrongKeys = new Set(problems.map(({ key }) => key))
  // What a key that is wrong on any machine would meet on this one is no concern before it is right.
  const others = findings.problems.filter(({ key, fault }) => fault !== 'machine' || !wrongKeys.has(key))
  return { ...findings, problems: [...problems, ...others].sort(byPlace) }
}
