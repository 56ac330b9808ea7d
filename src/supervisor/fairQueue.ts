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

  /**
   * How many come out before it if nothing joins; undefined when it is not among the first `most` of its service. Costs no more
   * than looking at those.
   */
  ahead(service: string, item: Item, most = Number.POSITIVE_INFINITY): number | undefined {
    const place = placeIn(this.#byService.get(service) ?? [], item, most)
    if (place === undefined) return undefined
    let ahead = place
    let isBehind = false
    for (const [other, items] of this.#byService) {
      if (other === service) isBehind = true
      else ahead += Math.min(items.size, isBehind ? place : place + 1)
    }
    return ahead
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
}

const placeIn = <Item>(items: Iterable<Item>, item: Item, most: number): number | undefined => {
  let place = 0
  for (const one of items) {
    if (one === item) return place
    place += 1
    if (place >= most) return undefined
  }
  return undefined
}
