// One trace, from the order to the last call: the server begins a start, the launcher holds it and records its first process,
// strace is attached to that, the launcher lets it go, a person uses it, and it is stopped while it is still watched, since
// what a program does at its end belongs to what it needs.
import { setTimeout as delay } from 'node:timers/promises'
import type { ControlClient } from '../control/client.ts'
import type { Phase } from '../control/operations.ts'
import { TenementError } from '../errors.ts'
import { recordedFirst } from '../launcher/records.ts'
import { formatInstance, type InstanceName } from '../names.ts'
import { createReader, type Made } from '../trace/lines.ts'
import { type Tracer, traceProcess } from '../trace/strace.ts'

export interface Tracing {
  readonly client: ControlClient
  readonly strace: string
  readonly runDir: string
  readonly name: InstanceName
  readonly forMs: number
  /** Whether one that runs is stopped first. */
  readonly restart: boolean
  /** Ends the trace early, with what was seen until then. */
  readonly enough: AbortSignal
  readonly onCall: (made: Made) => void
  /** Called when the instance is ready to be used. */
  readonly onReady: () => void
}

/** Longer than the launcher takes to make a sandbox; it holds what it made for 10 seconds. */
const heldWithinMs = 30_000

/** Resolves with the seconds it was traced, when nothing of it runs any more. */
export const traceInstance = async (tracing: Tracing): Promise<number> => {
  const { client, name, strace, forMs, restart, enough, onCall, onReady } = tracing
  const { run } = await client.trace(name, { restart })
  const first = await untilHeld(tracing, run)
  const startedAt = performance.now()
  const reader = createReader(first)
  const tracer = traceProcess(strace, first, (line) => {
    const made = reader.read(line)
    if (made !== undefined) onCall(made)
  })
  const isOver = settled(tracer)
  try {
    if (!(await isReady(tracing, isOver))) {
      await tracer.over
      throw notHeld(name, 'ended before it was ready')
    }
    onReady()
    await Promise.race([delay(forMs, undefined, { signal: enough }).catch(() => undefined), isOver])
    const seconds = (performance.now() - startedAt) / 1_000
    await client.stop(name)
    await tracer.over
    return seconds
  } catch (error) {
    tracer.end()
    await isOver
    throw error
  }
}

const settled = ({ over }: Tracer): Promise<'over'> =>
  over.then(
    () => 'over',
    () => 'over',
  )

/** The pid of the namespace's first process, as the launcher recorded it for this start. */
const untilHeld = async ({ client, name, runDir }: Tracing, run: string): Promise<number> => {
  const deadline = performance.now() + heldWithinMs
  while (performance.now() < deadline) {
    const first = readRecord(runDir, run)
    if (first !== undefined) return first
    await requireStarting(client, name)
    await delay(20)
  }
  throw notHeld(name, `was not begun within ${heldWithinMs / 1_000} seconds`)
}

const readRecord = (runDir: string, run: string): number | undefined => {
  try {
    return recordedFirst(runDir, run)?.pid
  } catch (error) {
    throw new TenementError('not_running', `the records of the launcher in "${runDir}" may not be read`, {
      fix: 'trace as the user that runs tenement: with sudo, where that is root',
      cause: error,
    })
  }
}

/** Resolves when it can be used, or nobody traces it any more; rejects when its start failed. */
const isReady = async ({ client, name }: Tracing, isOver: Promise<'over'>): Promise<boolean> => {
  for (;;) {
    if ((await client.status(name)).phase === 'ready') return true
    await requireStarting(client, name)
    if ((await Promise.race([isOver, delay(50)])) === 'over') return false
  }
}

/** The phases on the way to a traced start, its own end before it and after it included. */
const underWay: ReadonlySet<Phase> = new Set(['draining', 'stopping', 'queued', 'starting', 'ready', 'frozen'])

const requireStarting = async (client: ControlClient, name: InstanceName): Promise<void> => {
  const { phase, lastStop } = await client.status(name)
  if (underWay.has(phase)) return
  throw notHeld(name, lastStop === null ? `is ${phase}` : `is ${phase}: ${lastStop}`)
}

const notHeld = (name: InstanceName, how: string): TenementError =>
  new TenementError('start_failed', `the traced start of ${formatInstance(name)} ${how}`, {
    fix: `see what it wrote with "tenement logs ${formatInstance(name)}", and whether it starts untraced: "tenement wake ${formatInstance(name)}"`,
  })
