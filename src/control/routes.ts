// Everything the control API answers, as one table: method, path, parameters, what it does. A description for programs
// is made from it. Handlers only translate; what is asked of tenement is decided behind Operations.
import { messageOf } from '../errors.ts'
import type { InstanceName } from '../names.ts'
import { account } from './account.ts'
import { type Decoder, document } from './decode.ts'
import { Fault } from './fault.ts'
import { instanceNamed } from './named.ts'
import { describeApi } from './openapi.ts'
import { flagOf, linesOf, phaseOf, waitOf, wantedOf } from './query.ts'
import type { Answer, AnswerForm, Call, Route } from './route.ts'
import { waitFor } from './waitFor.ts'
import {
  addRequest,
  instanceEvent,
  instanceList,
  instanceStatus,
  logLine,
  nameList,
  removal,
  serverStatus as serverStatusShape,
  tracedStart,
} from './wire.ts'

/** The instance in the path. A path is split at every '/', so a name holds none; the grammar bars all else. */
const nameOf = ({ parameters }: Call): InstanceName => instanceNamed(`${parameters['{service}']}:${parameters['{id}']}`)

/** Of Prometheus' text format (its exposition formats, text format 0.0.4). */
const metricsType = 'text/plain; version=0.0.4; charset=utf-8'

const answersWith = (shape: Decoder<unknown>, status: AnswerForm['status'] = 200): AnswerForm => ({
  status,
  type: 'application/json',
  shape,
})

const ok = (json: unknown): Answer => ({ status: 200, json })

const read = (
  path: string,
  summary: string,
  answers: AnswerForm,
  handle: Route['handle'],
  query: readonly string[] = [],
): Route => ({ method: 'GET', path, summary, query, takesBody: false, answers, handle })

type Verb = 'wake' | 'stop' | 'restart' | 'enable' | 'disable' | 'pause' | 'resume'

const verb = (name: Verb, summary: string): Route => ({
  method: 'POST',
  path: `/v1/instances/{service}/{id}/${name}`,
  summary,
  query: [],
  takesBody: false,
  answers: answersWith(instanceStatus),
  handle: async (call, { operations }) => ok(await operations[name](nameOf(call))),
})

const bodyOf = (call: Call): { readonly instance: string } => {
  try {
    return addRequest(call.body, 'the body')
  } catch (error) {
    throw new Fault('bad_request', messageOf(error))
  }
}

const instance = '/v1/instances/{service}/{id}'

export const routes: readonly Route[] = [
  read('/v1/openapi.json', 'This description', answersWith(document), (_, { serverStatus }) =>
    ok(describeApi(routes, serverStatus().version)),
  ),
  read('/v1/server', 'The running server itself', answersWith(serverStatusShape), (_, { serverStatus }) =>
    ok(serverStatus()),
  ),
  read(
    '/v1/metrics',
    'What Prometheus reads, in its text format',
    { status: 200, type: metricsType, shape: undefined },
    async (_, { metrics }) => ({
      status: 200,
      text: await metrics(),
      type: metricsType,
    }),
  ),
  read('/v1/instances', 'Every instance there is', answersWith(instanceList), (_, { operations }) =>
    ok({ instances: operations.list() }),
  ),
  read('/v1/names', 'The name of every instance there is', answersWith(nameList), (_, { operations }) =>
    ok({ names: operations.names() }),
  ),
  {
    method: 'POST',
    path: '/v1/instances',
    summary: 'Adds an instance that tenement.toml does not declare',
    query: [],
    takesBody: true,
    answers: answersWith(instanceStatus, 201),
    handle: async (call, { operations }) => ({
      status: 201,
      json: await operations.add(instanceNamed(bodyOf(call).instance)),
    }),
  },
  read(instance, 'One instance', answersWith(instanceStatus), (call, { operations }) =>
    ok(operations.status(nameOf(call))),
  ),
  read(
    `${instance}/why`,
    'What brought an instance into its phase, and what happens next',
    answersWith(account),
    (call, { operations }) => ok(operations.why(nameOf(call))),
  ),
  {
    method: 'DELETE',
    path: instance,
    summary: 'Stops and forgets an added instance; its data stays unless purge=true',
    query: ['purge'],
    takesBody: false,
    answers: answersWith(removal),
    handle: async (call, { operations }) =>
      ok(await operations.remove(nameOf(call), { purge: flagOf(call.query, 'purge') })),
  },
  verb('wake', 'Starts an instance and answers when it is ready'),
  verb('stop', 'Stops an instance and answers when all its processes are gone'),
  verb('restart', 'Stops an instance, starts it and answers when it is ready'),
  {
    method: 'POST',
    path: `${instance}/trace`,
    summary: 'Begins to start an instance and holds it until somebody traces it; names the start',
    query: ['restart'],
    takesBody: false,
    answers: answersWith(tracedStart),
    handle: async (call, { operations }) =>
      ok(await operations.trace(nameOf(call), { restart: flagOf(call.query, 'restart') })),
  },
  verb('enable', 'Lets a disabled instance wake again, and forgets its crashes'),
  verb('disable', 'Stops an instance and refuses requests to it until it is enabled'),
  verb('pause', 'Stops an instance and holds requests to it, up to hold_timeout each, until it is resumed'),
  verb('resume', 'Lets a paused instance wake again, at once where requests wait for it'),
  read(
    '/v1/events',
    'Each change of phase and each end as it happens, as server-sent events; Last-Event-ID replays what was missed',
    { status: 200, type: 'text/event-stream', shape: instanceEvent },
    (call, { events }) => ({
      status: 200,
      followed: events.follow({ after: call.lastEventId, isWanted: wantedOf(call.query), gone: call.gone }),
    }),
    ['service', 'instance'],
  ),
  read(
    `${instance}/wait`,
    'Answers when an instance is in a phase, or with 504 when the time is over first',
    answersWith(instanceStatus),
    async (call, { operations, events }) =>
      ok(
        await waitFor(operations, events, {
          name: nameOf(call),
          phase: phaseOf(call.query),
          ...waitOf(call.query),
          gone: call.gone,
        }),
      ),
    ['phase', 'timeout'],
  ),
  read(
    `${instance}/logs`,
    'The last lines an instance wrote, as JSON lines; follow=true goes on with new ones',
    { status: 200, type: 'application/x-ndjson', shape: logLine },
    (call, { operations, readLogs }) => {
      const name = nameOf(call)
      // Asked for its error: an instance that is not there has no log, rather than an empty one.
      operations.status(name)
      const lines = linesOf(call.query)
      return { status: 200, lines: readLogs(name, { lines, follow: flagOf(call.query, 'follow'), signal: call.gone }) }
    },
    ['lines', 'follow'],
  ),
]
