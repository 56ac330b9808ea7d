// A queue that takes turns between services: one of each in a round, within a service in order of arrival.
// So a burst on five hundred instances of one service does not hold up the single instance of another.

export class FairQueue<Item> {
  readonly #byService = new Map<string, Set<Item>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Everything in it, in no order that means anything. */
  *[Symbol.iterator](): Iterator<Item> {
    for (const items of this.#byService.values()) yield* items
  }

  add(service: string, item: Item): void {
    const items = this.#byService.get(service) ?? new Set()
    if (items.has(item)) return
    this.#byService.set(service, items.add(item))
    this.#size += 1
  }

  delete(service: string, item: Item): void {
    const items = this.#byService.get(service)
    if (items?.delete(item) !== true) return
    this.#size -= 1
    if (items.size === 0) this.#byService.delete(service)
  }

  /** Takes out the item whose turn it is; its service goes to the end of the round. */
  next(): Item | undefined {
    for (const [service, items] of this.#byService)
      for (const item of items) {
        this.delete(service, item)
        if (items.size > 0) {
          this.#byService.delete(service)
          this.#byService.set(service, items)
        }
        return item
      }
    return undefined
  }

  /** How many come out before this one if nothing joins. It must be in the queue. */
  ahead(service: string, item: Item): number {
    const place = this.#placeOf(service, item)
    let ahead = place
    let isBefore = true
    for (const [other, items] of this.#byService) {
      if (other === service) isBefore = false
      else ahead += Math.min(items.size, place + (isBefore ? 1 : 0))
    }
    return ahead
  }

  /** How many of its service are before it: few, for those who ask are mostly the oldest. */
  #placeOf(service: string, item: Item): number {
    let place = 0
    for (const other of this.#byService.get(service) ?? []) {
      if (other === item) break
      place += 1
    }
    return place
  }
}
