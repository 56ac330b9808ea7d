// A real launcher, with a server process that passes on what is said here: each launch goes the way that one of `serve` goes.
// Nothing is told twice: a server that ends is replaced by the launcher, and what was asked of it is lost.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { TenementError } from '../errors.ts'
import type { LauncherSettings, Policy, Request, Results, RunExit, ToServer } from '../launcher/protocol.ts'
import { frame, readFrames } from './frames.ts'

interface ServerUp {
  readonly type: 'server'
  readonly pid: number
  readonly runs: readonly string[]
}

type Heard = ToServer | ServerUp

export interface Conductor {
  /** How many times longer than on a usual machine things are waited for: at least 1, by the time its own start took. */
  readonly patience: number
  readonly launcherPid: number
  readonly serverPid: () => number
  /** Rejects with a TenementError 'launcher_refused' or 'start_failed', as the server's own client does. */
  ask<T extends keyof Results>(request: Extract<Request, { type: T }>): Promise<Results[T]>
  /** Resolves when the run has ended, also when it has already; rejects where it has not within the time, or within the usual one. */
  whenExited(run: string, withinMs?: number): Promise<RunExit>
  /** Kills the server; resolves with the runs that the next one is told of. */
  replaceServer(): Promise<readonly string[]>
  /** Ends every instance and the launcher. */
  close(): Promise<void>
}

const dist = fileURLToPath(new URL('../../dist/', import.meta.url))
/** Programs that are executed, from the sources as from what they are built to. */
const built = (path: string): string => join(dist, path)

/** Long for what takes milliseconds; a launcher that says nothing for so long never will. */
const answerTimeoutMs = 60_000
/** Two processes of Node, one after the other: a third of it where nothing else runs, and fifty times as long where all is emulated. */
const usualStartMs = 1_000
const longestStartMs = 120_000

/** `secret` lies in the launcher's environment: no instance may find it. */
export const startConductor = async (root: string, policy: Policy, secret: string): Promise<Conductor> => {
  const path = join(root, 'conductor.sock')
  const said: string[] = []
  const conduct = listenFor(path, said)
  await conduct.listening
  const startedAt = performance.now()
  const child = startLauncher(root, path, policy, secret)
  child.stderr?.on('data', (chunk: Buffer) => said.push(chunk.toString()))
  const ended = once(child, 'exit').then(() => conduct.fail(new Error(`the launcher ended: ${said.join('').trim()}`)))
  const close = async (): Promise<void> => {
    child.kill('SIGTERM')
    await ended
    conduct.close()
    // The lock of the range goes with its process; the file would stay.
    if (policy.tenantUids !== undefined)
      rmSync(`/run/tenement-uids/${policy.tenantUids.first}-${policy.tenantUids.last}`, { force: true })
  }
  try {
    await conduct.server()
  } catch (error) {
    await close()
    throw error
  }
  // Whole, since some timers take nothing else.
  const patience = Math.ceil(Math.max(1, (performance.now() - startedAt) / usualStartMs))
  conduct.setPatience(patience)
  return {
    patience,
    launcherPid: child.pid ?? 0,
    serverPid: conduct.serverPid,
    ask: conduct.ask,
    whenExited: conduct.whenExited,
    replaceServer: async () => {
      const next = conduct.nextServer()
      process.kill(conduct.serverPid(), 'SIGKILL')
      return (await next).runs
    },
    close,
  }
}

const startLauncher = (root: string, server: string, policy: Policy, secret: string): ChildProcess => {
  const settings: LauncherSettings = {
    policy,
    listen: [],
    endTimeoutMs: 5_000,
    serverFile: built('proof/relay/main.js'),
    server,
  }
  const file = join(root, 'settings.json')
  writeFileSync(file, JSON.stringify(settings), { mode: 0o600 })
  const fd = openSync(file, 'r')
  const main = built('launcher/main.js')
  const child = spawn(process.execPath, [main, '3'], {
    stdio: ['ignore', 'ignore', 'pipe', fd],
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', TENEMENT_ATTACK_SECRET: secret },
  })
  closeSync(fd)
  return child
}

/** `said` is what the launcher has printed, which may tell why it is late. */
const withDeadline = async <T>(
  asked: Promise<T>,
  what: string,
  timeoutMs: number,
  said: readonly string[],
): Promise<T> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const fail = (): void => reject(new Error([`${what} took more than ${timeoutMs} ms`, ...said].join('\n').trim()))
    timer = setTimeout(fail, timeoutMs)
  })
  try {
    return await Promise.race([asked, late])
  } finally {
    clearTimeout(timer)
  }
}

interface Settle<T> {
  readonly resolve: (value: T) => void
  readonly reject: (error: Error) => void
}

const listenFor = (path: string, said: readonly string[]) => {
  let current: Socket | undefined
  let up: ServerUp | undefined
  let lastRequest = 0
  let failure: Error | undefined
  let timeoutMs = longestStartMs
  const waiting = new Map<number, Settle<unknown>>()
  const greeted: Settle<ServerUp>[] = []
  const exits = new Map<string, RunExit>()
  const exitWaiters = new Map<string, Settle<RunExit>>()

  const settle = (request: number, act: (waiter: Settle<unknown>) => void): void => {
    const waiter = waiting.get(request)
    waiting.delete(request)
    if (waiter !== undefined) act(waiter)
  }
  const hear = (heard: Heard): void => {
    if (heard.type === 'server') {
      up = heard
      for (const { resolve } of greeted.splice(0)) resolve(heard)
    }
    if (heard.type === 'reply') settle(heard.request, ({ resolve }) => resolve(heard.value))
    if (heard.type === 'failed') {
      const code = heard.code === 'refused' ? 'launcher_refused' : 'start_failed'
      settle(heard.request, ({ reject }) => reject(new TenementError(code, heard.message)))
    }
    if (heard.type !== 'exited') return
    exits.set(heard.run, heard.exit)
    exitWaiters.get(heard.run)?.resolve(heard.exit)
  }
  const server = createServer((socket) => {
    current = socket
    socket.on('error', () => undefined) // the server was killed: its launcher starts the next
    readFrames(socket, (message) => hear(message as Heard))
  }).listen(path)

  const nextServer = (): Promise<ServerUp> => {
    if (failure !== undefined) return Promise.reject(failure)
    const greeting = new Promise<ServerUp>((resolve, reject) => greeted.push({ resolve, reject }))
    return withDeadline(greeting, 'the start of a server', longestStartMs, said)
  }
  return {
    listening: once(server, 'listening'),
    server: () => (up === undefined ? nextServer() : Promise.resolve(up)),
    nextServer,
    serverPid: () => up?.pid ?? 0,
    setPatience: (patience: number): void => {
      timeoutMs = answerTimeoutMs * patience
    },
    ask: async <T extends keyof Results>(request: Extract<Request, { type: T }>): Promise<Results[T]> => {
      lastRequest += 1
      const number = lastRequest
      const answer = new Promise<unknown>((resolve, reject) => waiting.set(number, { resolve, reject }))
      if (failure !== undefined) throw failure
      current?.write(frame({ ...request, request: number }))
      return (await withDeadline(answer, `the launcher's answer to "${request.type}"`, timeoutMs, said)) as Results[T]
    },
    whenExited: (run: string, withinMs = timeoutMs): Promise<RunExit> => {
      const exit = exits.get(run)
      if (exit !== undefined) return Promise.resolve(exit)
      if (failure !== undefined) return Promise.reject(failure)
      const ended = new Promise<RunExit>((resolve, reject) => exitWaiters.set(run, { resolve, reject }))
      return withDeadline(ended, `the end of run ${run}`, withinMs, said)
    },
    fail: (error: Error): void => {
      failure = error
      for (const { reject } of [...waiting.values(), ...greeted, ...exitWaiters.values()]) reject(error)
    },
    close: (): void => {
      current?.destroy()
      server.close()
    },
  }
}
