// The server's end of the channel to its launcher: requests with answers, exits and output by run. When the channel closes the
// launcher is gone, and with it everything this process could do.
import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { TenementError } from '../errors.ts'
import { receiveSockets } from './handOver.ts'
import type { Exited, Request, Results, RunExit, Stored, ToServer } from './protocol.ts'

/** What the server process has of the channel: `process`, or a stand-in for it. */
export interface Channel {
  send(message: unknown): void
  on(event: 'message', listener: (message: unknown) => void): void
}

export type Hello = Extract<ToServer, { type: 'hello' }>

export interface LauncherClient {
  /** Rejects with a TenementError: 'launcher_refused' where the policy forbids it, 'start_failed' where it could not be done. */
  ask<T extends keyof Results>(request: Extract<Request, { type: T }>): Promise<Results[T]>
  /** A connection to what a run listens on in its own network; rejects with the kernel's reason where it does not accept. */
  openConnection(run: string): Promise<Socket>
  /** Calls `onExit` once when the run has ended; it may have ended already. */
  whenExited(run: string, onExit: (exit: RunExit) => void): void
  /** What a run stores, as last heard; undefined where it has no bound, or nothing was told yet. */
  storedBy(run: string): Stored | undefined
  /** Passes on the lines of a watched run, those that came before the call included; undefined ends it. */
  onLines(run: string, listener: ((line: string) => void) | undefined): void
}

export interface ClientEvents {
  readonly onHello: (hello: Hello) => void
  /** The order to stop everything and exit. */
  readonly onEnd: () => void
}

interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

/** Lines kept for a run that is watched before anybody has asked for them. */
const keptLines = 1_000

export const connectLauncher = (channel: Channel, { onHello, onEnd }: ClientEvents): LauncherClient => {
  let lastRequest = 0
  const waiting = new Map<number, Waiting>()
  const exits = new Map<string, Exited>()
  const exitListeners = new Map<string, (exit: RunExit) => void>()
  const stored = new Map<string, Stored>()
  const lines = new Map<string, { kept: string[]; listener: ((line: string) => void) | undefined }>()

  const linesOf = (run: string): { kept: string[]; listener: ((line: string) => void) | undefined } => {
    const known = lines.get(run) ?? { kept: [], listener: undefined }
    lines.set(run, known)
    return known
  }

  let takeSocket = (_request: number): Socket => {
    throw new TenementError('internal', 'a connection was asked for before the launcher had greeted')
  }

  const post = async (request: Request): Promise<{ readonly number: number; readonly value: unknown }> => {
    lastRequest += 1
    const number = lastRequest
    const value = await new Promise<unknown>((resolve, reject) => {
      waiting.set(number, { resolve, reject })
      channel.send({ ...request, request: number })
    })
    return { number, value }
  }

  const settle = (request: number, act: (waiter: Waiting) => void): void => {
    const waiter = waiting.get(request)
    waiting.delete(request)
    if (waiter !== undefined) act(waiter)
  }

  const handlers: { readonly [T in ToServer['type']]: (message: Extract<ToServer, { type: T }>) => void } = {
    hello: (hello) => {
      takeSocket = receiveSockets(hello.handOver)
      for (const record of hello.runs) if (record.stored !== undefined) stored.set(record.run, record.stored)
      onHello(hello)
    },
    end: onEnd,
    reply: ({ request, value }) => settle(request, ({ resolve }) => resolve(value)),
    failed: ({ request, code, message }) =>
      settle(request, ({ reject }) =>
        reject(new TenementError(code === 'refused' ? 'launcher_refused' : 'start_failed', message)),
      ),
    output: ({ run, lines: arrived }) => {
      const { kept, listener } = linesOf(run)
      if (listener !== undefined) for (const line of arrived) listener(line)
      else kept.push(...arrived.slice(0, keptLines - kept.length))
    },
    stored: ({ run, stored: told }) => void stored.set(run, told),
    exited: (exited) => {
      stored.delete(exited.run)
      lines.delete(exited.run)
      const listener = exitListeners.get(exited.run)
      exitListeners.delete(exited.run)
      if (listener === undefined) exits.set(exited.run, exited)
      else listener(exited.exit)
    },
  }

  channel.on('message', (message) => {
    const known = message as ToServer
    const handler = handlers[known.type] as (message: ToServer) => void
    handler(known)
  })

  return {
    ask: async <T extends keyof Results>(request: Extract<Request, { type: T }>) =>
      (await post(request)).value as Results[T],
    openConnection: async (run) => takeSocket((await post({ type: 'connect', run })).number),
    whenExited: (run, onExit) => {
      const exited = exits.get(run)
      exits.delete(run)
      if (exited === undefined) exitListeners.set(run, onExit)
      else onExit(exited.exit)
    },
    storedBy: (run) => stored.get(run),
    onLines: (run, listener) => {
      const known = linesOf(run)
      known.listener = listener
      for (const line of known.kept.splice(0)) listener?.(line)
    },
  }
}

/** A new name for a start. */
export const newRun = (): string => randomBytes(6).toString('hex')
