// A request whose body, while nobody reads it, is kept as one piece. Node keeps each chunk as it was sent until 16 KiB have come and
// what was read with them is parsed: 27 thousand chunks of one byte, which are nine megabytes, for each of ten thousand who wait.
import { IncomingMessage } from 'node:http'
import { Pieces } from './pieces.ts'

export class CompactRequest extends IncomingMessage {
  #held: Pieces | undefined

  /** Called by Node's parser with what has come, and null at the end; false has it read no more. */
  override push(chunk: Buffer | null, encoding?: BufferEncoding): boolean {
    if (chunk === null || this.readableFlowing === true) {
      this.#handOver()
      return super.push(chunk, encoding)
    }
    this.#held ??= new Pieces()
    this.#held.add(chunk)
    return this.readableLength + this.#held.bytes < this.readableHighWaterMark
  }

  /** Whoever reads, or lets it flow, comes by here. */
  override read(size?: number): unknown {
    this.#handOver()
    return super.read(size)
  }

  #handOver(): void {
    const held = this.#held?.whole()
    this.#held = undefined
    if (held !== undefined) super.push(held)
  }
}
