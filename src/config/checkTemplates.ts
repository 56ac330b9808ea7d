// Whether every template of a service can be filled for each of its instances, and whether `data` leads where data may lie.
// A variable of an environment is told by its name alone: what it holds may be a secret.

import { type Issue, type KeyPath, quote, showKey } from './problem.ts'
import type { Config, Service } from './schema.ts'
import { problemsOfTemplate, type TemplateProblem, type TemplateVariable, variablesOf } from './template.ts'
import { isSecret } from './understand.ts'

export const checkTemplates = (config: Config): readonly Issue[] =>
  [...config.services.values()].flatMap((service) => [...checkFilled(service), ...checkData(service, config)])

const reachVariables: Readonly<Record<Service['listen'], TemplateVariable>> = {
  port: 'port',
  fd: 'socket',
  unix: 'socket',
}

const checkFilled = (service: Service): readonly Issue[] => {
  const allowed: TemplateVariable[] = ['id', 'name', 'data_dir', reachVariables[service.listen]]
  const at = (...path: KeyPath): KeyPath => ['service', service.name, ...path]
  const variables = (env: Service['env'], path: KeyPath) =>
    Object.entries(env).map(([name, value]) => [[...path, name], value] as const)
  const templates = [
    ...service.command.map((argument) => [at('command'), argument] as const),
    ...variables(service.env, at('env')),
    ...Object.entries(service.tenant).flatMap(([id, { env = {} }]) => variables(env, at('tenant', id, 'env'))),
  ]
  return templates.flatMap(([path, template]) =>
    problemsOfTemplate(template, allowed).map((problem) => issueOf(path, template, problem, service)),
  )
}

const issueOf = (path: KeyPath, template: string, problem: TemplateProblem, service: Service): Issue => ({
  path,
  message: `${showKey(path)} ${whatIsWrong(path, problem, service)}`,
  ...(isSecret(path) ? {} : { value: quote(template) }),
  ...(problem.suggestion === undefined ? {} : { suggestion: problem.suggestion }),
  fix: problem.fix,
})

// Whatever stands between braces in an environment may be a piece of JSON with a password in it.
const whatIsWrong = (path: KeyPath, problem: TemplateProblem, service: Service): string => {
  if (problem.variable === undefined) return problem.problem
  if (!problem.isElsewhere)
    return isSecret(path) ? problem.problem : `holds {${problem.variable}}, which is no template variable`
  const reach = problem.variable === 'port' || problem.variable === 'socket'
  return reach && path[2] !== 'data'
    ? `holds {${problem.variable}}, which has no value with listen = "${service.listen}"`
    : problem.problem
}

/** Whether `data` can be filled at all; where it cannot, nothing more may be asked about it. */
export const hasSoundData = (service: Service, config: Config): boolean => checkData(service, config).length === 0

const checkData = (service: Service, config: Config): readonly Issue[] => {
  const path = ['service', service.name, 'data']
  const unfillable = problemsOfTemplate(service.data, ['id', 'name', 'data_dir'])
  if (unfillable.length > 0) return unfillable.map((problem) => issueOf(path, service.data, problem, service))
  const wrong = whyWrong(service, config.instances.get(service.name)?.length ?? 0)
  if (wrong === undefined) return []
  const value = quote(service.data)
  return [{ path, message: `${showKey(path)} = ${value} ${wrong.problem}`, value, fix: wrong.fix }]
}

const whyWrong = (
  service: Service,
  declared: number,
): { readonly problem: string; readonly fix: string } | undefined => {
  const parts = service.data.split('/')
  if (parts[0] !== '' && parts[0] !== '{data_dir}') {
    return { problem: 'is not absolute', fix: 'begin it with "/" or "{data_dir}/"' }
  }
  if (parts.includes('..')) return { problem: 'leads upwards with ".."', fix: 'write the path without ".."' }
  if (variablesOf(service.data).includes('id') || (declared < 2 && !service.open)) return undefined
  const why = service.open ? 'is open to any id' : `has ${declared} instances`
  return {
    problem: `does not hold {id}, but ${service.name} ${why}`,
    fix: 'give each instance its own: data = "{data_dir}/{id}"',
  }
}
