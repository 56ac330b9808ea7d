// The control API as an OpenAPI 3.1 document, made from the table of routes and the shapes that both ends read by. Pure.
import { namePattern } from '../names.ts'
import { account } from './account.ts'
import type { Decoder, JsonSchema } from './decode.ts'
import { maxLogLines, usualLogLines } from './logs.ts'
import { phases } from './operations.ts'
import type { Route } from './route.ts'
import { usualWait } from './waitTime.ts'
import {
  addRequest,
  instanceEvent,
  instanceList,
  instanceStatus,
  lastExit,
  logLine,
  nameList,
  problem,
  removal,
  serverStatus,
  tracedStart,
} from './wire.ts'

/** Shapes that have a name of their own in the document; wherever one stands it is referred to. */
const components: Readonly<Record<string, Decoder<unknown>>> = {
  ServerStatus: serverStatus,
  InstanceStatus: instanceStatus,
  InstanceList: instanceList,
  NameList: nameList,
  LastExit: lastExit,
  Account: account,
  AddRequest: addRequest,
  Removal: removal,
  TracedStart: tracedStart,
  InstanceEvent: instanceEvent,
  LogLine: logLine,
  Problem: problem,
}

interface Parameter {
  readonly description: string
  readonly schema: JsonSchema
  readonly required?: true
}

const name: JsonSchema = { type: 'string', pattern: namePattern.source }
const flag: JsonSchema = { type: 'boolean', default: false }

/** What each parameter of a query means; one name means one thing wherever it stands. */
const queryParameters: Readonly<Record<string, Parameter>> = {
  purge: { description: 'Whether its data is removed for good.', schema: flag },
  restart: { description: 'Whether one that runs is stopped first.', schema: flag },
  lines: {
    description: 'How many of the last lines to begin with.',
    schema: { type: 'integer', minimum: 0, maximum: maxLogLines, default: usualLogLines },
  },
  follow: { description: 'Whether to go on with what comes.', schema: flag },
  service: { description: 'Only of this service.', schema: name },
  instance: { description: 'Only of this instance, written "service:id".', schema: { type: 'string' } },
  phase: { description: 'The phase to wait for.', schema: { type: 'string', enum: phases }, required: true },
  timeout: {
    description: 'How long to wait, such as "30s" or "5m"; at most "24h".',
    schema: { type: 'string', default: usualWait },
  },
}

const pathParameters: Readonly<Record<string, string>> = {
  service: 'The name of a service.',
  id: 'The id of an instance.',
}

/** A schema with every named part in it as a reference; `isTop` for the definition of a name itself. */
const referred = (schema: unknown, isTop = false): unknown => {
  const known = Object.entries(components).find(([, component]) => component.schema === schema)
  if (known !== undefined && !isTop) return { $ref: `#/components/schemas/${known[0]}` }
  if (Array.isArray(schema)) return schema.map((each) => referred(each))
  if (typeof schema !== 'object' || schema === null) return schema
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, referred(value)]))
}

/** 'getInstanceLogs' of GET /v1/instances/{service}/{id}/logs. */
const operationIdOf = ({ method, path }: Route): string => {
  const words = path
    .replace('/instances/{service}/{id}', '/instance')
    .split('/')
    .slice(2)
    .flatMap((segment) => segment.split('.').slice(0, 1))
  return [method.toLowerCase(), ...words.map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`)].join('')
}

const parametersOf = ({ path, query }: Route): readonly unknown[] => [
  ...[...path.matchAll(/\{(\w+)\}/g)].map(([, key = '']) => ({
    name: key,
    in: 'path',
    required: true,
    description: pathParameters[key],
    schema: name,
  })),
  ...query.map((key) => ({ name: key, in: 'query', ...queryParameters[key] })),
]

/** OpenAPI 3.1 has no word for the pieces of a stream, so their shape stands in a member of our own. */
const contentOf = ({ answers: { type, shape } }: Route): unknown => {
  if (shape === undefined) return { [type]: { schema: { type: 'string' } } }
  const schema = referred(shape.schema)
  return { [type]: type === 'application/json' ? { schema } : { schema: { type: 'string' }, 'x-item-schema': schema } }
}

const problemAnswer = {
  description: 'What is wrong, and what to do about it (RFC 9457)',
  content: { 'application/problem+json': { schema: referred(problem.schema) } },
}

const operationFor = (route: Route): unknown => ({
  operationId: operationIdOf(route),
  summary: route.summary,
  parameters: parametersOf(route),
  ...(route.takesBody
    ? { requestBody: { required: true, content: { 'application/json': { schema: referred(addRequest.schema) } } } }
    : {}),
  responses: {
    [route.answers.status]: { description: route.summary, content: contentOf(route) },
    default: problemAnswer,
  },
})

const pathsOf = (routes: readonly Route[]): Readonly<Record<string, unknown>> => {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const route of routes)
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operationFor(route) }
  return paths
}

/** Described is what `routes` has, for a tenement of this version. */
export const describeApi = (routes: readonly Route[], version: string): Readonly<Record<string, unknown>> => ({
  openapi: '3.1.0',
  info: {
    title: 'tenement control API',
    version,
    description:
      'HTTP on the unix socket control.sock in run_dir, for programs on this machine. The host must be "localhost".',
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
  servers: [{ url: 'http://localhost' }],
  paths: pathsOf(routes),
  components: {
    schemas: Object.fromEntries(
      Object.entries(components).map(([key, component]) => [key, referred(component.schema, true)]),
    ),
  },
})
