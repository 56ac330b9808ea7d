// What `check --json` tells programs: its keys are a contract, and every one is there in either case. Pure.
import { boundOn } from '../check/checkExposure.ts'
import { type Level, levelOf } from '../check/exposure/score.ts'
import { type ProblemReport, reportProblems } from '../check/format.ts'
import { type Standing, standingOf } from '../check/promises.ts'
import { showKey } from '../config/problem.ts'
import type { Strength } from '../isolation/adapter.ts'
import type { LastProof } from '../proof/lastProof.ts'
import type { Checked } from './checkConfig.ts'

interface Counts {
  readonly services: number
  readonly instances: number
  readonly hosts: number
}

export const countsOf = ({ config }: Checked): Counts => ({
  services: config?.services.size ?? 0,
  instances: [...(config?.instances.values() ?? [])].reduce((sum, ids) => sum + ids.length, 0),
  hosts: config?.hosts.size ?? 0,
})

interface AdapterReport {
  readonly name: string
  readonly usable: boolean
  /** Why it cannot run here; null where it can. */
  readonly problem: { readonly reason: string; readonly fix: string } | null
  readonly capabilities: Readonly<Partial<Record<string, Strength>>>
  readonly lost: readonly {
    readonly capability: string
    readonly reason: string
    readonly fix: string | null
    /** Whether a service runs without it only where its config accepts that. */
    readonly needed: boolean
  }[]
}

interface RequirementReport {
  readonly service: string
  readonly isolation: string
  readonly capability: string
  /** The key that asks for it; null where the isolation itself does. */
  readonly key: string | null
  readonly given: Strength | 'absent'
  readonly standing: Standing
  readonly reason: string | null
  readonly fix: string | null
}

interface ExposureReport {
  readonly service: string
  /** From 0 to 10. */
  readonly score: number
  readonly level: Level
  /** What max_exposure allows; null where nothing does. */
  readonly max: number | null
  /** Whose instance is exposed the most; null where the config of none differs in that. */
  readonly tenant: string | null
  /** The heaviest first. */
  readonly terms: readonly {
    readonly term: string
    readonly points: number
    /** What it would be at its worst. */
    readonly of: number
    readonly exposes: string
    readonly because: string
    readonly fix: string | null
  }[]
}

export interface CheckReport extends Counts {
  readonly ok: boolean
  /** Null where there is no config. */
  readonly file: string | null
  readonly problems: readonly ProblemReport[]
  readonly warnings: readonly ProblemReport[]
  readonly adapters: readonly AdapterReport[]
  readonly requirements: readonly RequirementReport[]
  /** Of each service of which it can be said: this machine was asked, and can run its isolation. */
  readonly exposures: readonly ExposureReport[]
  /** What the last `check --attack` showed of what is used; null where this machine was not asked. */
  readonly lastProof: LastProof | null
}

/** The same for programs; every key is there in either case. */
export const reportCheck = (checked: Checked, proof?: LastProof): CheckReport => ({
  ok: checked.problems.length === 0,
  file: checked.file ?? null,
  ...countsOf(checked),
  problems: reportProblems(checked.problems),
  warnings: reportProblems(checked.warnings),
  adapters: reportAdapters(checked),
  requirements: reportRequirements(checked),
  exposures: reportExposures(checked),
  lastProof: proof ?? null,
})

const reportAdapters = ({ probes, adapters }: Checked): readonly AdapterReport[] =>
  [...probes].map(([name, { usable, problem, lost }]) => ({
    name,
    usable,
    problem: problem ?? null,
    capabilities: adapters.get(name)?.capabilities ?? {},
    lost: lost
      .filter(({ onlyWith }) => onlyWith === undefined)
      .map(({ capability, reason, fix }) => ({
        capability,
        reason,
        fix: fix ?? null,
        needed: adapters.get(name)?.needs.includes(capability) ?? false,
      })),
  }))

const reportRequirements = ({ config, promises }: Checked): readonly RequirementReport[] =>
  [...promises].flatMap(([service, verdicts]) =>
    verdicts.map((verdict) => ({
      service,
      isolation: config?.services.get(service)?.isolation ?? '',
      capability: verdict.capability,
      key: verdict.path === undefined ? null : showKey(verdict.path),
      given: verdict.given ?? 'absent',
      standing: standingOf(verdict),
      reason: (verdict.lost ?? verdict.because)?.reason ?? null,
      fix: (verdict.lost ?? verdict.because)?.fix ?? null,
    })),
  )

const reportExposures = ({ config, exposures }: Checked): readonly ExposureReport[] =>
  [...exposures].map(([name, { score, tenant, terms }]) => {
    const service = config?.services.get(name)
    const bound = config && service && boundOn(service, config.settings)
    return {
      ...{ service: name, score, level: levelOf(score), max: bound?.most ?? null, tenant: tenant ?? null },
      terms: terms.map(({ points, of, fix, ...term }) => ({
        ...term,
        points: hundredths(points),
        of: hundredths(of),
        fix: fix ?? null,
      })),
    }
  })

const hundredths = (points: number): number => Math.round(points * 100) / 100
