// Notices somebody who takes hardly anything of what waits for him: as long as it waits, an instance is awake for it. What counts is
// what the kernel takes off our hands: it does so in pieces, which is one reason why a window is long. Silence is no fault.
import type { Socket } from 'node:net'
import type { Exchange } from './exchange.ts'
import type { Pace } from './patience.ts'

/** What has waited because of the reader comes sooner than that once there is room; who sends nothing for longer has nothing to send. */
const atHandMs = 1_000

export class SlowReader {
  readonly #socket: Socket
  readonly #pace: Pace
  readonly #onSlow: () => void
  #clock: NodeJS.Timeout | undefined
  #takenBefore = 0
  /** Whether there was nothing to take at some time since the window began. */
  #hasCaughtUp = false
  /** When the kernel last took all there was, and whoever writes could go on. */
  #drainedAtMs = Number.NEGATIVE_INFINITY
  #isStopped = false

  /** `onSlow` is called once when something has waited in the socket for a whole window and less than `pace` of it has left. */
  constructor(socket: Socket, pace: Pace, onSlow: () => void) {
    this.#socket = socket
    this.#pace = pace
    this.#onSlow = onSlow
    socket.on('drain', this.#onDrain)
  }

  /** To be called before and after every write. */
  note(): void {
    if (this.#isStopped) return
    if (this.#socket.writableLength > 0) this.#clock ??= this.#start()
    else if (performance.now() - this.#drainedAtMs >= atHandMs) this.#hasCaughtUp = true
  }

  stop(): void {
    this.#isStopped = true
    this.#socket.off('drain', this.#onDrain)
    this.#rest()
  }

  readonly #onDrain = (): void => {
    this.#drainedAtMs = performance.now()
  }

  #start(): NodeJS.Timeout {
    this.#beginWindow()
    // After a standstill of this process, what can leave does so before the reader is judged.
    return setInterval(() => setImmediate(() => this.#judge()), this.#pace.windowMs).unref()
  }

  #rest(): void {
    clearInterval(this.#clock)
    this.#clock = undefined
  }

  #beginWindow(): void {
    this.#takenBefore = this.#taken
    this.#hasCaughtUp = false
  }

  /** What was written counts from the moment it is written; what waits is a part of it. */
  get #taken(): number {
    return this.#socket.bytesWritten - this.#socket.writableLength
  }

  #judge(): void {
    if (this.#clock === undefined) return
    const isPatient = this.#hasCaughtUp || this.#taken - this.#takenBefore >= this.#pace.bytes
    if (this.#socket.writableLength === 0) this.#rest()
    else if (isPatient) this.#beginWindow()
    else {
      this.stop()
      this.#onSlow()
    }
  }
}

/** Watches the client until its answer is out; what it returns is to be called before and after every write that is still to come. */
export const watchReader = ({ req, res }: Exchange, pace: Pace, onSlow: () => void): (() => void) => {
  const reader = new SlowReader(req.socket, pace, onSlow)
  res.once('close', () => reader.stop())
  reader.note()
  return () => reader.note()
}
