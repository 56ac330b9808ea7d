// Places for all requests that wait, shared fairly between clients: where none is free, the client that holds most of them gives up its
// newest to one that holds fewer. So a flood from one address turns away itself, and nobody else. A client is an opaque text; those who
// are not counted have none, and give up nothing. Whatever is asked costs the same however many wait.

/** Requests waiting in all of tenement; each costs a socket and a few kilobytes. */
const usualPlaces = 10_000

interface Place {
  readonly holder: Holder | undefined
  /** Tells the one who has it that it is another's now. */
  readonly onTurnedOut: () => void
  isTaken: boolean
  /** Of the same client. */
  older: Place | undefined
  newer: Place | undefined
}

interface Holder {
  readonly client: string
  places: number
  newest: Place | undefined
}

export class WaitingRoom {
  readonly #places: number
  readonly #holders = new Map<string, Holder>()
  /** Who holds one place or more, who holds two or more, and so on: the last are those who hold most. */
  readonly #ranks: Set<Holder>[] = []
  #taken = 0

  constructor(places = usualPlaces) {
    this.#places = places
  }

  get taken(): number {
    return this.#taken
  }

  /** Clients that hold a place. */
  get clients(): number {
    return this.#holders.size
  }

  /** What gives the place back, once; undefined when there is none. `onTurnedOut` is called while another takes it. */
  take(client: string | undefined, onTurnedOut: () => void): (() => void) | undefined {
    const isFull = this.#taken >= this.#places
    const another = isFull ? this.#toTurnOut(client) : undefined
    if (isFull && another === undefined) return undefined
    if (another !== undefined) this.#give(another)
    const place = this.#add(this.#holderOf(client), onTurnedOut)
    another?.onTurnedOut()
    return () => this.#give(place)
  }

  /** Nobody is turned out for one who would then hold more than he: they would only change places, and again with the next request. */
  #toTurnOut(client: string | undefined): Place | undefined {
    const held = client === undefined ? 0 : (this.#holders.get(client)?.places ?? 0)
    if (this.#ranks.length <= held + 1) return undefined
    const [most] = this.#ranks.at(-1) ?? []
    return most?.newest
  }

  #holderOf(client: string | undefined): Holder | undefined {
    if (client === undefined) return undefined
    const holder = this.#holders.get(client) ?? { client, places: 0, newest: undefined }
    this.#holders.set(client, holder)
    return holder
  }

  #add(holder: Holder | undefined, onTurnedOut: () => void): Place {
    const place: Place = { holder, onTurnedOut, isTaken: true, older: holder?.newest, newer: undefined }
    this.#taken += 1
    if (holder === undefined) return place
    if (place.older !== undefined) place.older.newer = place
    holder.newest = place
    const rank = this.#ranks[holder.places] ?? new Set()
    this.#ranks[holder.places] = rank.add(holder)
    holder.places += 1
    return place
  }

  #give(place: Place): void {
    if (!place.isTaken) return
    place.isTaken = false
    this.#taken -= 1
    const { holder, older, newer } = place
    if (holder === undefined) return
    if (older !== undefined) older.newer = newer
    if (newer === undefined) holder.newest = older
    else newer.older = older
    holder.places -= 1
    const rank = this.#ranks[holder.places]
    rank?.delete(holder)
    // Whoever holds one more is in this rank too: none but the last is ever empty.
    if (rank?.size === 0) this.#ranks.pop()
    if (holder.places === 0) this.#holders.delete(holder.client)
  }
}
