import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readLogsIn } from '../../../src/control/logs.ts'
import type { LogLine } from '../../../src/control/wire.ts'
import { carol } from './scripted.ts'

const at = '2026-11-23T18:15:54.123Z'

let logDir: string
let file: string
let stop: AbortController

beforeEach(async () => {
  logDir = await mkdtemp(join(tmpdir(), 'tenement-logs-'))
  mkdirSync(join(logDir, 'api'))
  file = join(logDir, 'api/carol.log')
  stop = new AbortController()
})

afterEach(async () => {
  stop.abort()
  // Whoever reads a log to no end gives it back, as the server does when a client leaves.
  await Promise.all(reading.splice(0).map((log) => log.return?.()))
  await rm(logDir, { recursive: true, force: true })
})

const linesFrom = (first: number, count: number): string =>
  Array.from({ length: count }, (_, index) => `${at} out line ${first + index}\n`).join('')

const reading: AsyncIterator<LogLine>[] = []

const read = (lines: number, follow = false): AsyncIterator<LogLine> & AsyncIterable<LogLine> => {
  const log = readLogsIn(logDir)(carol, { lines, follow, signal: stop.signal })[Symbol.asyncIterator]()
  reading.push(log)
  return {
    next: () => log.next(),
    return: async () => (await log.return?.()) ?? { done: true, value: undefined },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

const tail = async (lines: number): Promise<readonly string[]> => {
  const texts: string[] = []
  for await (const { text } of read(lines)) texts.push(text)
  return texts
}

const take = async (log: AsyncIterator<LogLine>, count: number): Promise<readonly string[]> => {
  const texts: string[] = []
  while (texts.length < count) {
    const { done, value } = await log.next()
    if (done) throw new Error(`the log ended after ${JSON.stringify(texts)}`)
    texts.push(value.text)
  }
  return texts
}

/** What the launcher does when a file is full. */
const rotate = (kept = 5): void => {
  for (let number = kept - 2; number >= 0; number -= 1) {
    const from = number === 0 ? 'carol.log' : `carol.log.${number}`
    if (readdirSync(join(logDir, 'api')).includes(from))
      renameSync(join(logDir, 'api', from), join(logDir, 'api', `carol.log.${number + 1}`))
  }
}

/** Of the log and its older parts: what else this process has open may be closed meanwhile. */
const openDescriptors = (): number =>
  readdirSync('/proc/self/fd').filter((fd) => linkOf(`/proc/self/fd/${fd}`).startsWith(file)).length

/** '' for the one that listed them, which is closed again. */
const linkOf = (path: string): string => {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

describe('the tail of a log', () => {
  it.each([0, 1, 2, 99, 100, 101])('holds the last %i lines of a hundred', async (count) => {
    writeFileSync(file, linesFrom(0, 100))
    const expected = Array.from(
      { length: Math.min(100, count) },
      (_, index) => `line ${100 - Math.min(100, count) + index}`,
    )
    expect(await tail(count)).toEqual(expected)
  })

  it('is empty for an instance that never wrote', async () => {
    expect(await tail(100)).toEqual([])
  })

  it('goes on into rotated files, the newest of which is .1', async () => {
    writeFileSync(`${file}.2`, linesFrom(0, 3))
    writeFileSync(`${file}.1`, linesFrom(3, 3))
    writeFileSync(file, linesFrom(6, 3))
    expect(await tail(5)).toEqual(['line 4', 'line 5', 'line 6', 'line 7', 'line 8'])
    expect(await tail(100)).toHaveLength(9)
  })

  it('is found in rotated files while the current one does not exist yet', async () => {
    writeFileSync(`${file}.1`, linesFrom(0, 3))
    expect(await tail(2)).toEqual(['line 1', 'line 2'])
  })

  it('holds lines that are longer than one chunk, and those at the edge of one', async () => {
    const long = 'x'.repeat(65_536 - 30)
    writeFileSync(file, `${at} out ${long}\n${at} out b\n${at} out ${long}y\n`)
    expect((await tail(3)).map((text) => text.length)).toEqual([long.length, 1, long.length + 1 - 0])
  })

  it('cuts a line without end rather than hold it', async () => {
    writeFileSync(file, `${at} out ${'x'.repeat(3_000_000)}\n${at} out after\n`)
    const [long = '', after] = await tail(2)
    expect(long).toMatch(/^x{60000,65536}$/)
    expect(after).toBe('after')
  })

  it('holds a last line that has no newline yet', async () => {
    writeFileSync(file, `${at} out first\n${at} out last`)
    expect(await tail(1)).toEqual(['last'])
  })

  it('of a gigabyte reads no more than its end', async () => {
    const fd = openSync(file, 'w')
    ftruncateSync(fd, 1024 ** 3)
    writeSync(fd, `\n${linesFrom(0, 10)}`, 1024 ** 3)
    closeSync(fd)
    const readBefore = bytesReadBySelf()
    expect(await tail(3)).toEqual(['line 7', 'line 8', 'line 9'])
    expect(bytesReadBySelf() - readBefore).toBeLessThan(16 * 1024 ** 2)
  })

  it('tells the streams apart and passes bytes on that are no UTF-8', async () => {
    writeFileSync(
      file,
      Buffer.concat([
        Buffer.from(`${at} err `),
        Buffer.from([0xff, 0x00, 0x1b]),
        Buffer.from(`\n${at} log 3 lines dropped\nby hand\n`),
      ]),
    )
    const lines: LogLine[] = []
    for await (const line of read(10)) lines.push(line)
    expect(lines).toEqual([
      { at, stream: 'err', text: '\ufffd\0\u001b', base64: Buffer.from([0xff, 0x00, 0x1b]).toString('base64') },
      { at, stream: 'log', text: '3 lines dropped', base64: null },
      { at: null, stream: 'out', text: 'by hand', base64: null },
    ])
  })

  it('is not read through a symlink', async () => {
    symlinkSync('/etc/passwd', file)
    await expect(tail(1)).rejects.toMatchObject({ code: 'ELOOP' })
  })

  it('is not waited for where a FIFO was planted', async () => {
    execFileSync('mkfifo', [file])
    await expect(tail(1)).rejects.toThrow('not a plain file')
  })

  it('leaves no file open, read to its end or not', async () => {
    writeFileSync(`${file}.1`, linesFrom(0, 5_000))
    writeFileSync(file, linesFrom(5_000, 5_000))
    const before = openDescriptors()
    await tail(10_000)
    const unfinished = read(10_000)
    await take(unfinished, 1)
    await unfinished.return?.()
    expect(openDescriptors()).toBe(before)
  })
})

describe('following a log', () => {
  it('begins with the last lines and goes on with what is written', async () => {
    writeFileSync(file, linesFrom(0, 10))
    const log = read(2, true)
    expect(await take(log, 2)).toEqual(['line 8', 'line 9'])
    appendFileSync(file, linesFrom(10, 2))
    expect(await take(log, 2)).toEqual(['line 10', 'line 11'])
  })

  it('waits for the first line of an instance that never wrote', async () => {
    const log = read(10, true)
    const first = take(log, 1)
    writeFileSync(file, linesFrom(0, 1))
    expect(await first).toEqual(['line 0'])
  })

  it('passes a line on only when it is whole', async () => {
    writeFileSync(file, `${at} out one\n${at} out tw`)
    const log = read(10, true)
    expect(await take(log, 1)).toEqual(['one'])
    appendFileSync(file, 'o\n')
    expect(await take(log, 1)).toEqual(['two'])
  })

  it('loses nothing in a rotation', async () => {
    writeFileSync(file, linesFrom(0, 1))
    const log = read(1, true)
    await take(log, 1)
    appendFileSync(file, linesFrom(1, 2))
    rotate()
    writeFileSync(file, linesFrom(3, 2))
    expect(await take(log, 4)).toEqual(['line 1', 'line 2', 'line 3', 'line 4'])
  })

  it('loses nothing in several rotations between two looks', async () => {
    writeFileSync(file, linesFrom(0, 1))
    const log = read(1, true)
    await take(log, 1)
    for (const first of [1, 3, 5]) {
      appendFileSync(file, linesFrom(first, 1))
      rotate()
      writeFileSync(file, linesFrom(first + 1, 1))
    }
    expect(await take(log, 6)).toEqual([1, 2, 3, 4, 5, 6].map((number) => `line ${number}`))
  })

  it('passes on what a rotated file ends with, newline or not, and closes it', async () => {
    writeFileSync(file, linesFrom(0, 1))
    const before = openDescriptors()
    const log = read(1, true)
    await take(log, 1)
    appendFileSync(file, `${at} out cut off`)
    rotate()
    writeFileSync(file, linesFrom(1, 1))
    expect(await take(log, 2)).toEqual(['cut off', 'line 1'])
    await log.return?.()
    expect(openDescriptors()).toBe(before)
  })

  it('goes on with the oldest file there is when its own was rotated away', async () => {
    writeFileSync(file, linesFrom(0, 1))
    const log = read(1, true)
    await take(log, 1)
    for (const first of [1, 2, 3, 4]) {
      rotate(3)
      writeFileSync(file, linesFrom(first, 1))
    }
    expect(await take(log, 3)).toEqual(['line 2', 'line 3', 'line 4'])
  })

  it('begins again when the file is cut short', async () => {
    writeFileSync(file, linesFrom(0, 100))
    const log = read(1, true)
    await take(log, 1)
    writeFileSync(file, linesFrom(200, 1))
    expect(await take(log, 1)).toEqual(['line 200'])
  })

  it('ends when its reader is gone, and leaves no file open', async () => {
    writeFileSync(file, linesFrom(0, 1))
    const before = openDescriptors()
    const log = read(1, true)
    await take(log, 1)
    const next = log.next()
    stop.abort()
    expect(await next).toEqual({ done: true, value: undefined })
    expect(openDescriptors()).toBe(before)
  })
})

const bytesReadBySelf = (): number =>
  Number(/rchar: (\d+)/.exec(execFileSync('cat', [`/proc/${process.pid}/io`]).toString())?.[1])
