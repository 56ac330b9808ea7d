// Whether a launch comes with at least what its service's isolation gives: the floor, fixed when tenement started. Pure. A server
// that was taken over says what to start; how little confined it may be started, it does not.
// It does not know what the application is, nor what is in a filter: that a filter is in force is all the kernel tells.
import type { ConfinedFloor, Expectation, Floor, Launch } from '../isolation/adapter.ts'
import { isBelow } from './safePath.ts'

/** The floor of an instance: its own, or that of its service; undefined for a service that is not to be launched. */
export const floorOf = (
  floors: Readonly<Record<string, Floor>>,
  { service, id }: { readonly service: string; readonly id: string },
): Floor | undefined =>
  [`${service}:${id}`, service].flatMap((name) => (Object.hasOwn(floors, name) ? floors[name] : []))[0]

/** The rule that the launch breaks; undefined where it keeps all of them. */
export const brokenRule = (floor: Floor, launch: Launch, own: OwnPlaces): string | undefined =>
  looseBound('bound', floor.resources, launch.resources) ??
  looseBound('limit', floor.limits, launch.limits) ??
  looseBound('bound on what it stores,', floor.storage, launch.storage) ??
  (floor.confined === undefined ? undefined : firstBroken(floor.confined, launch, own))

type Numbers = Readonly<Record<string, number | undefined>>

const looseBound = (what: string, most: object = {}, given: object = {}): string | undefined => {
  const isKept = ([name, bound]: [string, number | undefined]): boolean => {
    const found = Object.hasOwn(given, name) ? (given as Numbers)[name] : undefined
    return bound === undefined || (found !== undefined && found <= bound)
  }
  const loose = Object.entries(most as Numbers).find((entry) => !isKept(entry))
  return loose === undefined ? undefined : `its ${what} ${loose[0]} is at most ${loose[1]}`
}

/** Where an instance's own files lie. */
export interface OwnPlaces {
  /** Its code and what it was granted to read. */
  readonly readable: readonly string[]
  /** What it was granted to write. */
  readonly writable: readonly string[]
  /** Directories that are made for it. */
  readonly made: readonly string[]
}

type Rule = (floor: ConfinedFloor, launch: Launch, expect: Expectation, own: OwnPlaces) => string | undefined

const unless = (isKept: boolean, rule: string): string | undefined => (isKept ? undefined : rule)

const rules: readonly Rule[] = [
  ({ program }, { argv }) => unless(argv[0] === program, `it is started by ${program}`),
  // What the loader reads there (ld.so(8)) would run in that program, outside of all namespaces.
  ({ program }, { env }) => unless(Object.keys(env).length === 0, `${program} has an empty environment`),
  ({ depth }, launch) => unless(launch.depth === depth, `the application is ${depth} processes below the one started`),
  ({ namespaces }, _, expect) => {
    const shared = namespaces.find((kind) => !expect.namespaces.includes(kind))
    return unless(shared === undefined, `its ${shared} namespace is its own`)
  },
  ({ isFiltered }, _, expect) => unless(!isFiltered || expect.isFiltered, 'a filter of system calls is in force'),
  (_, { descriptors }, expect) => {
    // A directory opened outside would lead the application out of its file system (openat(2)).
    const listener = descriptors.find(({ kind }) => kind === 'listener')?.fd
    const further = expect.descriptors.find((fd) => fd > 2 && fd !== listener)
    return unless(further === undefined, `it inherits no descriptor ${further}`)
  },
  (floor, _, { mounts, sources = {} }, own) => {
    const isKnown = ([point, isWritable]: [string, boolean]): boolean =>
      Object.hasOwn(sources, point) && isShowable(sources[point] ?? '', isWritable, floor, own)
    const strange = Object.entries(mounts).find((mount) => !isKnown(mount))?.[0]
    if (strange === undefined) return undefined
    return `what it is shown is its own or meant for everybody, which ${sources[strange] ?? 'nothing'} at ${strange} is not`
  },
  ({ uplink }, launch) =>
    unless(
      launch.uplink === undefined || isSame(launch.uplink, uplink),
      uplink === undefined ? 'it has no uplink' : `its uplink is "${uplink.join(' ')}"`,
    ),
  ({ unreachable = [] }, launch) => {
    const open = unreachable.find((network) => launch.unreachable?.includes(network) !== true)
    return unless(launch.uplink === undefined || open === undefined, `${open} is unreachable from it`)
  },
]

/** File systems that hold nothing of the machine. */
const emptyTypes = ['tmpfs', 'proc', 'devpts']

const isShowable = (source: string, isWritable: boolean, floor: ConfinedFloor, own: OwnPlaces): boolean => {
  if (!source.startsWith('/')) return emptyTypes.includes(source) || (source === 'cgroup' && !isWritable)
  const isBelowOne = (places: readonly string[]): boolean => places.some((place) => isBelow(place, source))
  if (own.made.includes(source) || floor.devices.includes(source) || isBelowOne(own.writable)) return true
  return !isWritable && (isBelowOne(floor.shown) || isBelowOne(own.readable))
}

const isSame = (one: readonly string[], other: readonly string[] = []): boolean =>
  one.length === other.length && one.every((each, index) => each === other[index])

const firstBroken = (floor: ConfinedFloor, launch: Launch, own: OwnPlaces): string | undefined => {
  const { expect } = launch
  if (expect === undefined) return 'it is held and attested before it runs'
  for (const rule of rules) {
    const broken = rule(floor, launch, expect, own)
    if (broken !== undefined) return broken
  }
  return undefined
}
