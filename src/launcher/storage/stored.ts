// What is told of a run's data: how full it is, and who keeps it from being fuller. Pure.
import type { Launch } from '../../isolation/adapter.ts'
import type { Stored } from '../protocol.ts'

export interface Counted {
  readonly bytes: number
  readonly files: number
  readonly maxBytes: number
  readonly maxFiles: number
}

/** The last blocks are seldom used: a file takes several at once, and what it takes to find them. */
const leastRoomBytes = 16 * 1024

/** Whether writes fail, or nearly all do. */
export const isFull = ({ bytes, files, maxBytes, maxFiles }: Counted): boolean =>
  maxBytes - bytes < leastRoomBytes || files >= maxFiles

/** From a user namespace of its own nobody takes a file out of its project; from the machine's its owner does. */
export const quotaKindOf = ({ expect }: Pick<Launch, 'expect'>, isHeld: boolean): Stored['quota'] => {
  if (!isHeld) return 'absent'
  return expect?.namespaces.includes('user') ? 'enforced' : 'escapable'
}

export const storedOf = (counted: Counted, quota: Stored['quota'], reactsWithinMs: number): Stored => {
  const { bytes, files, maxBytes, maxFiles } = counted
  return {
    ...{ bytes, files, maxBytes, maxFiles, quota },
    isFull: isFull(counted),
    // To the second: how long a look took is no news.
    reactsWithinMs: Math.ceil(reactsWithinMs / 1_000) * 1_000,
  }
}

export const isSameStored = (one: Stored | undefined, other: Stored): boolean =>
  one !== undefined && JSON.stringify(one) === JSON.stringify(other)
