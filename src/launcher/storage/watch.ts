// Watches how much a running instance keeps in its data directory, beside whatever quota the file system holds it to. Best effort:
// between two looks it may write what it likes, and a file that is open but has no name any more is not seen. All looks together cost
// about a twentieth of one processor: the more there is to look at, in one directory or in many, the less often it is looked at.
// `reactsWithinMs` says how late it may be noticed.
import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { openDirectoryBelow } from '../safePath.ts'
import { bytesOf, type Entry, entriesBelow, sharedInodeOf, Unmeasurable } from './measure.ts'

export interface Usage {
  readonly bytes: number
  readonly files: number
}

export interface StorageBounds {
  /** The allowed directory above, which is the operator's, and the instance's own below it. */
  readonly root: string
  readonly dataDir: string
  readonly maxBytes?: number
  readonly maxFiles?: number
}

export interface StorageWatch {
  /** What the last whole look found. */
  usage(): Usage | undefined
  /** Longest time in which the next look ends, going by the last one. */
  reactsWithinMs(): number
  stop(): void
}

export interface StorageWatchOptions extends StorageBounds {
  /** Told what each look found, and in which time the next one ends. */
  readonly onLooked?: (usage: Usage, reactsWithinMs: number) => void
  /** Told once, in words, and the watch ends. */
  readonly onExceeded: (reason: string) => void
  /** Told when a look could not be made; the next one is made all the same. */
  readonly onError: (error: unknown) => void
  /** How long to wait after each look. By default as long as all watches together can afford, from one second to ten. */
  readonly intervalMs?: number
}

/** How long the launcher does nothing else, and what part of the time that may be. */
const sliceMs = 2
const share = 1 / 20

const shortestMs = 1_000
const longestMs = 10_000

/** How long the last look of each running watch took. */
const costs = new Map<StorageBounds, number>()

/** So long that, were all looked at once in that time, it would be within the share. Pauses count as work: this errs to less often. */
const affordableMs = (): number => {
  let allMs = 0
  for (const tookMs of costs.values()) allMs += tookMs
  return Math.min(longestMs, Math.max(shortestMs, allMs / share))
}

const openData = ({ root, dataDir }: StorageBounds): number => {
  const path = openDirectoryBelow(root, dataDir)
  try {
    return openSync(`/proc/self/fd/${path}`, constants.O_RDONLY | constants.O_DIRECTORY)
  } finally {
    closeSync(path)
  }
}

/** Why the usage is too much, in words; undefined while it is within the bounds. */
const excessOf = ({ bytes, files }: Usage, { maxBytes, maxFiles }: StorageBounds): string | undefined => {
  if (maxBytes !== undefined && bytes > maxBytes) return `it holds more than ${maxBytes} bytes`
  if (maxFiles !== undefined && files > maxFiles) return `it holds more than ${maxFiles} files and directories`
  return undefined
}

/** How many files with several names are remembered: beyond them each name counts, so that a tenant cannot fill the launcher's memory. */
const maxShared = 100_000

/** A file under several names takes its place once. */
const createCount = () => {
  const seen = new Set<number>()
  const usage = { bytes: 0, files: 0 }
  return {
    usage,
    add: ({ stats }: Entry): void => {
      usage.files += 1
      const sharedInode = sharedInodeOf(stats)
      if (sharedInode !== undefined && seen.has(sharedInode)) return
      if (sharedInode !== undefined && seen.size < maxShared) seen.add(sharedInode)
      usage.bytes += bytesOf(stats)
    },
  }
}

/** Looks once, in slices; rejects with Unmeasurable. Stops as soon as a bound is passed, with what was counted until then. */
export const measureStorage = async (bounds: StorageBounds, signal: AbortSignal): Promise<Usage> => {
  const directory = openData(bounds)
  const entries = entriesBelow(directory, fstatSync(directory).dev)
  const { usage, add } = createCount()
  try {
    let sliceEnd = performance.now() + sliceMs
    for (const entry of entries) {
      add(entry)
      if (excessOf(usage, bounds) !== undefined) break
      if (performance.now() < sliceEnd) continue
      await delay(sliceMs / share, undefined, { signal, ref: false })
      sliceEnd = performance.now() + sliceMs
    }
    return usage
  } finally {
    entries.return()
    closeSync(directory)
  }
}

/** Begins to look at once, and again some time after each look. */
export const createStorageWatch = (options: StorageWatchOptions): StorageWatch => {
  const { onLooked, onExceeded, onError } = options
  const ended = new AbortController()
  let last: { readonly usage: Usage; readonly tookMs: number } | undefined

  /** Resolves with why the instance is to be stopped. */
  const look = async (): Promise<string | undefined> => {
    const startedAt = performance.now()
    try {
      const usage = await measureStorage(options, ended.signal)
      last = { usage, tookMs: performance.now() - startedAt }
      if (!ended.signal.aborted) costs.set(options, last.tookMs)
      return excessOf(usage, options)
    } catch (error) {
      if (error instanceof Unmeasurable) return error.message
      if (!ended.signal.aborted) onError(error)
      return undefined
    }
  }

  // Others that begin to be watched in the meantime make the next wait longer, not this one.
  const waitMs = (): number => options.intervalMs ?? affordableMs()
  // What is written right behind a look is met by the next one at the latest.
  const reactsWithinMs = (): number => waitMs() + 2 * (last?.tookMs ?? 0)

  const tell = (): void => {
    try {
      if (last !== undefined) onLooked?.(last.usage, reactsWithinMs())
    } catch (error) {
      onError(error)
    }
  }

  const keepLooking = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      const reason = await look()
      if (!ended.signal.aborted) tell()
      if (reason !== undefined && !ended.signal.aborted) {
        stop()
        return onExceeded(reason)
      }
      await delay(waitMs(), undefined, { signal: ended.signal, ref: false }).catch(() => undefined)
    }
  }
  const stop = (): void => {
    ended.abort()
    costs.delete(options)
  }
  void keepLooking()
  return {
    usage: () => last?.usage,
    reactsWithinMs,
    stop,
  }
}
