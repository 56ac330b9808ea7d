// Whether what a service would start is there, can be run, and can be opened by the uids that will run it.
import { access, constants, stat } from 'node:fs/promises'
import { dataRootFor, isWithin } from '../config/dataDir.ts'
import { type Issue, quote, showKey } from '../config/problem.ts'
import type { Config, Service } from '../config/schema.ts'
import { fillTemplate, problemsOfTemplate, type TemplateValues } from '../config/template.ts'
import type { CheckMachine } from './machine.ts'
import { type FoundProgram, resolveProgram } from './program.ts'
import { findBarrier, findProgramBarrier, isClosed } from './reachability.ts'

export const checkPrograms = async (
  service: Service,
  config: Config,
  machine: CheckMachine,
): Promise<readonly Issue[]> => {
  const folder = await checkFolder(service, machine)
  // Without its folder nothing relative to it can be looked for.
  const program = folder.length > 0 ? [] : await checkProgram(service, config, machine)
  return [...folder, ...program, ...(await checkDataRoot(service, config, machine))]
}

const checkFolder = async (service: Service, { hasTenantUids }: CheckMachine): Promise<readonly Issue[]> => {
  const path = ['service', service.name, 'cwd']
  const value = quote(service.cwd)
  const issue = (message: string, fix: string): readonly Issue[] => [
    { path, message: `${showKey(path)}, ${value}, ${message}`, value, fix },
  ]
  const status = await stat(service.cwd).catch(() => undefined)
  if (status === undefined)
    return issue('does not exist, or may not be looked at', 'make it, or name the folder the code is in')
  if (!status.isDirectory()) return issue('is not a directory', 'name the folder the code is in')
  if (!(await mayEnter(service.cwd)))
    return issue('may not be entered by this user', `chmod u+x ${value}, or run tenement as the user whose it is`)
  if (!hasTenantUids || !(await isClosed(service.cwd))) return []
  return issue(
    'may not be opened by the uids of tenants',
    `chmod o+rx ${value}, and make what is in it readable for others`,
  )
}

/** Without root an instance starts as this user. */
const mayEnter = (folder: string): Promise<boolean> =>
  access(folder, constants.X_OK).then(
    () => true,
    () => false,
  )

const checkProgram = async (service: Service, config: Config, machine: CheckMachine): Promise<readonly Issue[]> => {
  const path = ['service', service.name, 'command']
  const found = await findProgram(service, config, machine)
  if (found === undefined) return []
  if ('problem' in found) {
    // Another machine may have it: `serve` serves the other services here.
    const code = 'unsupported_machine'
    const value = quote(service.command[0])
    if (found.suggestion === undefined) return [{ path, code, message: found.problem, value, fix: found.fix }]
    const fix = `${found.fix}: write command = ${quote([found.suggestion, ...service.command.slice(1)].join(' '))}`
    return [{ path, code, message: found.problem, value, suggestion: found.suggestion, fix }]
  }
  const barrier = machine.hasTenantUids ? await findProgramBarrier(found.program, service.cwd) : undefined
  return barrier === undefined ? [] : [barredProgram(service, found.program, barrier)]
}

/** The program a service starts; undefined for one of each instance's own, which cannot be looked for before the instance is there. */
export const findProgram = async (
  service: Service,
  config: Config,
  machine: CheckMachine,
): Promise<FoundProgram | undefined> => {
  const known = { name: service.name, data_dir: config.settings.dataDir }
  const command0 = fillKnown(service.command[0], known)
  if (command0 === undefined) return undefined
  const searched = (service.env.PATH ?? machine.path).split(':').flatMap((folder) => fillKnown(folder, known) ?? [])
  const pathName = service.env.PATH === undefined ? undefined : `service.${service.name}.env.PATH`
  return resolveProgram(command0, { cwd: service.cwd, path: searched.join(':'), pathName })
}

/** The text with what is the same for all instances filled in; undefined when something else is in it. */
const fillKnown = (template: string, values: TemplateValues): string | undefined =>
  problemsOfTemplate(template, ['name', 'data_dir']).length === 0 ? fillTemplate(template, values) : undefined

const barredProgram = (service: Service, program: string, barrier: string): Issue => ({
  path: ['service', service.name, 'command'],
  code: 'unsupported_machine',
  message: `the uids of tenants cannot run ${quote(program)}: ${barrier === program ? 'it is closed' : `${quote(barrier)} bars the way`} to others`,
  value: quote(service.command[0]),
  fix: `${barrier === program ? 'chmod o+rx' : 'chmod o+x'} ${quote(barrier)}, or install the program where everyone can run it`,
})

const checkDataRoot = async (
  service: Service,
  config: Config,
  { hasTenantUids }: CheckMachine,
): Promise<readonly Issue[]> => {
  if (!hasTenantUids) return []
  const root = dataRootFor(service, config.settings)
  const barrier = await findBarrier(`${root}/-`)
  if (barrier === undefined) return []
  const isDefault = isWithin(root, config.settings.dataDir)
  return [
    {
      path: ['service', service.name, 'data'],
      code: 'unsupported_machine',
      message: `the data of ${service.name} lies in ${quote(root)}, and ${quote(barrier)} bars the uids of tenants from it`,
      fix: `chmod o+x ${quote(barrier)}, or set ${isDefault ? 'settings.data_dir' : `service.${service.name}.data`} elsewhere`,
    },
  ]
}
