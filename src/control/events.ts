// What happens to instances, as the control API tells it while it happens: the last events are kept in a ring, and whoever
// follows has a place in it and nothing else. One who reads too slowly falls out of the ring and is cut off, so that a reader
// costs the same however long it reads, and whether it reads or not.
import type { InstanceEvent } from './wire.ts'

/** What came before this was asked for and is not kept any more. */
export interface Lost {
  readonly kind: 'lost'
}

export interface FollowRequest {
  /** Goes on behind the event of this id; undefined begins with what happens next. */
  readonly after: string | undefined
  readonly isWanted: (event: InstanceEvent) => boolean
  /** Ends it. */
  readonly gone: AbortSignal
}

export interface Followed {
  /** Ends with `gone`. Events are kept for it from the call that gave it, not from the first that is taken. */
  readonly events: AsyncIterable<InstanceEvent | Lost>
  /** Aborts when the reader is too far behind to be told everything. */
  readonly cut: AbortSignal
}

export interface Events {
  push(event: Omit<InstanceEvent, 'id'>): void
  follow(request: FollowRequest): Followed
}

interface Reader {
  /** Number of the event it is told next. */
  next: number
  /** Goes on when something has happened. */
  wake: () => void
  readonly cut: AbortController
}

const keptEvents = 2_000

const somethingHappens = (reader: Reader): Promise<void> =>
  new Promise((resolve) => {
    reader.wake = resolve
  })

/** `epoch` tells this ring's ids from those of an earlier server's: letters and digits. */
export const createEvents = (epoch: string, size = keptEvents): Events => {
  const ring: InstanceEvent[] = []
  const readers = new Set<Reader>()
  /** Number of the event to come. */
  let next = 1
  const oldest = (): number => Math.max(next - size, 1)

  /** Where a reader begins, and whether it missed something. */
  const placeBehind = (id: string | undefined): { readonly next: number; readonly hasLost: boolean } => {
    if (id === undefined) return { next, hasLost: false }
    const [, of, digits] = /^([0-9a-z]+)-(\d{1,15})$/.exec(id) ?? []
    const wanted = Number(digits) + 1
    const isKept = of === epoch && wanted >= oldest() && wanted <= next
    return isKept ? { next: wanted, hasLost: false } : { next: oldest(), hasLost: true }
  }

  async function* read(
    reader: Reader,
    hasLost: boolean,
    { isWanted, gone }: FollowRequest,
  ): AsyncGenerator<InstanceEvent | Lost> {
    try {
      if (hasLost) yield { kind: 'lost' }
      while (!gone.aborted && !reader.cut.signal.aborted) {
        const event = reader.next < next ? ring[reader.next % size] : undefined
        if (event === undefined) {
          await somethingHappens(reader)
          continue
        }
        if (isWanted(event)) yield event
        reader.next += 1
      }
    } finally {
      readers.delete(reader)
    }
  }

  return {
    push: (event) => {
      ring[next % size] = { id: `${epoch}-${next}`, ...event }
      next += 1
      for (const reader of readers) {
        if (reader.next < oldest()) reader.cut.abort()
        reader.wake()
      }
    },
    follow: (request) => {
      const { next: place, hasLost } = placeBehind(request.after)
      const reader: Reader = { next: place, wake: () => undefined, cut: new AbortController() }
      readers.add(reader)
      const end = (): void => {
        readers.delete(reader)
        reader.wake()
      }
      if (request.gone.aborted) end()
      request.gone.addEventListener('abort', end, { once: true })
      return { events: read(reader, hasLost, request), cut: reader.cut.signal }
    },
  }
}
