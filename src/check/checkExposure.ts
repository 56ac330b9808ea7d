// Whether a service leaves more open on this machine than its config allows. Where nothing was asked of the machine, where its
// isolation cannot run, or where its profile cannot be used, there is no score: those are problems of their own.
import { dirname } from 'node:path'
import type { Issue } from '../config/problem.ts'
import type { Config, Service, Settings } from '../config/schema.ts'
import { TenementError } from '../errors.ts'
import type { IsolationAdapter } from '../isolation/adapter.ts'
import { defaultsOf } from '../isolation/defaults.ts'
import type { Adapters } from '../isolation/registry.ts'
import { type Exposure, exposureOf } from './exposure/exposure.ts'
import type { Surface } from './exposure/facts.ts'
import type { CheckMachine } from './machine.ts'
import type { Probes } from './probes.ts'

interface ExposureGround {
  readonly config: Config
  readonly adapters: Adapters
  readonly machine: CheckMachine | undefined
  readonly probes: Probes
}

/** For options the adapter understands. */
export const exposureFor = async (
  service: Service,
  adapter: IsolationAdapter,
  { config, adapters, machine, probes }: ExposureGround,
): Promise<Exposure | undefined> => {
  const probe = probes.get(adapter.name)
  if (machine === undefined || probe?.usable !== true) return undefined
  const defaults = await defaultsOf(adapter, service.options)
  const profile = adapter.capabilities['syscalls.filtered'] && (service.seccomp ?? defaults.seccomp)
  const surface = profile === undefined ? 'none' : await weigh(profile, dirname(config.file), machine)
  if (surface === undefined) return undefined
  const startsAsRoot = adapter.privileged === true && config.isolation.get(adapter.name)?.privileged === true
  const conditions = { adapter, probe, defaults, surface: surface === 'none' ? undefined : surface, startsAsRoot }
  return exposureOf(service, conditions, { adapters, probes })
}

/** Undefined for a profile that cannot be used. */
const weigh = async (profile: string, folder: string, machine: CheckMachine): Promise<Surface | undefined> => {
  try {
    return await machine.weighProfile(profile, folder)
  } catch (error) {
    if (error instanceof TenementError) return undefined
    throw error
  }
}

/** Where a service may be exposed no more, and the key that says so. */
export const boundOn = (
  { name, maxExposure }: Pick<Service, 'name' | 'maxExposure'>,
  settings: Pick<Settings, 'maxExposure'>,
): { readonly key: string; readonly most: number } | undefined => {
  if (maxExposure !== undefined) return { key: `service.${name}.max_exposure`, most: maxExposure }
  const most = settings.maxExposure
  return most === undefined ? undefined : { key: 'settings.max_exposure', most }
}

/** The machine's fault: another may keep more. So one service is refused, and the others are served. */
export const checkExposure = (
  service: Service,
  exposure: Exposure | undefined,
  settings: Pick<Settings, 'maxExposure'>,
): readonly Issue[] => {
  const bound = boundOn(service, settings)
  if (bound === undefined || exposure === undefined || exposure.score <= bound.most) return []
  const { score, tenant, terms } = exposure
  const [heaviest] = terms
  const whose = tenant === undefined ? `service.${service.name}` : `${service.name}:${tenant}`
  const part = heaviest && `; its heaviest part (${heaviest.points.toFixed(2)}): an instance ${heaviest.exposes}`
  return [
    {
      // Also where the bound is that of [settings]: what is wrong is this service.
      path: ['service', service.name, 'max_exposure'],
      code: 'too_exposed',
      fault: 'machine',
      message: `${whose} is exposed by ${score} of 10 on this machine, more than ${bound.key} = ${bound.most} allows${part ?? ''}`,
      value: String(bound.most),
      fix: fixFor(terms, bound.key),
    },
  ]
}

/** Against some parts nothing can be written: then against the heaviest one of the others. */
const fixFor = (terms: Exposure['terms'], key: string): string => {
  const fix = terms.find((term) => term.fix !== undefined)?.fix ?? `raise ${key}, or set another isolation`
  return `${fix}; "tenement check --exposure" lists all of it`
}
