// Memory for what has arrived of requests and cannot be passed on yet, beyond what is usual, for all requests together. Node's parser
// takes in a piece before it can be told to wait, so whoever holds ten thousand uploads holds ten thousand pieces.

import { type RawHeaders, valuesOf } from './rawHeaders.ts'

/** Bytes. */
const usualMost = 256 * 1024 * 1024

/** What Node reads of a socket at once; it is read before anybody can tell it to wait. */
const readBytes = 65_536

/** Names and values that every request may have: browsers send fewer than a hundred, which cost little. */
const usualTexts = 200

/** What one more costs, however short it is: measured with names of two letters. */
const textBytes = 60

/** Bytes that a request may have here while it waits. */
export const heldBytes = (raw: RawHeaders, hasBody: boolean): number =>
  (hasBody ? largestPiece(raw) : 0) + Math.max(raw.length - usualTexts, 0) * textBytes

const largestPiece = (raw: RawHeaders): number => {
  const [declared] = valuesOf(raw, 'content-length')
  return declared === undefined ? readBytes : Math.min(Number(declared), readBytes)
}

export interface MemoryBudget {
  /** What gives the bytes back, to be called once; undefined when they are not to be had. */
  take(bytes: number): (() => void) | undefined
  /** The same for what can be done without: half of everything is left to those who cannot. */
  takeSpare(bytes: number): (() => void) | undefined
  readonly taken: number
}

export const createMemoryBudget = (most = usualMost): MemoryBudget => {
  let taken = 0
  const takeUpTo = (bound: number, bytes: number): (() => void) | undefined => {
    if (taken + bytes > bound) return undefined
    taken += bytes
    return () => {
      taken -= bytes
    }
  }
  return {
    get taken() {
      return taken
    },
    take: (bytes) => takeUpTo(most, bytes),
    takeSpare: (bytes) => takeUpTo(most / 2, bytes),
  }
}
