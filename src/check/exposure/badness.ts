// How bad a fact is, from 0 (nothing is open) to 1. Each of these only grows with what is open, so the score does: a service that
// asks for more, or a machine that keeps less, is never shown as less exposed. Pure.
import type { Limits, Strength } from '../../isolation/adapter.ts'
import type { CapabilityName } from '../../isolation/capabilities.ts'
import type { Facts } from './facts.ts'

export type Badness = (facts: Facts) => number

const ofStrength: Readonly<Record<Strength, number>> = { enforced: 0, 'best-effort': 0.5 }

const openness = ({ kept }: Facts, name: CapabilityName): number => {
  const strength = kept[name]
  return strength === undefined ? 1 : ofStrength[strength]
}

/** Any one of the promises closes it; none of none. */
export const without =
  (...names: readonly CapabilityName[]): Badness =>
  (facts) =>
    Math.min(1, ...names.map((name) => openness(facts, name)))

/** The promises say something only of an instance that is not on the machine's own network. */
export const onNetwork =
  (keepers: { readonly private: readonly CapabilityName[]; readonly internet: readonly CapabilityName[] }): Badness =>
  (facts) =>
    facts.network === 'host' ? 1 : without(...keepers[facts.network])(facts)

/** A bound is kept where there is one. */
export const unbounded =
  (name: CapabilityName, ...limits: readonly (keyof Limits)[]): Badness =>
  (facts) =>
    limits.some((limit) => facts.limits[limit] !== undefined) ? openness(facts, name) : 1

/**
 * Each path adds less than the one before it, and more the nearer it is to the root of the machine's files. Each counts, also one that
 * another one covers: were it left out, granting the folder around several paths would look better than granting them.
 */
export const wideness = (paths: readonly string[]): number =>
  1 - paths.reduce((rest, path) => rest * (1 - widenessOf(path)), 1)

const byDepth = [1, 0.6, 0.35] as const
const deeper = 0.2

const widenessOf = (path: string): number => byDepth[path.split('/').filter((part) => part !== '').length] ?? deeper

/** A file more is half as bad as the one before it. */
export const several = (count: number): number => 1 - 0.5 ** count

/** Most of it is the calls that faults were found in, of which the first open the most; the rest, that others come unseen. */
export const openKernel: Badness = ({ surface }) => {
  if (surface === undefined) return 1
  const { dangers, ofDangers, allowsOthers } = surface
  return 0.75 * Math.sqrt(dangers / ofDangers) + (allowsOthers ? 0.25 : 0)
}
