// Events → the bytes of a text/event-stream (HTML standard, section 9.2 "Server-sent events"): one event each with its id, and a
// comment where nothing has happened for a while, so that proxies and readers know that the connection lives.
import type { Lost } from './events.ts'
import type { InstanceEvent } from './wire.ts'

const keepAliveMs = 15_000

const comment = ': nothing has happened\n\n'

/** JSON has no line breaks of its own, so the data is one line. */
const write = (event: InstanceEvent | Lost): string => {
  const id = event.kind === 'lost' ? '' : `id: ${event.id}\n`
  return `${id}event: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`
}

/** Ends with `events`. */
export async function* toEventStream(
  events: AsyncIterable<InstanceEvent | Lost>,
  quietMs = keepAliveMs,
): AsyncGenerator<string> {
  const iterator = events[Symbol.asyncIterator]()
  let coming = iterator.next()
  try {
    while (true) {
      const come = await within(coming, quietMs)
      if (come === undefined) {
        yield comment
        continue
      }
      if (come.done === true) return
      yield write(come.value)
      coming = iterator.next()
    }
  } finally {
    await iterator.return?.()
  }
}

/** What comes within the time; undefined when nothing does. */
const within = async <T>(coming: Promise<T>, ms: number): Promise<T | undefined> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms)
  })
  try {
    return await Promise.race([coming, late])
  } finally {
    clearTimeout(timer)
  }
}
