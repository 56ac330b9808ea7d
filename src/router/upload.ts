// A request body on its way to the instance. It stands between the client's request and undici because undici destroys
// the body it was given when the answer is complete first, and destroying a request closes the client's connection
// before the answer is out. Nothing is buffered beyond one high-water mark, and the beginning where it may be needed twice.
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import type { MemoryBudget } from './memoryBudget.ts'
import type { Patience } from './patience.ts'
import { Pieces } from './pieces.ts'

/** The body has more bytes than its service takes. */
export class BodyTooLarge extends Error {
  override readonly name = 'BodyTooLarge'
}

/** The body comes more slowly than anybody has to wait for. */
export class BodyTooSlow extends Error {
  override readonly name = 'BodyTooSlow'
}

/** Of a body that may have to be sent again. */
const mostKept = 65_536

export interface UploadOptions {
  readonly maxBytes: number | undefined
  readonly patience: Patience['body']
  /** Where the beginning is kept from, for another try; undefined when there will be none. */
  readonly memory: MemoryBudget | undefined
}

/** Who is sent the body. */
export interface Receiver {
  /** Called for every piece the client gives. */
  onProgress(): void
  /** Called when the body must not go on; not a byte of what is too much is passed on. */
  onFault(error: Error): void
}

/** Given to one receiver after the other, never to two at once. */
export class Upload {
  readonly #req: IncomingMessage
  readonly #options: UploadOptions
  #stream: Readable | undefined
  #receiver: Receiver | undefined
  #isListening = false
  #hasEnded = false
  #bytes = 0
  #kept: Pieces | undefined
  #giveBack: (() => void) | undefined
  #clock: NodeJS.Timeout | undefined
  #isTimed = true
  #bytesInWindow = 0
  /** Whether the instance was waited for since the window began. */
  #wasHeldBack = false

  constructor(req: IncomingMessage, options: UploadOptions) {
    this.#req = req
    this.#options = options
    this.#giveBack = options.memory?.takeSpare(mostKept)
    this.#kept = this.#giveBack === undefined ? undefined : new Pieces()
  }

  /** Whether all of it can be sent once more: nothing of it was read yet, or everything that was is kept. */
  get isWhole(): boolean {
    return this.#bytes === 0 || this.#kept !== undefined
  }

  /** Whether somebody else can still read it from its beginning off the request. */
  get isUntouched(): boolean {
    return this.#bytes === 0 && !this.#hasEnded
  }

  /** The body from its beginning. It must be whole. Destroying the stream leaves the rest of the request where it is. */
  open(receiver: Receiver): Readable {
    this.#receiver = receiver
    this.#isTimed = true
    let again = this.#bytes > 0 ? this.#kept?.whole() : undefined
    const stream = new Readable({
      // One piece that is not taken has the client wait: small ones are kept together there, and not here.
      highWaterMark: 1,
      read: () => {
        const beginning = again
        again = undefined
        if (beginning !== undefined && !stream.push(beginning)) return
        if (this.#hasEnded) stream.push(null)
        else this.#read()
      },
      destroy: (error, done) => {
        if (this.#stream === stream) this.#rest()
        done(error)
      },
    })
    this.#stream = stream
    return stream
  }

  /** The answer has begun: the body may be as slow as it likes, half of a conversation, and is not needed twice any more. */
  answered(): void {
    this.#stopClock()
    this.#forget()
  }

  #stopClock(): void {
    this.#isTimed = false
    clearInterval(this.#clock)
    this.#clock = undefined
  }

  /** Nothing of it is needed any more. */
  close(): void {
    this.#rest()
    this.#req.off('data', this.#onData).off('end', this.#onEnd)
    this.#forget()
  }

  #forget(): void {
    this.#kept = undefined
    this.#giveBack?.()
    this.#giveBack = undefined
  }

  /** Not before somebody reads: of a connection that was never made, nothing of the request must be gone. */
  #read(): void {
    if (!this.#isListening) this.#req.on('data', this.#onData).on('end', this.#onEnd)
    this.#isListening = true
    const { windowMs } = this.#options.patience
    // After a standstill of this process, what has arrived meanwhile is read before it is judged.
    if (this.#isTimed) this.#clock ??= setInterval(() => setImmediate(() => this.#checkPace()), windowMs).unref()
    this.#req.resume()
  }

  #rest(): void {
    this.#stopClock()
    this.#stream = undefined
    this.#receiver = undefined
    if (this.#isListening) this.#req.pause()
  }

  readonly #onData = (piece: Buffer): void => {
    const { maxBytes = Number.POSITIVE_INFINITY } = this.#options
    this.#bytes += piece.length
    this.#bytesInWindow += piece.length
    this.#keep(piece)
    if (this.#bytes <= maxBytes) this.#pass(piece)
    else this.#fail(new BodyTooLarge(`the body has more than ${maxBytes} bytes`))
  }

  readonly #onEnd = (): void => {
    this.#hasEnded = true
    this.#stopClock()
    this.#stream?.push(null)
  }

  #pass(piece: Buffer): void {
    this.#receiver?.onProgress()
    if (this.#stream?.push(piece) !== false) return
    this.#wasHeldBack = true
    this.#req.pause()
  }

  #keep(piece: Buffer): void {
    if (this.#bytes <= mostKept) this.#kept?.add(piece)
    else this.#forget()
  }

  #checkPace(): void {
    if (this.#clock === undefined) return
    const { bytes, windowMs } = this.#options.patience
    const isSlow = this.#bytesInWindow < bytes && !this.#wasHeldBack
    this.#bytesInWindow = 0
    this.#wasHeldBack = this.#req.isPaused()
    if (isSlow) this.#fail(new BodyTooSlow(`the body brought less than ${bytes} bytes in ${windowMs} ms`))
  }

  #fail(error: Error): void {
    this.#stopClock()
    this.#req.pause()
    this.#receiver?.onFault(error)
  }
}
