// The launcher's own part of each hierarchy: a directory named after its run directory, so that two launchers never meet and the
// next one of the same place finds what the last one left. Making it is the first thing that changes the machine.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { messageOf } from '../errors.ts'
import { isTrueRoot, supervisorLeaf } from './delegation.ts'
import { type Home, type Homes, isHome } from './detect.ts'
import { pidsIn, writeKnob } from './files.ts'
import { type Hierarchy, pathOf } from './hierarchies.ts'
import { legacy } from './legacy.ts'
import { type Absence, type Resource, resourceNames, resources } from './support.ts'
import { unified } from './unified.ts'
import type { Version } from './version.ts'

/** One hierarchy with the directory in it below which runs get theirs. */
export interface Tree {
  readonly hierarchy: Hierarchy
  readonly directory: string
  /** What /proc/PID/cgroup writes for `directory`. */
  readonly path: string
  readonly version: Version
}

export type Trees = Readonly<Record<Resource, Tree | Absence>>

export const isTree = (found: Tree | Absence): found is Tree => 'directory' in found

/** 'tenement-' and what tells this run directory from any other. */
export const cgroupNameFor = (runDir: string): string =>
  `tenement-${createHash('sha256').update(runDir).digest('hex').slice(0, 12)}`

const treeIn = ({ hierarchy, base }: Home, runDir: string): Tree => {
  const directory = join(base, cgroupNameFor(runDir))
  const version = hierarchy.version === 2 ? unified : legacy
  return { hierarchy, directory, path: pathOf(hierarchy, directory), version }
}

const makeDirectory = (directory: string): void => {
  if (!existsSync(directory)) mkdirSync(directory, { mode: 0o755 })
}

/** Moves tenement itself out of the way: only a cgroup without processes hands its controllers down. */
const leaveInner = (base: string): void => {
  if (isTrueRoot(base)) return
  const leaf = join(base, supervisorLeaf)
  makeDirectory(leaf)
  // Twice: a process born while the first list was gone through is in the second.
  for (const _ of [1, 2]) for (const pid of pidsIn(base)) moveIfThere(leaf, pid)
}

const moveIfThere = (leaf: string, pid: number): void => {
  try {
    writeKnob(leaf, 'cgroup.procs', pid)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error // it has ended meanwhile
  }
}

const handDown = (controller: string, { directory, hierarchy }: Tree): void => {
  if (hierarchy.version === 1) return
  leaveInner(dirname(directory))
  for (const each of [dirname(directory), directory]) writeKnob(each, 'cgroup.subtree_control', `+${controller}`)
}

const makeTree = (resource: Resource, home: Home, runDir: string): Tree | Absence => {
  const tree = treeIn(home, runDir)
  try {
    makeDirectory(tree.directory)
    if (resource !== 'kill') handDown(resources[resource].controller, tree)
    return tree
  } catch (error) {
    return {
      reason: `${tree.directory} could not be set up: ${messageOf(error)}`,
      fix: 'see that nothing else writes to this cgroup, then start tenement again',
    }
  }
}

/** Makes what can be made; a resource whose tree the kernel refuses is absent, with the kernel's answer as its reason. */
export const makeTrees = (homes: Homes, runDir: string): Trees => {
  const entries = resourceNames.map((resource) => {
    const home = homes[resource]
    return [resource, isHome(home) ? makeTree(resource, home, runDir) : home] as const
  })
  return Object.fromEntries(entries) as Record<Resource, Tree | Absence>
}

/** Each tree once: version 2 keeps several resources in one. */
export const distinctTrees = (found: readonly (Tree | Absence)[]): readonly Tree[] => [
  ...new Map(found.filter(isTree).map((tree) => [tree.directory, tree])).values(),
]
