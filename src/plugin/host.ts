// One plug-in as tenement calls it: a thread that is started when it is needed, deadlines for everything it is asked, and a new
// thread after one that hung or died. A call that takes too long fails alone; a thread that does not even answer a ping is ended.
// Knows nothing of what is asked.
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { messageOf } from '../errors.ts'
import type { CallName, Calls, FromThread, ThreadData } from './messages.ts'

export interface Host {
  /** What the module defines, as it says; rejects with a PluginFailure. */
  describe(): Promise<unknown>
  /** Rejects with a PluginFailure: what the plug-in threw, or that it did not answer. */
  call<Name extends CallName>(name: Name, ...args: Calls[Name]): Promise<unknown>
  close(): Promise<void>
}

/** The second half of a sentence about the plug-in, and what its author says is to be done. */
export class PluginFailure extends Error {
  override readonly name = 'PluginFailure'
  readonly fix: string | undefined

  constructor(message: string, fix?: string) {
    super(message)
    this.fix = fix
  }
}

/** Longest that a plug-in may take on a machine that is not slow itself, in milliseconds. */
const deadlines: Readonly<Record<CallName | 'import', number>> = {
  import: 5_000,
  settings: 5_000,
  options: 5_000,
  probe: 10_000,
  floorFor: 5_000,
  prepare: 5_000,
  ping: 500,
}

/** For the thread itself, in which no plug-in is yet: milliseconds, unless the machine is busy or emulated. */
const startTimeoutMs = 30_000

/** A fifth of it where nothing else runs. A machine that takes longer to start a thread has plug-ins take longer too. */
const slowStartMs = 500
const mostPatience = 10

/** A leak in a plug-in ends its thread and not the server. */
const resourceLimits = { maxOldGenerationSizeMb: 256 }

interface Pending {
  resolve(value: unknown): void
  reject(error: PluginFailure): void
}

interface Thread {
  readonly worker: Worker
  readonly described: Promise<unknown>
  /** How many times longer than usual it is waited for: at least 1. Known once it is described. */
  readonly patience: () => number
  readonly pending: Map<number, Pending>
}

export interface HostOptions extends ThreadData {
  /** Lines that the plug-in writes, and how its thread ended when nobody had asked for anything. */
  readonly say: (line: string) => void
}

export const createHost = ({ say, ...data }: HostOptions): Host => {
  let thread: Thread | undefined
  let lastCall = 0

  const current = (): Thread => {
    thread ??= startThread(data, say, () => {
      thread = undefined
    })
    return thread
  }

  const ask = async (to: Thread, name: CallName, args: readonly unknown[]): Promise<unknown> => {
    lastCall += 1
    const call = lastCall
    const answered = new Promise((resolve, reject) => to.pending.set(call, { resolve, reject }))
    try {
      to.worker.postMessage({ call, name, args })
      const timeoutMs = deadlines[name] * to.patience()
      return await within(timeoutMs, answered, () => new Overdue(`its ${name} did not answer`, timeoutMs))
    } finally {
      to.pending.delete(call)
    }
  }

  /** Ends a thread that can do nothing more, so that the next call gets another. */
  const endIfStuck = async (stuck: Thread): Promise<void> => {
    const isStuck = await ask(stuck, 'ping', []).then(
      () => false,
      () => true,
    )
    if (isStuck) await stuck.worker.terminate()
  }

  return {
    describe: () => current().described,
    call: async (name, ...args) => {
      const to = current()
      await to.described
      try {
        return await ask(to, name, args)
      } catch (error) {
        if (error instanceof Overdue) await endIfStuck(to)
        throw error instanceof PluginFailure ? error : new PluginFailure(`its ${name} failed: ${messageOf(error)}`)
      }
    },
    close: async () => {
      await thread?.worker.terminate()
    },
  }
}

class Overdue extends PluginFailure {
  constructor(what: string, timeoutMs: number) {
    super(`${what} within ${Math.round(timeoutMs / 1_000)} s`)
  }
}

const within = async <T>(timeoutMs: number, promise: Promise<T>, late: () => Error): Promise<T> => {
  const settled = new AbortController()
  const timer = delay(timeoutMs, undefined, { signal: settled.signal }).then(
    () => Promise.reject(late()),
    () => new Promise<never>(() => undefined),
  )
  try {
    return await Promise.race([promise, timer])
  } finally {
    settled.abort()
  }
}

const startThread = (data: ThreadData, say: (line: string) => void, onEnd: () => void): Thread => {
  const file = fileURLToPath(new URL('thread.js', import.meta.url))
  const worker = new Worker(file, {
    workerData: data,
    argv: [],
    execArgv: [],
    stdout: true,
    stderr: true,
    resourceLimits,
  })
  worker.unref() // a deadline keeps the process alive while something is asked, and nothing else has to
  for (const stream of [worker.stdout, worker.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      for (const line of text.split('\n').filter((each) => each !== '')) say(line)
    })
  const pending = new Map<number, Pending>()
  const startedAt = performance.now()
  let patience: number | undefined
  let begin = (): void => undefined
  const begun = new Promise<void>((resolve) => {
    begin = resolve
  })
  const first = new Promise<unknown>((resolve, reject) => {
    worker.on('message', (message: FromThread) => {
      if (message.type === 'begins') {
        // Once: what is in the thread later could say so too.
        patience ??= Math.min(Math.max((performance.now() - startedAt) / slowStartMs, 1), mostPatience)
        begin()
      } else receive(message, pending, { resolve, reject })
    })
    const fail = (reason: string): void => {
      const failure = new PluginFailure(reason)
      reject(failure)
      for (const each of pending.values()) each.reject(failure)
      pending.clear()
      onEnd()
    }
    worker.once('error', (error) => {
      say(`it broke off: ${messageOf(error)}`)
      fail(`it broke off: ${messageOf(error)}`)
    })
    worker.once('exit', (code) => fail(`its thread ended (${code})`))
  })
  const described = within(
    startTimeoutMs,
    Promise.race([begun, first]),
    () => new Overdue('its thread did not start', startTimeoutMs),
  ).then(() => {
    const timeoutMs = deadlines.import * (patience ?? 1)
    return within(timeoutMs, first, () => new Overdue('its import did not end', timeoutMs))
  })
  // Ended at once: whatever else it does, nobody will ask it. The rejection itself is heard by whoever asked for it.
  described.catch(() => worker.terminate())
  return { worker, described, patience: () => patience ?? 1, pending }
}

const receive = (
  message: Exclude<FromThread, { type: 'begins' }>,
  pending: Map<number, Pending>,
  first: Pending,
): void => {
  const waiting = 'call' in message ? pending.get(message.call) : first
  if (message.type === 'defined') waiting?.resolve(message.description)
  else if (message.type === 'answer') waiting?.resolve(message.value)
  else waiting?.reject(new PluginFailure(message.message, message.fix))
}
