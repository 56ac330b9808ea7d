import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { createStreams } from '../../../../src/router/page/streams.ts'
import { waitUntil } from '../../../helpers/waitUntil.ts'

/** A response whose reader takes nothing of it. */
const unread = (): ServerResponse => {
  const socket = new Socket()
  socket._write = () => {}
  socket._writev = () => {}
  const res = new ServerResponse(new IncomingMessage(socket))
  res.assignSocket(socket)
  return res
}

test('who does not read what there is to tell is left, however long it lasts', async () => {
  let looks = 0
  const streams = createStreams(() => ({ state: 'queued', ahead: looks++ }), { lookEveryMs: 1 })
  const res = unread()
  streams.open('notes:alice', res)
  let most = 0
  await waitUntil(() => {
    most = Math.max(most, res.writableLength)
    return res.destroyed
  })
  expect(most).toBeGreaterThan(4_000)
  expect(most).toBeLessThan(32_768)
})

test('who does not read the end is left too, and gives its place to another', async () => {
  const streams = createStreams(() => ({ state: 'queued', ahead: 1 }), {
    ...{ most: 1, lookEveryMs: 1, silenceMs: 20, longestMs: 50 },
  })
  const res = unread()
  streams.open('notes:alice', res)
  await waitUntil(() => res.writableEnded)
  await waitUntil(() => res.destroyed)
  const next = unread()
  await waitUntil(() => res.closed)
  streams.open('notes:alice', next)
  expect(next.writableEnded).toBe(false)
  streams.close()
})

test('streams that are closed take nobody in, and say so by ending', () => {
  const streams = createStreams(() => ({ state: 'queued', ahead: 1 }))
  streams.close()
  const res = unread()
  streams.open('notes:alice', res)
  expect(res.writableEnded).toBe(true)
})
