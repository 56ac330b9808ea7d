// Requests that can be told apart, and what the application wrote of each (test/fixtures/apps/ledger.py): whether one was lost
// or done twice is seen by comparing the two.
import { readFileSync } from 'node:fs'
import { type Agent, request } from 'node:http'
import { join } from 'node:path'
import { apps, type Tenement } from './tenement.ts'

/** The service "ledger", whose instances write what they are given into their data directory. */
export const ledgerService = (isolation: string, more = ''): string => `
[service.ledger]
command = "python3 -I -S ledger.py"
cwd = "${apps}"
isolation = "${isolation}"
listen = "fd"
${more}
`

export interface Entry {
  readonly id: string
  readonly bytes: number
}

/** A request and what came of it: the status of the answer, or the code of the error. */
export interface Sent extends Entry {
  readonly outcome: number | string
  /** Whether the instance it was for has answered it, and not another request. */
  readonly isItsOwn: boolean
}

export interface Sending {
  /** Connections are kept by it; without one the request has a connection of its own. */
  readonly agent?: Agent
  /** How often the id stands in the body; a GET without a body when not given. */
  readonly times?: number
  /** Without its length being said before it. */
  readonly isChunked?: boolean
  /** How long the body stops in its middle. */
  readonly pauseMs?: number
  /** Called when the kernel has made the connection, whether or not a server has taken it. */
  readonly onConnected?: () => void
}

let count = 0
/** Sends a request nobody else sends. Never rejects. */
export const send = (
  { port }: Tenement,
  instance: string,
  { agent, times = 0, isChunked = false, pauseMs = 0, onConnected }: Sending = {},
): Promise<Sent> => {
  count += 1
  const id = `request-${count}-`
  const body = id.repeat(times)
  const entry = { id, bytes: body.length }
  return new Promise((resolve) => {
    const method = times === 0 ? 'GET' : 'POST'
    const headers = {
      host: `${instance}.ledger.test`,
      ...(times > 0 && !isChunked ? { 'content-length': String(body.length) } : {}),
    }
    const asked = request({ host: '127.0.0.1', port, method, path: `/${id}`, headers, agent: agent ?? false })
    const fail = (error: NodeJS.ErrnoException): void =>
      resolve({ ...entry, outcome: error.code ?? error.message, isItsOwn: false })
    asked.once('error', fail)
    asked.once('response', (response) => {
      let text = ''
      response.setEncoding('latin1')
      response.on('data', (part: string) => {
        text += part
      })
      response.once('error', fail)
      response.once('end', () => resolve({ ...entry, outcome: response.statusCode ?? 0, isItsOwn: text === id }))
    })
    if (onConnected !== undefined) asked.once('socket', (socket) => socket.once('connect', onConnected))
    if (times > 0) asked.write(body.slice(0, body.length / 2))
    setTimeout(() => asked.end(body.slice(body.length / 2)), pauseMs)
  })
}

/** What an instance wrote: each time it was started, and each request with the bytes of its body. */
export const readLedger = ({ root }: Tenement, instance: string): { starts: number; entries: Entry[] } => {
  const lines = readFileSync(join(root, 'data', instance, 'ledger'), 'latin1')
    .trimEnd()
    .split('\n')
  const entries = lines
    .filter((line) => line !== 'start')
    .map((line) => {
      const [id = '', bytes] = line.split(' ')
      return { id, bytes: Number(bytes) }
    })
  return { starts: lines.length - entries.length, entries }
}

/** In an order of its own, so that lists with the same members are the same. */
export const sorted = (entries: readonly Entry[]): Entry[] =>
  entries.map(({ id, bytes }) => ({ id, bytes })).sort((one, other) => (one.id < other.id ? -1 : 1))
