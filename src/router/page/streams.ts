// Events for those who look on while an instance wakes: one each time what there is to say changes, as text/event-stream
// (HTML Standard, section 9.2). A stream is no lease and wakes nobody; it ends when there is nothing to wait for. Anybody may open
// one, so their number is bounded, and who comes when there is no room gets one event and may come back: asking costs nothing.
import type { ServerResponse } from 'node:http'
import type { Onlookers, WakeState } from '../wake.ts'
import { wordsFor } from './words.ts'

interface Bounds {
  /** Streams at once, in all and for one instance. */
  readonly most: number
  readonly mostForOne: number
  /** How often is looked, and the longest silence, in milliseconds. */
  readonly lookEveryMs: number
  readonly silenceMs: number
  /** After this long a stream ends, and the browser opens another one. */
  readonly longestMs: number
}

const usual: Bounds = { most: 1_000, mostForOne: 50, lookEveryMs: 200, silenceMs: 5_000, longestMs: 600_000 }

/** A reader who leaves so much of it unread reads no more. */
const mostUnreadBytes = 16_384

/** Milliseconds until a browser comes back whose stream has ended. */
const comeBackMs = 3_000

export interface Streams {
  /** Writes the events to a response whose head is written; it ends by itself, or when the client leaves. */
  open(instance: string, res: ServerResponse): void
  /** Ends all of them. */
  close(): void
}

interface Stream {
  readonly res: ServerResponse
  readonly sinceMs: number
  told: string
  toldAtMs: number
}

export const createStreams = (look: Onlookers['look'], bounds: Partial<Bounds> = {}): Streams => {
  const { most, mostForOne, lookEveryMs, silenceMs, longestMs } = { ...usual, ...bounds }
  const byInstance = new Map<string, Set<Stream>>()
  let count = 0
  let isClosed = false
  let ticker: NodeJS.Timeout | undefined

  const tell = (stream: Stream, state: WakeState): void => {
    const { res, sinceMs, told, toldAtMs } = stream
    if (res.destroyed) return
    const nowMs = performance.now()
    if (res.writableEnded) {
      // It would have left by now: what it was told lies there unread.
      if (nowMs - toldAtMs >= silenceMs) res.destroy()
      return
    }
    const event = eventOf(state)
    if (event !== told || nowMs - toldAtMs >= silenceMs) {
      res.write(event)
      stream.told = event
      stream.toldAtMs = nowMs
    }
    if (isLast(state) || nowMs - sinceMs >= longestMs) {
      stream.toldAtMs = nowMs
      res.end()
    }
    if (res.writableLength > mostUnreadBytes) res.destroy()
  }

  const lookAtAll = (): void => {
    for (const [instance, streams] of byInstance) {
      const state = look(instance)
      for (const stream of streams) tell(stream, state)
    }
  }

  const join = (instance: string, stream: Stream): void => {
    byInstance.set(instance, (byInstance.get(instance) ?? new Set()).add(stream))
    count += 1
    ticker ??= setInterval(lookAtAll, lookEveryMs)
  }

  const leave = (instance: string, stream: Stream): void => {
    const streams = byInstance.get(instance)
    streams?.delete(stream)
    if (streams?.size === 0) byInstance.delete(instance)
    count -= 1
    if (count > 0) return
    clearInterval(ticker)
    ticker = undefined
  }

  return {
    open(instance, res) {
      const stream: Stream = { res, sinceMs: performance.now(), told: '', toldAtMs: 0 }
      res.write(`retry: ${comeBackMs}\n\n`)
      tell(stream, look(instance))
      const hasRoom = count < most && (byInstance.get(instance)?.size ?? 0) < mostForOne
      if (isClosed || !hasRoom) res.end()
      if (res.writableEnded || res.destroyed) return
      join(instance, stream)
      res.once('close', () => leave(instance, stream))
    },
    close() {
      isClosed = true
      for (const streams of byInstance.values()) for (const { res } of streams) res.end()
    },
  }
}

const isLast = ({ state }: WakeState): boolean => state === 'done' || state === 'failed'

const eventOf = (state: WakeState): string => `data: ${JSON.stringify(wordsFor(state))}\n\n`
