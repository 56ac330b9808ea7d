// Finds out when an instance that was started can serve: it accepts a connection, answers a health request, or writes a line.
// It asks until the answer is yes or its signal aborts; how long that may take, and what an exit means, others decide.
// No probe connection outlives the question: a forgotten one would take a place in the instance, or look like a client.
import { request } from 'node:http'
import type { Socket } from 'node:net'
import type { Ready } from '../config/schema.ts'
import { calledOff } from './calledOff.ts'
import type { Clock } from './clock.ts'
import type { Process } from './process.ts'
import { linesMatch } from './readyLine.ts'

export type ReadyProcess = Pick<Process, 'connect' | 'isAccepting' | 'watchOutput'>

/** A single question waits no longer than this for its answer. */
const attemptMs = 2_000
/**
 * Asked so often without a pause: a small program accepts a fraction of a millisecond after it was started, and the shortest
 * pause that a timer can make is longer than that. Each question takes its own time, so nothing spins.
 */
const askedAtOnce = 5
const firstDelayMs = 1
const longestDelayMs = 50
/** Each pause is a tenth longer than the one before, so an answer is found late by a tenth of the time the start took, or less. */
const growth = 1.1

/** Resolves after `ms`, or at once when the signal aborts or has aborted. */
const pause = (clock: Clock, ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const finish = (): void => {
      cancel()
      signal.removeEventListener('abort', finish)
      resolve()
    }
    const cancel = clock.setTimer(ms, finish)
    signal.addEventListener('abort', finish, { once: true })
  })

/**
 * Asks a few times at once, then after 1, 1.1, 1.21 … ms: a fast program is not kept waiting, a slow one not bothered. Rejects
 * when the signal aborts.
 */
const askUntilYes = async (clock: Clock, signal: AbortSignal, ask: () => Promise<boolean>): Promise<void> => {
  let delayMs = firstDelayMs
  for (let asked = 1; ; asked += 1) {
    signal.throwIfAborted()
    if (await ask()) return
    if (asked < askedAtOnce) continue
    await pause(clock, delayMs, signal)
    delayMs = Math.min(delayMs * growth, longestDelayMs)
  }
}

/** A connection for the length of `use`; false when there is none. One that comes after the signal aborted is closed too. */
const withConnection = async (
  process: ReadyProcess,
  signal: AbortSignal,
  use: (socket: Socket) => Promise<boolean>,
): Promise<boolean> => {
  const connecting = process.connect()
  const cut = new Promise<undefined>((resolve) => {
    signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
  // Whether anybody still waits for it or not, a late connection must not stay open, nor its refusal go unheard.
  const closed = connecting.then((socket) => {
    if (signal.aborted) socket.destroy()
    return socket
  })
  const socket = await Promise.race([closed, cut]).catch(() => undefined)
  closed.catch(() => undefined)
  if (socket === undefined || signal.aborted) return false
  // The instance may reset the connection at any moment; without a listener that would be an uncaught error.
  socket.on('error', () => undefined)
  try {
    return await use(socket)
  } finally {
    socket.destroy()
  }
}

/** Calls `ask` with a signal that aborts with the given one, or when the answer takes too long. */
const withinAttempt = async (
  clock: Clock,
  signal: AbortSignal,
  ask: (signal: AbortSignal) => Promise<boolean>,
): Promise<boolean> => {
  const attempt = new AbortController()
  const abort = (): void => attempt.abort(calledOff)
  const cancel = clock.setTimer(attemptMs, abort)
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await ask(attempt.signal)
  } finally {
    cancel()
    signal.removeEventListener('abort', abort)
    attempt.abort(calledOff)
  }
}

/** Whether GET `path` answers with 2xx or 3xx; the body is not waited for. */
const isHealthy = (socket: Socket, path: string, signal: AbortSignal): Promise<boolean> =>
  new Promise((resolve) => {
    const headers = { host: 'localhost', connection: 'close', 'user-agent': 'tenement' }
    const asked = request({ path, headers, createConnection: () => socket, signal })
    asked.on('response', ({ statusCode = 0 }) => resolve(statusCode >= 200 && statusCode < 400))
    asked.on('error', () => resolve(false))
    asked.on('close', () => resolve(false))
    asked.end()
  })

/** Whether it answers GET `path` with 2xx or 3xx within two seconds, asked once; false when the signal aborts. */
export const answersHealthy = (
  clock: Clock,
  process: ReadyProcess,
  path: string,
  signal: AbortSignal,
): Promise<boolean> =>
  withinAttempt(clock, signal, (attempt) =>
    withConnection(process, attempt, (socket) => isHealthy(socket, path, attempt)),
  )

const acceptsConnections = (clock: Clock, process: ReadyProcess, signal: AbortSignal): Promise<void> => {
  const { isAccepting } = process
  if (isAccepting === undefined)
    return askUntilYes(clock, signal, () =>
      withinAttempt(clock, signal, (attempt) => withConnection(process, attempt, async () => true)),
    )
  // The launcher's socket takes connections before the instance runs: one is left for it to find, and the kernel tells when it did.
  return askUntilYes(clock, signal, () =>
    withConnection(process, signal, async () => {
      await askUntilYes(clock, signal, () => isAccepting.call(process))
      return true
    }),
  )
}

/** Resolves when the process is ready; rejects when `signal` aborts, or when it cannot be told at all. */
export const becomesReady = (clock: Clock, process: ReadyProcess, ready: Ready, signal: AbortSignal): Promise<void> => {
  switch (ready.kind) {
    case 'tcp':
      return acceptsConnections(clock, process, signal)
    case 'http':
      return askUntilYes(clock, signal, () => answersHealthy(clock, process, ready.path, signal))
    case 'log':
      return linesMatch(process, ready.pattern, signal)
  }
}
