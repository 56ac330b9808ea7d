// Asks a running tenement over its control socket: the operations as methods, each answer parsed, each error the one the
// server threw. It knows one socket path and nothing of config files; a server that is not there is 'not_running'.
import type { IncomingMessage } from 'node:http'
import { messageOf, TenementError } from '../errors.ts'
import { formatInstance, type InstanceName } from '../names.ts'
import { type Account, account } from './account.ts'
import type { Decoder } from './decode.ts'
import { createLineCutter } from './lineCutter.ts'
import type { InstanceStatus, Phase, Removal, TracedStart } from './operations.ts'
import { errorFrom } from './problem.ts'
import { type Ask, ask, notRunning, readBytes } from './transport.ts'
import {
  type InstanceEvent,
  instanceEvent,
  instanceList,
  instanceStatus,
  type LogLine,
  logLine,
  nameList,
  removal,
  type ServerStatus,
  serverStatus,
  tracedStart,
} from './wire.ts'

/** Every method rejects with a TenementError: the server's own, or 'not_running' when none answers. */
export interface ControlClient {
  server(): Promise<ServerStatus>
  /** In Prometheus' text format. */
  metrics(): Promise<string>
  list(): Promise<readonly InstanceStatus[]>
  /** 'service:id' of every instance, sorted. A server that is silent for `timeoutMs` counts as none. */
  names(timeoutMs?: number): Promise<readonly string[]>
  status(name: InstanceName): Promise<InstanceStatus>
  why(name: InstanceName): Promise<Account>
  add(name: InstanceName): Promise<InstanceStatus>
  remove(name: InstanceName, options: { readonly purge: boolean }): Promise<Removal>
  /** Resolves when it is ready, however long that takes; so do the others when they are done. */
  wake(name: InstanceName): Promise<InstanceStatus>
  stop(name: InstanceName): Promise<InstanceStatus>
  restart(name: InstanceName): Promise<InstanceStatus>
  /** Answers as soon as the start has been ordered. */
  trace(name: InstanceName, options: { readonly restart: boolean }): Promise<TracedStart>
  /** Resolves when it is in that phase; rejects with 'timed_out' when the time is over first. A duration as people write it. */
  wait(
    name: InstanceName,
    wanted: { readonly phase: Phase; readonly timeout: string | undefined },
  ): Promise<InstanceStatus>
  /** What happens from now on, until the caller stops reading or the server ends. */
  events(filter: { readonly service?: string; readonly instance?: string }): AsyncIterable<InstanceEvent>
  enable(name: InstanceName): Promise<InstanceStatus>
  disable(name: InstanceName): Promise<InstanceStatus>
  pause(name: InstanceName): Promise<InstanceStatus>
  resume(name: InstanceName): Promise<InstanceStatus>
  /** Its last lines, then with `follow` new ones until the caller stops reading or the server ends. */
  logs(name: InstanceName, options: { readonly lines: number; readonly follow: boolean }): AsyncIterable<LogLine>
}

/** A server that has not answered a question of state by then is stuck. */
const readTimeoutMs = 10_000
/** A line of a log in JSON, each byte of it escaped and in base64 beside that. */
const maxLineBytes = 1024 ** 2

const broken = (cause: unknown): TenementError =>
  new TenementError('internal', `the control socket gave an answer that cannot be read: ${messageOf(cause)}`, {
    fix: 'make sure that "tenement serve" and this command are of one version',
    cause,
  })

const isGood = ({ statusCode = 0 }: IncomingMessage): boolean => statusCode >= 200 && statusCode < 300

const parseWith = <T>(decode: Decoder<T>, json: Buffer): T => {
  try {
    return decode(JSON.parse(json.toString()), 'the answer')
  } catch (cause) {
    throw broken(cause)
  }
}

async function* readLines(answer: IncomingMessage): AsyncGenerator<LogLine> {
  const cutter = createLineCutter(maxLineBytes)
  for await (const chunk of answer) {
    for (const line of cutter.push(chunk)) yield parseWith(logLine, line)
  }
}

const dataField = Buffer.from('data: ')

/** Each event of ours has one line of data; ids, names and comments are for others. */
async function* readEvents(answer: IncomingMessage): AsyncGenerator<InstanceEvent> {
  const cutter = createLineCutter(maxLineBytes)
  for await (const chunk of answer)
    for (const line of cutter.push(chunk))
      if (line.subarray(0, dataField.length).equals(dataField))
        yield parseWith(instanceEvent, line.subarray(dataField.length))
}

const pathOf = ({ service, id }: InstanceName): string => `/v1/instances/${service}/${id}`

/** Makes a client for the socket; nothing is opened until it is asked something. */
export const connectControl = (socketPath: string): ControlClient => {
  /** An answer that breaks off says as little as none. */
  const readAll = (answer: IncomingMessage): Promise<Buffer> =>
    readBytes(answer).catch((cause: unknown) => {
      throw notRunning(socketPath, cause)
    })
  const getBytes = async (what: Ask): Promise<Buffer> => {
    const answer = await ask(socketPath, what)
    const body = await readAll(answer)
    if (!isGood(answer)) throw errorFrom(answer.statusCode ?? 0, body)
    return body
  }
  const get = async <T>(decode: Decoder<T>, what: Ask): Promise<T> => parseWith(decode, await getBytes(what))
  const read = <T>(decode: Decoder<T>, path: string): Promise<T> =>
    get(decode, { method: 'GET', path, timeoutMs: readTimeoutMs })
  const order =
    (verb: string) =>
    (name: InstanceName): Promise<InstanceStatus> =>
      get(instanceStatus, { method: 'POST', path: `${pathOf(name)}/${verb}` })

  async function* follow<T>(path: string, read: (answer: IncomingMessage) => AsyncIterable<T>): AsyncGenerator<T> {
    const answer = await ask(socketPath, { method: 'GET', path })
    if (!isGood(answer)) throw errorFrom(answer.statusCode ?? 0, await readAll(answer))
    try {
      yield* read(answer)
    } catch (error) {
      throw error instanceof TenementError ? error : notRunning(socketPath, error)
    } finally {
      answer.destroy()
    }
  }

  return {
    server: () => read(serverStatus, '/v1/server'),
    metrics: async () => (await getBytes({ method: 'GET', path: '/v1/metrics', timeoutMs: readTimeoutMs })).toString(),
    list: async () => (await read(instanceList, '/v1/instances')).instances,
    names: async (timeoutMs = readTimeoutMs) =>
      (await get(nameList, { method: 'GET', path: '/v1/names', timeoutMs })).names,
    status: (name) => read(instanceStatus, pathOf(name)),
    why: (name) => read(account, `${pathOf(name)}/why`),
    add: (name) =>
      get(instanceStatus, { method: 'POST', path: '/v1/instances', body: { instance: formatInstance(name) } }),
    remove: (name, { purge }) => get(removal, { method: 'DELETE', path: `${pathOf(name)}?purge=${purge}` }),
    wake: order('wake'),
    stop: order('stop'),
    restart: order('restart'),
    trace: (name, { restart }) =>
      get(tracedStart, { method: 'POST', path: `${pathOf(name)}/trace?restart=${restart}` }),
    enable: order('enable'),
    disable: order('disable'),
    pause: order('pause'),
    resume: order('resume'),
    wait: (name, { phase, timeout }) =>
      get(instanceStatus, {
        method: 'GET',
        path: `${pathOf(name)}/wait?${new URLSearchParams({ phase, ...(timeout === undefined ? {} : { timeout }) })}`,
      }),
    events: (filter) => follow(`/v1/events?${new URLSearchParams(filter)}`, readEvents),
    logs: (name, { lines, follow: goesOn }) =>
      follow(`${pathOf(name)}/logs?lines=${lines}&follow=${goesOn}`, readLines),
  }
}
