// Ports for instances that listen on one: outside the range the kernel hands to outgoing connections, given out round-robin so
// that a freed one rests as long as possible, and tried before they are used.

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { TenementError } from '../errors.ts'

export interface Ports {
  /** A port that nobody listens on now; rejects with 'start_failed' when none of the range is free. */
  take(): Promise<number>
  /** Marks a port as taken by an instance that an earlier server started. */
  keep(port: number): void
  free(port: number): void
}

/** Ports from `first` to `last` that lie outside the kernel's own range (net.ipv4.ip_local_port_range). */
const first = 10_000
const last = 59_999

/** The range the kernel takes ports of outgoing connections from: a listener there collides under load. */
export const readEphemeralRange = (): readonly [number, number] => {
  const [low = 32_768, high = 60_999] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'latin1')
    .split('\t')
    .map(Number)
  return [low, high]
}

export const createPorts = ([low, high]: readonly [number, number], random: () => number = Math.random): Ports => {
  const all = Array.from({ length: last - first + 1 }, (_, index) => first + index).filter(
    (port) => port < low || port > high,
  )
  const taken = new Set<number>()
  let next = Math.floor(random() * all.length)

  const advance = (): number | undefined => {
    const port = all[next % all.length]
    next = (next + 1) % all.length
    return port
  }

  return {
    take: async () => {
      for (let tries = 0; tries < all.length; tries += 1) {
        const port = advance()
        if (port === undefined || taken.has(port)) continue
        taken.add(port)
        if (await isFree(port)) return port
        taken.delete(port)
      }
      throw new TenementError('start_failed', `no port between ${first} and ${last} is free`, {
        fix: 'set listen = "unix" or "fd" where the program allows it',
      })
    },
    keep: (port) => void taken.add(port),
    free: (port) => void taken.delete(port),
  }
}

const isFree = async (port: number): Promise<boolean> => {
  const probe = createServer()
  try {
    probe.listen({ port, host: '127.0.0.1', exclusive: true })
    await once(probe, 'listening')
    return true
  } catch {
    return false
  } finally {
    probe.close()
  }
}
