import { EventEmitter } from 'node:events'
import { closeSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { expect, test } from 'vitest'
import { connectLauncher } from '../../../src/launcher/client.ts'
import { openHandOver } from '../../../src/launcher/handOver.ts'
import { beginConnecting, isConnected, openTcpSocket } from '../../../src/launcher/libc/networks.ts'
import { waitUntil } from '../../helpers/waitUntil.ts'

/** The launcher's end of a channel, with a real hand-over socket. */
const connectToScript = () => {
  const channel = new EventEmitter()
  const sent: Record<string, unknown>[] = []
  const client = connectLauncher(
    {
      send: (message) => sent.push(message as Record<string, unknown>),
      on: (event, listener) => channel.on(event, listener),
    },
    { onHello: () => undefined, onEnd: () => undefined },
  )
  const handOver = openHandOver()
  const say = (message: object): boolean => channel.emit('message', message)
  const greet = (runs: readonly object[] = []) => say({ type: 'hello', handOver: handOver.serverEnd, runs })
  return { client, sent, handOver, say, greet }
}

test('a connection into the network of a run is the socket that came with the number of its request', async () => {
  const { client, sent, handOver, say, greet } = connectToScript()
  greet()
  const server = createServer((socket) => socket.end('inside'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const opening = client.openConnection('abc')
  expect(sent).toEqual([{ type: 'connect', run: 'abc', request: 1 }])
  const fd = openTcpSocket()
  beginConnecting(fd, (server.address() as AddressInfo).port)
  await waitUntil(() => isConnected(fd))
  handOver.give(fd, 1)
  closeSync(fd)
  say({ type: 'reply', request: 1, value: null })
  let text = ''
  for await (const chunk of await opening) text += chunk
  expect(text).toBe('inside')
  server.close()
  handOver.close()
  handOver.inherited()
})

test("a connection that is refused inside rejects with the kernel's reason, and one that nothing came for says so", async () => {
  const { client, handOver, say, greet } = connectToScript()
  greet()
  const refused = client.openConnection('abc')
  say({ type: 'failed', request: 1, code: 'failed', message: 'ECONNREFUSED: connection refused, connect' })
  await expect(refused).rejects.toThrow('ECONNREFUSED')
  const empty = client.openConnection('abc')
  say({ type: 'reply', request: 2, value: null })
  await expect(empty).rejects.toThrow('the launcher handed no connection over')
  handOver.close()
  handOver.inherited()
})

test('what a run stores is as the launcher last told it, to a later server too, until the run has ended', () => {
  const { client, say, greet } = connectToScript()
  greet([{ run: 'abc', stored: { bytes: 1 } }, { run: 'def' }])
  expect([client.storedBy('abc'), client.storedBy('def')]).toEqual([{ bytes: 1 }, undefined])
  say({ type: 'stored', run: 'abc', stored: { bytes: 2 } })
  say({ type: 'stored', run: 'def', stored: { bytes: 3 } })
  expect([client.storedBy('abc'), client.storedBy('def')]).toEqual([{ bytes: 2 }, { bytes: 3 }])
  say({ type: 'exited', run: 'abc', exit: {} })
  expect([client.storedBy('abc'), client.storedBy('def')]).toEqual([undefined, { bytes: 3 }])
})
