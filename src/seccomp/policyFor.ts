// A profile → its policy on one architecture: which entries hold there, the number of every name, and that no two entries
// contradict each other. Libraries differ in which of two contradicting entries wins (libseccomp lets the one without
// conditions win, so that a refusal of one value beside "allow" is lost), so they are refused with an example. Pure.

import { nearest } from '../config/suggest.ts'
import { TenementError } from '../errors.ts'
import { describeAction, isSameAction } from './actions.ts'
import type { Architecture } from './architectures.ts'
import { commonArguments } from './conditions.ts'
import type { Resolved } from './newCalls.ts'
import type { Call, Policy, Rule } from './policy.ts'
import type { Entry, Profile } from './profile.ts'

export interface Target {
  readonly architecture: Architecture
  /** Of the kernel the filter will run on: '6.1.0-31-amd64'. */
  readonly kernelRelease: string
  readonly resolve: (name: string) => Resolved
  /** Names to suggest for one that nobody knows. */
  readonly knownNames: () => Iterable<string>
}

export const policyFor = (profile: Profile, target: Target): Policy => {
  requireArchitecture(profile, target.architecture)
  const holding = profile.entries.filter((entry) => holds(entry, target))
  const elsewhere = new Set<string>()
  const calls = new Map<number, Call>()
  // Also the names of entries that do not hold here are looked up: a mistake in one shows on the machine where it matters.
  for (const entry of profile.entries) requireKnown(profile, entry, target)
  for (const entry of holding) {
    for (const name of new Set(entry.names)) {
      const number = target.resolve(name)
      if (typeof number === 'number')
        calls.set(number, withEntry(profile, calls.get(number) ?? emptyCall(name, number), entry))
      else elsewhere.add(name)
    }
  }
  for (const call of calls.values()) requireAgreement(profile, call)
  return { architecture: target.architecture, defaultAction: profile.defaultAction, calls, elsewhere: [...elsewhere] }
}

const requireArchitecture = ({ file, architectures }: Profile, { oci, name }: Architecture): void => {
  if (architectures.length === 0 || architectures.includes(oci)) return
  throw new TenementError(
    'invalid_profile',
    `${file}: the profile is for ${architectures.join(', ')}, not for ${name}`,
    {
      fix: `add "${oci}" to it, or leave its architectures out`,
    },
  )
}

/** Tenants hold no capability, so what a profile gives to one with capabilities never holds. */
const holds = ({ includes, excludes }: Entry, { architecture, kernelRelease }: Target): boolean => {
  const isKernel = (minimum: Entry['includes']['minKernel']): boolean => !minimum || isAtLeast(kernelRelease, minimum)
  if (excludes.arches.includes(architecture.docker)) return false
  if (excludes.minKernel && isKernel(excludes.minKernel)) return false
  if (includes.caps.length > 0) return false
  return isKernel(includes.minKernel) && (includes.arches.length === 0 || includes.arches.includes(architecture.docker))
}

const isAtLeast = (release: string, [major, minor]: readonly [number, number]): boolean => {
  const [, ownMajor = '0', ownMinor = '0'] = /^(\d+)\.(\d+)/.exec(release) ?? []
  return Number(ownMajor) !== major ? Number(ownMajor) > major : Number(ownMinor) >= minor
}

const requireKnown = ({ file }: Profile, { names, place }: Entry, { resolve, knownNames }: Target): void => {
  const unknown = names.filter((name) => resolve(name) === undefined)
  if (unknown.length === 0) return
  const guesses = unknown.map((name) => nearest(name, knownNames())).filter((guess) => guess !== undefined)
  const meant = guesses.length > 0 ? `, perhaps ${guesses.join(', ')} is meant` : ''
  throw new TenementError(
    'invalid_profile',
    `${file}: ${place}.names has ${listed(unknown)}, which is no system call`,
    {
      fix: `mend it${meant}; if it is newer than both the installed libseccomp and tenement, remove it`,
    },
  )
}

const listed = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(', ')

const emptyCall = (name: string, number: number): Call => ({ name, number, rules: [], otherwise: undefined })

const withEntry = ({ file }: Profile, call: Call, { action, conditions, place, comment, isOtherwise }: Entry): Call => {
  const rule: Rule = { action, conditions, place, comment }
  if (!isOtherwise) return { ...call, rules: [...call.rules, rule] }
  requireSame(file, call, call.otherwise, rule)
  return { ...call, otherwise: call.otherwise ?? rule }
}

/** Of rules that decide the same calls. */
const requireSame = (file: string, call: Call, a: Rule | undefined, b: Rule | undefined): void => {
  if (a && b && !isSameAction(a.action, b.action)) throw contradiction(file, call, [a, b], new Map())
}

const requireAgreement = ({ file }: Profile, call: Call): void => {
  const always = call.rules.find(({ conditions }) => conditions.length === 0)
  requireSame(file, call, always, call.otherwise)
  for (const [at, rule] of call.rules.entries()) {
    for (const other of call.rules.slice(at + 1)) {
      if (isSameAction(rule.action, other.action)) continue
      const example = commonArguments(rule.conditions, other.conditions)
      if (example !== undefined) throw contradiction(file, call, [rule, other], example)
    }
  }
}

const contradiction = (
  file: string,
  { name }: Call,
  [a, b]: readonly [Rule, Rule],
  example: ReadonlyMap<number, bigint>,
): TenementError => {
  const values = [...example].sort(([i], [j]) => i - j).map(([index, value]) => `arg${index} = ${value}`)
  const when = values.length > 0 ? ` where ${values.join(', ')}` : ''
  const says = (rule: Rule): string => `${rule.place} says ${describeAction(rule.action)}`
  return new TenementError('invalid_profile', `${file}: of ${name}${when}, ${says(a)} and ${says(b)}`, {
    fix: 'remove one, make their conditions exclude each other, or write "otherwise": true in the one without conditions if it is to decide what no other entry does',
  })
}
