import { closeSync, openSync, writeSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { openHandOver, receiveSockets } from '../../../src/launcher/handOver.ts'
import { beginConnecting, isConnected, openTcpSocket } from '../../../src/launcher/libc/networks.ts'
import { openMessagePair, receiveDescriptor, sendDescriptor } from '../../../src/launcher/libc/passing.ts'
import { waitUntil } from '../../helpers/waitUntil.ts'

let ends: readonly number[] = []
afterEach(() => {
  for (const fd of ends) closeSync(fd)
  ends = []
})

/** A connected socket that nobody but the test holds. */
const connected = async (port: number): Promise<number> => {
  const fd = openTcpSocket()
  beginConnecting(fd, port)
  await waitUntil(() => isConnected(fd))
  return fd
}

const textOf = async (socket: Socket): Promise<string> => {
  let text = ''
  for await (const chunk of socket) text += chunk
  return text
}

test('sockets that came before they were asked for are kept apart by their requests', async () => {
  let greetings = 0
  const server = createServer((socket) => {
    greetings += 1
    socket.end(`greeting ${greetings}`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const handOver = openHandOver()
  for (const request of [1.5, 2]) {
    const fd = await connected(port)
    await waitUntil(() => greetings === Math.floor(request))
    handOver.give(fd, request)
    closeSync(fd)
  }
  const take = receiveSockets(handOver.serverEnd)
  expect(await textOf(take(2))).toBe('greeting 2')
  expect(await textOf(take(1.5))).toBe('greeting 1')
  expect(() => take(2)).toThrow('the launcher handed no connection over')
  handOver.close()
  expect(() => handOver.give(0, 4)).toThrow('the server that asked has ended')
  expect(() => take(4)).toThrow('the other end of the hand-over socket is closed')
  handOver.inherited()
  server.close()
})

test('a connection to a port on which nobody listens is refused', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  await expect(connected(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})

test('a message that nobody reads is never waited for, and one without a descriptor is no socket', () => {
  ends = openMessagePair()
  const [one = -1, other = -1] = ends
  expect(receiveDescriptor(other)).toBeUndefined()
  const file = openSync('/dev/null', 'r')
  let sent = 0
  while (sendDescriptor(one, Buffer.from('x'), file)) sent += 1
  expect(sent).toBeGreaterThan(10)
  closeSync(file)
  for (let each = 0; each < sent; each += 1) closeSync(receiveDescriptor(other)?.descriptor ?? -1)
  writeSync(one, 'x')
  expect(() => receiveDescriptor(other)).toThrow('0 descriptors instead of one')
})
