import { createServer } from 'node:http'
import { Socket } from 'node:net'
import { expect, test } from 'vitest'
import type { Service } from '../../../src/router/exchange.ts'
import { createTurns } from '../../../src/router/turns.ts'
import { serveUnreadable } from '../../../src/router/unreadable.ts'
import { waitUntil } from '../../helpers/waitUntil.ts'

const service = {
  log: { debug: () => undefined },
  report: () => undefined,
  random: Math.random,
  patience: { body: { bytes: 1, windowMs: 1 }, read: { bytes: 1, windowMs: 20 } },
}

test('who sends what cannot be read and takes no answer does not keep the connection', async () => {
  const server = createServer()
  serveUnreadable(server, service as unknown as Service, createTurns())
  const socket = new Socket()
  let written = ''
  socket._write = (chunk: Buffer) => {
    written += chunk.toString()
  }
  server.emit('clientError', Object.assign(new Error('Parse Error'), { code: 'HPE_INVALID_METHOD' }), socket)
  await waitUntil(() => socket.destroyed)
  expect(written).toMatch(/^HTTP\/1\.1 400 /)
})
