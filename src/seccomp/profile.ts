// The text of an OCI seccomp profile → what it says, for no architecture yet. Accepts what Docker's own profile uses beyond
// the OCI specification (archMap, includes, excludes, name), and one key of tenement's: `otherwise`, without which the word
// for "every other call of this name" does not exist. What a reader could understand in two ways is refused. Pure.
// OCI: opencontainers/runtime-spec, config-linux.md, "Seccomp"; Docker: docs.docker.com/engine/security/seccomp
import { messageOf, TenementError } from '../errors.ts'
import type { Action } from './actions.ts'
import type { Condition } from './conditions.ts'
import { actionOf, conditionOf } from './entryParts.ts'
import { parseJson } from './json.ts'
import { type Fields, need, Place } from './place.ts'

/** One entry of `syscalls`. */
export interface Entry {
  readonly names: readonly string[]
  readonly action: Action
  readonly conditions: readonly Condition[]
  readonly isOtherwise: boolean
  readonly includes: Filter
  readonly excludes: Filter
  readonly comment: string | undefined
  readonly place: string
}

/** Where an entry holds or does not: undefined and empty say nothing. */
export interface Filter {
  /** As Docker names them: 'amd64'. */
  readonly arches: readonly string[]
  readonly caps: readonly string[]
  readonly minKernel: readonly [major: number, minor: number] | undefined
}

export interface Profile {
  readonly file: string
  /** The sentences before everything else: what is refused and why. */
  readonly summary: readonly string[]
  readonly defaultAction: Action
  /** Architectures it was written for, by their OCI names; empty means any. */
  readonly architectures: readonly string[]
  readonly entries: readonly Entry[]
}

const topKeys = [
  'defaultAction',
  'defaultErrnoRet',
  'defaultErrno',
  'architectures',
  'archMap',
  'flags',
  'listenerPath',
  'listenerMetadata',
  'syscalls',
] as const

const entryKeys = [
  'names',
  'name',
  'action',
  'errnoRet',
  'errno',
  'args',
  'includes',
  'excludes',
  'otherwise',
  'comment',
]

/** Reads a profile; rejects with the first thing in it that cannot be kept to the letter. `file` is for messages alone. */
export const parseProfile = (text: string, file: string): Profile => {
  const top = new Place(file, 'the profile', readDocument(text, file))
  if (top.isAbsent) throw top.problem('is missing', 'write { "defaultAction": "SCMP_ACT_ERRNO", "syscalls": [ … ] }')
  const fields = top.fields(topKeys)
  refuseListener(fields)
  return {
    file,
    summary: summaryOf(top.value),
    defaultAction: actionOf(
      need(fields, 'defaultAction'),
      need(fields, 'defaultErrnoRet'),
      need(fields, 'defaultErrno'),
    ),
    architectures: architecturesOf(fields),
    entries: need(fields, 'syscalls').items().map(entryOf),
  }
}

const readDocument = (text: string, file: string): unknown => {
  try {
    return parseJson(text)
  } catch (error) {
    throw new TenementError('invalid_profile', `${file}: this is not JSON: ${messageOf(error)}`, {
      fix: 'mend it there; a seccomp profile is one JSON object',
      cause: error,
    })
  }
}

/** Bubblewrap loads a filter by prctl(2), which takes no flags and gives out no descriptor to be notified on. */
const refuseListener = (fields: Fields): void => {
  for (const key of ['listenerPath', 'listenerMetadata']) {
    const place = need(fields, key)
    if (!place.isAbsent && place.value !== '')
      throw place.problem('asks for a listener, and nothing listens', `remove ${key}`)
  }
  for (const flag of need(fields, 'flags').items()) {
    // The thread that loads the filter is the only one there is.
    if (flag.text() !== 'SECCOMP_FILTER_FLAG_TSYNC')
      throw flag.problem(`is "${flag.text()}", which cannot be set here`, 'remove it')
  }
}

const summaryOf = (document: unknown): readonly string[] => {
  const written: unknown = typeof document === 'object' && document !== null && '//' in document ? document['//'] : []
  return (Array.isArray(written) ? written : [written]).filter((line) => typeof line === 'string')
}

const architecturesOf = (fields: Fields): readonly string[] => {
  const maps = need(fields, 'archMap')
  const names = need(fields, 'architectures').items()
  if (names.length > 0 && maps.items().length > 0)
    throw maps.problem('stands beside "architectures"', 'keep one of the two')
  // What archMap lists below an architecture are foreign ABIs of it, which no filter of tenement's lets through.
  const mapped = maps.items().map((map) => need(map.fields(['architecture', 'subArchitectures']), 'architecture'))
  return [...names, ...mapped].map((place) => place.text())
}

const entryOf = (entry: Place): Entry => {
  const fields = entry.fields(entryKeys)
  const conditions = need(fields, 'args').items().map(conditionOf)
  const isOtherwise = need(fields, 'otherwise').flag()
  const twice = conditions.find(({ index }, at) => conditions.findIndex((other) => other.index === index) !== at)
  if (twice !== undefined) {
    throw need(fields, 'args').problem(
      `has two conditions on argument ${twice.index}, which some readers take as "both" and others as "either"`,
      'for "either" write two entries; for "both" find one condition that says it, such as SCMP_CMP_MASKED_EQ',
    )
  }
  if (isOtherwise && conditions.length > 0) {
    throw need(fields, 'args').problem('has conditions beside "otherwise": true', 'remove one of the two')
  }
  return {
    names: namesOf(entry, fields),
    action: actionOf(need(fields, 'action'), need(fields, 'errnoRet'), need(fields, 'errno')),
    conditions,
    isOtherwise,
    includes: filterOf(need(fields, 'includes')),
    excludes: filterOf(need(fields, 'excludes')),
    comment: need(fields, 'comment').isAbsent ? undefined : need(fields, 'comment').text() || undefined,
    place: entry.name,
  }
}

const namesOf = (entry: Place, fields: Fields): readonly string[] => {
  const one = need(fields, 'name')
  const several = need(fields, 'names').items()
  if (!one.isAbsent && one.value !== '' && several.length > 0)
    throw entry.problem('has both "name" and "names"', 'keep "names"')
  const names = several.length > 0 ? several.map((place) => place.text()) : one.isAbsent ? [] : [one.text()]
  if (names.length === 0) throw entry.problem('names no system call', 'list some in "names", or remove the entry')
  return names
}

const filterOf = (place: Place): Filter => {
  const fields = place.fields(['arches', 'caps', 'minKernel'])
  const texts = (key: string) =>
    need(fields, key)
      .items()
      .map((item) => item.text())
  return { arches: texts('arches'), caps: texts('caps'), minKernel: kernelOf(need(fields, 'minKernel')) }
}

const kernelOf = (place: Place): Filter['minKernel'] => {
  if (place.isAbsent || place.value === '') return undefined
  const [, major, minor] = /^(\d+)\.(\d+)$/.exec(place.text()) ?? []
  if (major === undefined || minor === undefined) throw place.problem(`is "${place.text()}"`, 'write it as "5.11"')
  return [Number(major), Number(minor)]
}
