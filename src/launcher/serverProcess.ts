// The server process: forked, given the listening sockets, forked again when it ends. It starts with the launcher's rights so
// that it can load code its own user could not open, and gives them up itself before it reads a byte from the network.
import { type ChildProcess, fork } from 'node:child_process'
import { type HandOver, openHandOver } from './handOver.ts'
import type { ToServer } from './protocol.ts'

/** Descriptor number of the first listening socket in the server; those below are the standard ones and the channel. */
export const firstListener = 4

/** What leads to one server and to no later one. */
export interface Line {
  readonly send: Send
  /** Gives a connected socket away before the answer to the request is sent; throws when the server does not take it. */
  readonly handOver: HandOver['give']
}

/** Sends a message; false when that server has ended. */
export type Send = (message: ToServer) => boolean

export interface ServerProcess {
  readonly send: Send
  /** Ends it at once, for good. */
  kill(): void
  /** Ends it at once; `onExit` then says when the next is started. */
  restart(): void
}

export interface ServerProcessOptions {
  readonly file: string
  /** Listening sockets, passed on under the numbers from `firstListener` up, in this order. */
  readonly listeners: readonly number[]
  readonly env: Readonly<Record<string, string>>
  /** Told the number of the hand-over socket in the server. */
  readonly onStart: (send: Send, handOver: number) => void
  /** `line` leads to the server that asked. */
  readonly onMessage: (message: unknown, line: Line) => void
  /** Asked when it ended: the milliseconds until it is forked again; undefined leaves it. */
  readonly onExit: (exit: {
    readonly code: number | null
    readonly signal: string | null
    readonly livedMs: number
  }) => number | undefined
}

/**
 * MB of V8's young memory that are filled before garbage is looked for; 16 by default. Each piece of a body that passes is 64 kB of
 * other memory, which is given back only then: with 16 they are hundreds of megabytes, every page of them new to the processor. Of
 * nginx's speed a download had 0.43 to 0.58 with 16 and 0.63 to 0.70 with 2, an upload 0.47 to 0.59 and 0.65 to 0.72; the time of
 * short requests did not change (bench/benches/transfer.mjs, forwarding.mjs).
 */
const youngMemory = ['--max-semi-space-size=2']

const sendTo =
  (child: ChildProcess): Send =>
  (message) => {
    if (!child.connected) return false
    // The callback takes the error of a server that ends in this moment; the next one is told everything at its start.
    child.send(message, () => undefined)
    return true
  }

export const keepServer = (options: ServerProcessOptions): ServerProcess => {
  let current: ChildProcess | undefined
  let isOver = false

  const start = (): void => {
    if (isOver) return
    const startedAt = performance.now()
    const handOver = openHandOver()
    const child = fork(options.file, [], {
      execArgv: [...process.execArgv, ...youngMemory],
      // A session of its own: Ctrl-C in a terminal reaches the launcher alone, which then ends everything in order.
      detached: true,
      serialization: 'advanced',
      env: { ...options.env },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...options.listeners, handOver.serverEnd],
    })
    handOver.inherited()
    current = child
    // Node's own messages (handles, and answers to them) are not used here, and a server that was taken over could bring the
    // launcher down with one: an answer to what was never sent fails an assertion.
    child.removeAllListeners('internalMessage')
    const send = sendTo(child)
    child.on('message', (message) => options.onMessage(message, { send, handOver: handOver.give }))
    child.on('error', () => undefined) // a failed fork or send; 'exit' follows, or the channel closes
    child.once('exit', (code, signal) => {
      handOver.close()
      const waitMs = options.onExit({ code, signal, livedMs: performance.now() - startedAt })
      if (waitMs !== undefined) setTimeout(start, waitMs)
    })
    options.onStart(send, firstListener + options.listeners.length)
  }

  start()
  return {
    send: (message) => current !== undefined && sendTo(current)(message),
    restart: () => void current?.kill('SIGKILL'),
    kill: () => {
      isOver = true
      current?.kill('SIGKILL')
    },
  }
}

/** Milliseconds before the server is forked again: none at first, then doubling up to ten seconds while it keeps ending young. */
export const restartDelayMs = (endedYoung: number): number =>
  endedYoung === 0 ? 0 : Math.min(100 * 2 ** (endedYoung - 1), 10_000)
