// Notices requests that go in a circle: an application, or a proxy in front of one, that asks tenement for itself and passes the
// headers on. Every request carries a mark that says how often it came through. The mark cannot be made by anybody else: it is
// a keyed hash under a key that is as old as this server, and one that is not known counts for nothing.
import { createHmac, randomBytes } from 'node:crypto'
import { type RawHeaders, valuesOf } from './rawHeaders.ts'

export const hopsHeader = 'x-tenement-hops'

/** More services than ever ask each other for one request, and few enough to end a circle soon. */
const mostHops = 8

export interface Hops {
  /** The mark for the instance; undefined when the request has come through too often. */
  next(raw: RawHeaders): string | undefined
}

export const createHops = (): Hops => {
  const key = randomBytes(32)
  const marks = Array.from({ length: mostHops }, (_, number) => markOf(key, number + 1))
  const numbers = new Map(marks.map((mark, at) => [mark, at + 1]))
  return {
    next: (raw) => marks[Math.max(0, ...valuesOf(raw, hopsHeader).map((mark) => numbers.get(mark) ?? 0))],
  }
}

const markOf = (key: Buffer, hops: number): string =>
  `${hops}.${createHmac('sha256', key).update(String(hops)).digest('base64url')}`
