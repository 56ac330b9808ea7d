// Bytes that are kept as they come. Each piece costs some hundred bytes beside its own, and a client may send them one by one: many
// small ones are made one, so that what is kept costs what it weighs.

const mostPieces = 64

export class Pieces {
  #pieces: Buffer[] = []
  #bytes = 0

  get bytes(): number {
    return this.#bytes
  }

  add(piece: Buffer): void {
    this.#pieces.push(piece)
    this.#bytes += piece.length
    if (this.#pieces.length >= mostPieces) this.#pieces = [Buffer.concat(this.#pieces)]
  }

  /** All of them, in order. */
  whole(): Buffer {
    return Buffer.concat(this.#pieces)
  }
}
