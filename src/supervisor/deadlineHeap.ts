// A queue of things by deadline, soonest first: a binary min-heap that knows where each thing stands, so that one which is
// over early leaves at once. Adding, moving and leaving cost O(log n); looking at the soonest costs nothing.

interface Entry<Item> {
  readonly item: Item
  readonly deadlineMs: number
}

export class DeadlineHeap<Item> {
  readonly #entries: Entry<Item>[] = []
  readonly #places = new Map<Item, number>()

  get size(): number {
    return this.#entries.length
  }

  /** The item with the soonest deadline. */
  get first(): Entry<Item> | undefined {
    return this.#entries[0]
  }

  /** Adds the item, or gives it a new deadline. */
  set(item: Item, deadlineMs: number): void {
    this.delete(item)
    const place = this.#entries.length
    this.#put(place, { item, deadlineMs })
    this.#rise(place)
  }

  delete(item: Item): void {
    const place = this.#places.get(item)
    if (place === undefined) return
    this.#places.delete(item)
    const last = this.#entries.pop()
    if (last === undefined || last.item === item) return
    this.#put(place, last)
    this.#rise(place)
    this.#sink(place)
  }

  #put(place: number, entry: Entry<Item>): void {
    this.#entries[place] = entry
    this.#places.set(entry.item, place)
  }

  #deadlineAt(place: number): number {
    return this.#entries[place]?.deadlineMs ?? Number.POSITIVE_INFINITY
  }

  #swap(one: number, other: number): void {
    const first = this.#entries[one]
    const second = this.#entries[other]
    if (first === undefined || second === undefined) return
    this.#put(one, second)
    this.#put(other, first)
  }

  #rise(place: number): void {
    const parent = (place - 1) >> 1
    if (place === 0 || this.#deadlineAt(parent) <= this.#deadlineAt(place)) return
    this.#swap(place, parent)
    this.#rise(parent)
  }

  #sink(place: number): void {
    const left = 2 * place + 1
    const sooner = this.#deadlineAt(left + 1) < this.#deadlineAt(left) ? left + 1 : left
    if (this.#deadlineAt(place) <= this.#deadlineAt(sooner)) return
    this.#swap(place, sooner)
    this.#sink(sooner)
  }
}
