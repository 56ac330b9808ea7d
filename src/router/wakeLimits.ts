// How many different instances each client has woken within the last minute. Only wakes are counted: requests for what is
// awake cost a tenant's resources, not everybody's. What is kept is bounded, whatever addresses somebody has: the clients
// whose last wake is longest ago are forgotten first.

const windowMs = 60_000

/** Wakes remembered in all; many times what a machine can start in a minute. */
const mostWakes = 50_000

/** A client that has woken as many as it may. */
export interface Over {
  /** Milliseconds until it may wake another one. */
  readonly forMs: number
  /** Whether it is told so for the first time since it had anything left. */
  readonly isNew: boolean
}

export interface WakeLimits {
  readonly perMinute: number
  /** Counts the wake; where the client may not wake this instance, says so and counts nothing. */
  check(client: string, instance: string): Over | undefined
  /** Wakes remembered. */
  readonly size: number
}

interface Client {
  /** Monotonic time of the last wake of each instance, oldest first. */
  readonly woken: Map<string, number>
  isTold: boolean
}

/** `nowMs` is monotonic. */
export const createWakeLimits = (
  perMinute: number,
  nowMs: () => number = () => performance.now(),
  most = mostWakes,
): WakeLimits => {
  /** The one whose last wake is longest ago first. */
  const clients = new Map<string, Client>()
  let size = 0

  const forget = (client: Client, instance: string): void => {
    if (client.woken.delete(instance)) size -= 1
  }

  const dropOld = (client: Client, now: number): void => {
    for (const [instance, atMs] of client.woken) {
      if (now - atMs < windowMs) return
      forget(client, instance)
    }
  }

  const tidy = (now: number): void => {
    for (const [address, client] of clients) {
      dropOld(client, now)
      if (client.woken.size > 0 && size <= most) return
      size -= client.woken.size
      clients.delete(address)
    }
  }

  const count = (address: string, client: Client, instance: string, now: number): void => {
    forget(client, instance)
    client.woken.set(instance, now)
    client.isTold = false
    size += 1
    clients.delete(address)
    clients.set(address, client)
  }

  return {
    perMinute,
    get size() {
      return size
    },
    check(address, instance) {
      const now = nowMs()
      const client = clients.get(address) ?? { woken: new Map(), isTold: false }
      dropOld(client, now)
      const [oldest = now] = client.woken.values()
      if (client.woken.size >= perMinute && !client.woken.has(instance)) {
        const isNew = !client.isTold
        client.isTold = true
        return { forMs: oldest + windowMs - now, isNew }
      }
      count(address, client, instance, now)
      tidy(now)
      return undefined
    },
  }
}
