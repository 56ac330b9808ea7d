import { once } from 'node:events'
import { createServer } from 'node:net'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { SystemError } from '../../../src/launcher/libc/call.ts'
import { createListenersOn, readTables } from '../../../src/launcher/tcpListeners.ts'

const noEntry = 2
const notPermitted = 1

describe('who listens on a port', () => {
  const server = createServer()
  let port = 0
  beforeEach(async () => {
    server.listen(0, '::1')
    await once(server, 'listening')
    const address = server.address()
    port = typeof address === 'object' ? (address?.port ?? 0) : 0
  })
  afterEach(() => new Promise((resolve) => server.close(resolve)))

  test('is told alike by the kernel and by its tables', () => {
    const own = [process.getuid?.()]
    expect(createListenersOn()(port)).toEqual(own)
    expect(readTables(port)).toEqual(own)
    expect(readTables(1)).toEqual([])
  })

  test('is read from the tables where the kernel has nobody to ask, and it is asked no second time', () => {
    const ask = vi.fn(() => {
      throw new SystemError('netlink', noEntry)
    })
    const listenersOn = createListenersOn(ask)
    expect([listenersOn(port), listenersOn(port)]).toEqual([[process.getuid?.()], [process.getuid?.()]])
    expect(ask).toHaveBeenCalledTimes(1)
  })

  test('is not guessed where the kernel refuses to tell', () => {
    const listenersOn = createListenersOn(() => {
      throw new SystemError('netlink', notPermitted)
    })
    expect(() => listenersOn(port)).toThrow('EPERM')
  })
})
