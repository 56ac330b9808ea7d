// Joins two sockets once an instance has answered 101: bytes pass both ways as they are, at the pace of the slower side.
// Each half-close is passed on; when one socket is gone the other follows, after what is still on its way has left, and a side that
// takes next to nothing of it is told of.
// It knows nothing of WebSocket or any other protocol inside.
import type { Socket } from 'node:net'
import { responseHeaders } from './headers.ts'
import type { MemoryBudget } from './memoryBudget.ts'
import type { Pace } from './patience.ts'
import { Pieces } from './pieces.ts'
import { filterHeaders, type RawHeaders, tokensOf, valuesOf, writeHead } from './rawHeaders.ts'
import { SlowReader } from './slowReader.ts'

/** What of the client's bytes may arrive before the instance has agreed: it has no reason to send any. */
const maxEarlyBytes = 65_536

/** The client's side while the instance has not answered yet. */
export interface Waiting {
  /** Ends the watch and gives what the client has sent so far. */
  takeEarly(): Buffer
}

/**
 * Reads on, so that a client's leaving is noticed: a client that ends before the answer has left. One whose early bytes are more
 * than there is memory for is cut off.
 */
export const watchEarly = (socket: Socket, head: Buffer, memory: MemoryBudget): Waiting => {
  const early = new Pieces()
  let giveBack: (() => void) | undefined
  const release = (): void => {
    giveBack?.()
    giveBack = undefined
  }
  const keep = (chunk: Buffer): void => {
    giveBack ??= memory.take(maxEarlyBytes)
    if (giveBack === undefined) return void socket.destroy()
    early.add(chunk)
    if (early.bytes > maxEarlyBytes) socket.pause()
  }
  const onEnd = (): void => void socket.destroy()
  socket.on('data', keep).on('end', onEnd).once('close', release)
  if (head.length > 0) keep(head)
  return {
    takeEarly: () => {
      socket.off('data', keep).off('end', onEnd).off('close', release).pause()
      release()
      return early.whole()
    },
  }
}

/** The 101 for the client, in bytes, with tenement's `own` headers; undefined when the instance switched to something that was not asked for. */
export const switchingHead = (raw: RawHeaders, asked: string, own: RawHeaders): Buffer | undefined => {
  const offered = tokensOf(['upgrade', asked], 'upgrade')
  const chosen = tokensOf(raw, 'upgrade')
  if (chosen.length === 0 || !chosen.every((protocol) => offered.includes(protocol))) return undefined
  const headers = filterHeaders(
    responseHeaders(raw, { status: 101, canTrail: false }),
    (name) => name !== 'content-length',
  )
  const upgrade = ['Connection', 'Upgrade', 'Upgrade', valuesOf(raw, 'upgrade').join(', ')]
  return writeHead('HTTP/1.1 101 Switching Protocols', [...upgrade, ...headers, ...own])
}

export type Side = 'client' | 'instance'

export interface Watched {
  readonly pace: Pace
  /** Called when a side takes what waits for it more slowly than that: whoever is called closes both sockets. */
  onSlow(side: Side): void
}

/** Resolves when both sockets are closed; never rejects. */
export const tunnel = async (client: Socket, instance: Socket, { pace, onSlow }: Watched): Promise<void> => {
  // Otherwise node answers the instance's half-close with one of its own, in the middle of what the client sends.
  instance.allowHalfOpen = true
  const toClient = new SlowReader(client, pace, () => onSlow('client'))
  const toInstance = new SlowReader(instance, pace, () => onSlow('instance'))
  const closed = Promise.all([pass(client, instance, toInstance), pass(instance, client, toClient)])
  if (client.destroyed) instance.destroy()
  if (instance.destroyed) client.destroy()
  await closed
}

/** Resolves when `from` is closed. */
const pass = (from: Socket, to: Socket, reader: SlowReader): Promise<void> =>
  new Promise((resolve) => {
    from.setTimeout(0).setNoDelay(true)
    // Its 'close' follows, and is where it is dealt with.
    from.on('error', () => {})
    from.once('close', () => {
      if (from.readableEnded) to.destroySoon()
      else to.destroy()
      resolve()
    })
    const note = (): void => reader.note()
    to.once('close', () => reader.stop())
    // Around what `pipe` does with each piece. Something may have been written before, and nothing follow it.
    from.on('data', note).pipe(to)
    from.on('data', note)
    note()
    if (to.closed) reader.stop()
    if (from.closed) resolve()
  })
