import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import { createPorts, readEphemeralRange } from '../../../src/supervisor/ports.ts'

describe('ports for instances', () => {
  test('lie outside the range the kernel takes ports of outgoing connections from', async () => {
    const [low, high] = readEphemeralRange()
    const ports = createPorts([low, high])
    for (let count = 0; count < 50; count += 1) {
      const port = await ports.take()
      expect(port < low || port > high).toBe(true)
      expect(port).toBeGreaterThanOrEqual(10_000)
    }
  })

  test('are never given twice, and a freed one rests until all others had their turn', async () => {
    // Only 10000 to 10003 are left by this range.
    const ports = createPorts([10_004, 65_535], () => 0)
    expect([await ports.take(), await ports.take(), await ports.take()]).toEqual([10_000, 10_001, 10_002])
    ports.free(10_000)
    expect(await ports.take()).toBe(10_003)
    expect(await ports.take()).toBe(10_000)
    await expect(ports.take()).rejects.toThrow(/no port between/)
  })

  test('that somebody listens on, or an earlier server gave out, are passed over', async () => {
    const other = createServer().listen(10_011, '127.0.0.1')
    await once(other, 'listening')
    const ports = createPorts([10_014, 65_535], () => 11 / 14)
    ports.keep(10_012)
    expect(await ports.take()).toBe(10_013)
    other.close()
  })
})
