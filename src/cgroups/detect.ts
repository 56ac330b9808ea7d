// For each resource: the hierarchy that keeps it here, or why none does. Reads and writes nothing that would change the machine,
// so `tenement check` and the launcher that makes the cgroups ask the same question.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { findBase } from './delegation.ts'
import { type Hierarchy, hierarchiesIn } from './hierarchies.ts'
import type { CgroupMachine } from './machine.ts'
import {
  type Absence,
  controllerNotMounted,
  disabledAtBoot,
  needsRootForVersion1,
  notHandedDown,
  notInKernel,
  notMounted,
  type Resource,
  readOnly,
  resources,
} from './support.ts'

/** A hierarchy, and the directory in it below which cgroups may be made. */
export interface Home {
  readonly hierarchy: Hierarchy
  readonly base: string
}

export type Homes = Readonly<Record<Resource, Home | Absence>>

export const isHome = (found: Home | Absence): found is Home => 'base' in found

const controllersOf = (directory: string): readonly string[] => {
  const file = join(directory, 'cgroup.controllers')
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split(' ') : []
}

/** Why no hierarchy has the controller: columns of /proc/cgroups are name, hierarchy, cgroups, enabled (cgroups(7)). */
const absenceOf = (controller: string, { kernelControllers }: CgroupMachine): Absence => {
  const row = kernelControllers.split('\n').find((line) => line.split('\t')[0] === controller)
  if (row === undefined) return notInKernel(controller)
  return row.split('\t')[3] === '0' ? disabledAtBoot(controller) : controllerNotMounted(controller)
}

const homeInVersion1 = (hierarchy: Hierarchy, machine: CgroupMachine): Home | Absence => {
  // Who may write a cgroup of version 1 may also loosen what it bounds, so it cannot be handed to a user.
  if (!machine.isRoot) return needsRootForVersion1
  return machine.canWrite(hierarchy.mountPoint)
    ? { hierarchy, base: hierarchy.mountPoint }
    : readOnly(hierarchy.mountPoint)
}

const homeInVersion2 = (hierarchy: Hierarchy, controller: string, machine: CgroupMachine): Home | Absence => {
  const base = findBase(hierarchy, machine)
  if (typeof base !== 'string') return base
  if (controllersOf(base).includes(controller)) return { hierarchy, base }
  return notHandedDown(controller, hierarchy.own, machine.isRoot)
}

const hasController = (hierarchy: Hierarchy, controller: string): boolean =>
  hierarchy.version === 2
    ? controllersOf(hierarchy.mountPoint).includes(controller)
    : hierarchy.key.split(',').includes(controller)

const findHome = (resource: Resource, hierarchies: readonly Hierarchy[], machine: CgroupMachine): Home | Absence => {
  const { controller } = resources[resource]
  const hierarchy = hierarchies.find((each) => hasController(each, controller))
  if (hierarchy === undefined) return hierarchies.length === 0 ? notMounted : absenceOf(controller, machine)
  return hierarchy.version === 1 ? homeInVersion1(hierarchy, machine) : homeInVersion2(hierarchy, controller, machine)
}

/**
 * Version 1 by its freezer, where there is one: every hierarchy of version 2 that a process is moved to costs a wait for an RCU
 * grace period (5 to 17 ms measured), and the freezer costs none. Version 2 otherwise: it kills without any controller.
 */
const findKillHome = (hierarchies: readonly Hierarchy[], machine: CgroupMachine): Home | Absence => {
  const freezer = findHome('kill', hierarchies, machine)
  const unified = hierarchies.find((each) => each.version === 2)
  if (isHome(freezer) || unified === undefined) return freezer
  const base = findBase(unified, machine)
  return typeof base === 'string' ? { hierarchy: unified, base } : base
}

export const detectHomes = (machine: CgroupMachine): Homes => {
  const hierarchies = hierarchiesIn(machine.mountinfo, machine.selfCgroup)
  const home = (resource: Resource) => findHome(resource, hierarchies, machine)
  return {
    memory: home('memory'),
    processes: home('processes'),
    cpu: home('cpu'),
    kill: findKillHome(hierarchies, machine),
  }
}
