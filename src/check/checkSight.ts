// Whether an adapter that hides the machine's files can show what the service needs of them: its folder, its grants, and the
// program it runs, which often lies outside of what every instance sees, such as a Node of a version manager.
import { realpath } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { type Issue, type KeyPath, quote, showKey } from '../config/problem.ts'
import type { Config, Service } from '../config/schema.ts'
import type { IsolationAdapter, Sight } from '../isolation/adapter.ts'
import { coveredBy, isShown } from '../isolation/sight.ts'
import { findProgram } from './checkPrograms.ts'
import type { CheckMachine } from './machine.ts'

/** `machine` is undefined for a config that is meant for another: no program is looked for then. */
export const checkSight = async (
  service: Service,
  config: Config,
  adapter: IsolationAdapter,
  machine: CheckMachine | undefined,
): Promise<readonly Issue[]> => {
  const { sight } = adapter
  if (sight === undefined) return []
  const covered = placesOf(service).flatMap((place) => checkCovered(place, adapter, sight))
  // What is wrong with the folder is said once.
  return covered.length > 0 || machine === undefined ? covered : checkProgramShown(service, config, adapter, machine)
}

interface Place {
  readonly key: KeyPath
  readonly path: string
}

const placesOf = ({ name, cwd, read, write }: Service): readonly Place[] => {
  const key = (...rest: KeyPath): KeyPath => ['service', name, ...rest]
  return [
    { key: key('cwd'), path: cwd },
    ...read.map((path, index) => ({ key: key('read', index), path })),
    ...write.map((path, index) => ({ key: key('write', index), path })),
  ]
}

const checkCovered = ({ key, path }: Place, { name }: IsolationAdapter, sight: Sight): readonly Issue[] => {
  const covered = coveredBy(path, sight)
  if (covered === undefined) return []
  const listed = key.filter((part) => typeof part === 'string')
  const message = `${showKey(listed)} names ${quote(path)}, and under isolation "${name}" an instance has a ${quote(covered)} of its own`
  return [{ path: key, message, value: quote(path), fix: 'name a folder of its own, such as one below /srv' }]
}

const checkProgramShown = async (
  service: Service,
  config: Config,
  { name, sight }: IsolationAdapter,
  machine: CheckMachine,
): Promise<readonly Issue[]> => {
  const found = await findProgram(service, config, machine)
  if (sight === undefined || found === undefined || 'problem' in found) return []
  const granted = [service.cwd, ...service.read, ...service.write]
  const paths = [found.program, await realpath(found.program)]
  const hidden = paths.find((path) => !isShown(path, sight, granted))
  if (hidden === undefined) return []
  const key = ['service', service.name, 'command']
  const message = `${showKey(key)} runs ${quote(found.program)}, and isolation "${name}" does not show ${quote(hidden)} to instances`
  const fix = `add ${quote(installedAt(hidden))} to service.${service.name}.read, or install the program below /usr`
  return [{ path: key, code: 'unsupported_machine', message, value: quote(service.command[0]), fix }]
}

/** What has to be seen for a program to run: "/opt/node" of "/opt/node/bin/node", since its libraries lie beside its bin. */
const installedAt = (program: string): string => {
  const folder = dirname(program)
  return basename(folder) === 'bin' ? dirname(folder) : folder
}
