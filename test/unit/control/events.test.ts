import { describe, expect, it } from 'vitest'
import { toEventStream } from '../../../src/control/eventStream.ts'
import { createEvents, type Events, type Followed, type FollowRequest } from '../../../src/control/events.ts'
import type { InstanceEvent } from '../../../src/control/wire.ts'

const event = (why: string, instance = 'api:carol'): Omit<InstanceEvent, 'id'> => ({
  kind: 'phase',
  instance,
  service: 'api',
  phase: 'ready',
  before: 'starting',
  why,
  at: '2026-11-23T18:15:54.123Z',
  pid: 4101,
})

const follow = (events: Events, more: Partial<FollowRequest> = {}): Followed & { leave(): void } => {
  const gone = new AbortController()
  const followed = events.follow({ after: undefined, isWanted: () => true, gone: gone.signal, ...more })
  return { ...followed, leave: () => gone.abort() }
}

/** What is told until there is nothing more to tell now. */
const told = async (followed: Followed & { leave(): void }): Promise<(string | null)[]> => {
  setImmediate(() => followed.leave())
  const whys: (string | null)[] = []
  for await (const each of followed.events) whys.push(each.kind === 'lost' ? 'lost' : each.why)
  return whys
}

const push = (events: Events, from: number, to: number): void => {
  for (let number = from; number <= to; number += 1) events.push(event(`${number}`))
}

describe('who follows events', () => {
  it('is told in order what happens from then on, and nothing of before', async () => {
    const events = createEvents('e')
    push(events, 1, 2)
    const followed = follow(events)
    push(events, 3, 4)
    expect(await told(followed)).toEqual(['3', '4'])
  })

  it('is told what happens while it waits', async () => {
    const events = createEvents('e')
    const iterator = follow(events).events[Symbol.asyncIterator]()
    const coming = iterator.next()
    push(events, 1, 1)
    expect((await coming).value).toMatchObject({ id: 'e-1', why: '1' })
  })

  it('goes on behind the last event it was told, whatever happened meanwhile', async () => {
    const events = createEvents('e')
    push(events, 1, 5)
    expect(await told(follow(events, { after: 'e-3' }))).toEqual(['4', '5'])
    expect(await told(follow(events, { after: 'e-5' }))).toEqual([])
  })

  it.each(['e-1', 'other-4', 'e-99', 'e-', 'nonsense', '', `e-${'9'.repeat(30)}`])(
    'learns that something is lost when it was told %j last, and gets what there is',
    async (after) => {
      const events = createEvents('e', 3)
      push(events, 1, 5)
      expect(await told(follow(events, { after }))).toEqual(['lost', '3', '4', '5'])
    },
  )

  it('is told only what it wants', async () => {
    const events = createEvents('e')
    const followed = follow(events, { isWanted: ({ instance }) => instance === 'api:dave' })
    events.push(event('carol'))
    events.push(event('dave', 'api:dave'))
    expect(await told(followed)).toEqual(['dave'])
  })

  it('is cut off when it does not read, and costs nothing more from then on', async () => {
    const events = createEvents('e', 3)
    const slow = follow(events)
    const iterator = slow.events[Symbol.asyncIterator]()
    push(events, 1, 1)
    await iterator.next()
    push(events, 2, 3)
    expect(slow.cut.aborted).toBe(false)
    push(events, 4, 5)
    expect(slow.cut.aborted).toBe(true)
    expect(await iterator.next()).toMatchObject({ done: true })
  })

  it('is cut off even when it has taken nothing at all', () => {
    const events = createEvents('e', 3)
    const { cut } = follow(events)
    push(events, 1, 3)
    expect(cut.aborted).toBe(false)
    push(events, 4, 4)
    expect(cut.aborted).toBe(true)
  })

  it('that wants little is not cut off for what others do', async () => {
    const events = createEvents('e', 3)
    const followed = follow(events, { isWanted: ({ instance }) => instance === 'api:dave' })
    const iterator = followed.events[Symbol.asyncIterator]()
    const coming = iterator.next()
    for (let number = 1; number <= 20; number += 1) {
      events.push(event(`${number}`))
      await new Promise((resolve) => setImmediate(resolve))
    }
    events.push(event('dave', 'api:dave'))
    expect((await coming).value).toMatchObject({ why: 'dave' })
  })

  it('ends when it leaves', async () => {
    const followed = follow(createEvents('e'))
    const coming = followed.events[Symbol.asyncIterator]().next()
    followed.leave()
    expect(await coming).toMatchObject({ done: true })
  })
})

describe('a stream of events', () => {
  it('has each with its id, its kind and one line of data, and comments while nothing happens', async () => {
    const events = createEvents('e')
    const followed = follow(events)
    const pieces = toEventStream(followed.events, 1)
    expect((await pieces.next()).value).toMatch(/^: .*\n\n$/)
    events.push(event('two\nlines'))
    let piece = (await pieces.next()).value
    while (piece?.startsWith(':')) piece = (await pieces.next()).value
    const [id, kind, data, ...rest] = String(piece).split('\n')
    expect([id, kind, rest]).toEqual(['id: e-1', 'event: phase', ['', '']])
    expect(JSON.parse(String(data).replace(/^data: /, ''))).toMatchObject({ id: 'e-1', why: 'two\nlines' })
    followed.leave()
    for await (const more of pieces) expect(more).toMatch(/^:/)
  })

  it('tells a loss without an id, so that the reader keeps its own', async () => {
    const events = createEvents('e')
    const followed = follow(events, { after: 'other-1' })
    expect((await toEventStream(followed.events).next()).value).toBe('event: lost\ndata: {"kind":"lost"}\n\n')
  })
})
