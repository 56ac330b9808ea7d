// The directories of one run, each in one hierarchy, made with their bounds: all of them or none.
import { closeSync, constants, mkdirSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf, TenementError } from '../errors.ts'
import { tryRemove } from './files.ts'
import { membershipsIn } from './hierarchies.ts'
import { type Bounds, type Resource, resourceNames, resources } from './support.ts'
import { distinctTrees, isTree, type Tree, type Trees } from './tree.ts'

export interface Place {
  readonly tree: Tree
  readonly directory: string
  /** What /proc/PID/cgroup writes for a process in it. */
  readonly path: string
}

export const placeIn = (tree: Tree, run: string): Place => ({
  tree,
  directory: join(tree.directory, run),
  path: join(tree.path, run),
})

const isAskedFor = (resource: Resource, bounds: Bounds): boolean =>
  resources[resource].bounds.some((bound) => bounds[bound] !== undefined)

/** Throws unless each bound that is asked for has a place to be kept in. */
const requireSupport = (trees: Trees, bounds: Bounds): void => {
  for (const resource of resourceNames) {
    const found = trees[resource]
    if (isTree(found) || !isAskedFor(resource, bounds)) continue
    const { capability } = resources[resource]
    throw new TenementError(
      'unsupported_machine',
      `this machine cannot bound ${resource} (${capability}): ${found.reason}`,
      { fix: found.fix },
    )
  }
}

const setBounds = (trees: Trees, run: string, bounds: Bounds): void => {
  for (const resource of resourceNames)
    for (const bound of resources[resource].bounds) {
      const tree = trees[resource]
      const value = bounds[bound]
      if (value !== undefined && isTree(tree)) setBound(resource, bound, placeIn(tree, run), value)
    }
}

const setBound = (resource: Resource, bound: keyof Bounds, { tree, directory }: Place, value: number): void => {
  try {
    tree.version.set[bound](directory, value)
  } catch (error) {
    throw new TenementError(
      'unsupported_machine',
      `the kernel refused ${bound} = ${value} (${resources[resource].capability}): ${messageOf(error)}`,
      { fix: 'choose a bound within what this machine and the cgroup tenement runs in allow', cause: error },
    )
  }
}

/** Makes only what the bounds need, and what kills; throws, leaving nothing behind, when a bound cannot be kept. */
export const makePlaces = (trees: Trees, run: string, bounds: Bounds): readonly Place[] => {
  requireSupport(trees, bounds)
  const used = resourceNames.filter((resource) => resource === 'kill' || isAskedFor(resource, bounds))
  const places = distinctTrees(used.map((resource) => trees[resource])).map((tree) => placeIn(tree, run))
  const made: string[] = []
  try {
    for (const { directory, tree } of places) {
      mkdirSync(directory, { mode: 0o755 })
      made.push(directory)
      tree.version.begin(directory)
    }
    setBounds(trees, run, bounds)
    return places
  } catch (error) {
    for (const directory of made) tryRemove(directory)
    throw error
  }
}

/** The one of `places` in the tree that keeps a resource. */
export const placeFor = (found: Trees[Resource], places: readonly Place[]): Place | undefined =>
  isTree(found) ? places.find(({ tree }) => tree.directory === found.directory) : undefined

export const openJoinFiles = (places: readonly Place[]): number[] => {
  const opened: number[] = []
  try {
    for (const { tree, directory } of places)
      opened.push(openSync(join(directory, tree.version.joinFile), constants.O_WRONLY))
    return opened
  } catch (error) {
    for (const fd of opened) closeSync(fd)
    throw error
  }
}

/** 'memory:/tenement-1f/9a pids:/tenement-1f/9a'; undefined unless the process is in all of them. */
export const placeOf = (places: readonly Place[], pid: number): string | undefined => {
  const memberships = membershipsOf(pid)
  const isThere = places.every(({ tree, path }) => memberships.get(tree.hierarchy.key) === path)
  return isThere ? places.map(({ tree, path }) => `${tree.hierarchy.key}:${path}`).join(' ') : undefined
}

const membershipsOf = (pid: number): ReadonlyMap<string, string> => {
  try {
    return membershipsIn(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))
  } catch {
    return new Map() // it has ended
  }
}

export const isIn = (place: Place, pid: number): boolean => placeOf([place], pid) !== undefined
