import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Storage } from '../../../src/isolation/adapter.ts'
import type { Policy } from '../../../src/launcher/protocol.ts'
import { countMembers } from '../../../src/launcher/storage/enrol.ts'
import { maxDepth, Unmeasurable } from '../../../src/launcher/storage/measure.ts'
import { createStorageWatch, measureStorage, type StorageBounds } from '../../../src/launcher/storage/watch.ts'
import { type Message, makeTemporaryDirectory, newRunName, startTestLauncher } from '../../helpers/launcher.ts'
import { testAsRoot } from '../../helpers/root.ts'
import { waitUntil } from '../../helpers/waitUntil.ts'

const mebibyte = 1024 ** 2

describe('what an instance keeps in its data directory', () => {
  let root: string
  let data: string
  beforeEach(() => {
    root = makeTemporaryDirectory()
    data = join(root, 'alice')
    mkdirSync(data)
  })
  // rm(1) goes down a tree of any depth; Node's own stops at the longest path.
  afterEach(() => execFileSync('rm', ['-rf', root]))

  const measure = (bounds: Partial<StorageBounds> = {}) =>
    measureStorage({ root, dataDir: data, ...bounds }, new AbortController().signal)

  const writeFiles = (directory: string, count: number): void => {
    mkdirSync(directory, { recursive: true })
    for (let index = 0; index < count; index += 1) writeFileSync(join(directory, String(index)), 'x')
  }

  test('files in directories count with the place they take', async () => {
    mkdirSync(join(data, 'a/b'), { recursive: true })
    writeFileSync(join(data, 'a/b/file'), Buffer.alloc(3 * mebibyte))
    const { bytes, files } = await measure()
    expect(files).toBe(3)
    expect(bytes).toBeGreaterThanOrEqual(3 * mebibyte)
    expect(bytes).toBeLessThan(4 * mebibyte)
  })

  test('a hole takes no place, and a file under two names takes it once', async () => {
    writeFileSync(join(data, 'sparse'), '')
    truncateSync(join(data, 'sparse'), 1024 ** 4)
    writeFileSync(join(data, 'one'), Buffer.alloc(mebibyte))
    linkSync(join(data, 'one'), join(data, 'two'))
    const { bytes, files } = await measure()
    expect(files).toBe(3)
    expect(bytes).toBeLessThan(2 * mebibyte)
  })

  test('names that are no text count too', async () => {
    const odd = Buffer.concat([Buffer.from(`${data}/`), Buffer.from([0x61, 0xff, 0xfe])])
    mkdirSync(odd)
    writeFileSync(Buffer.concat([odd, Buffer.from([0x2f, 0xff])]), Buffer.alloc(mebibyte))
    const { bytes, files } = await measure()
    expect(files).toBe(2)
    expect(bytes).toBeGreaterThanOrEqual(mebibyte)
  })

  test('symlinks are counted and never followed, and a FIFO is not opened', async () => {
    writeFiles(join(root, 'outside'), 50)
    writeFileSync(join(root, 'large'), Buffer.alloc(mebibyte))
    symlinkSync(join(root, 'outside'), join(data, 'link'))
    symlinkSync(join(root, 'large'), join(data, 'other'))
    execFileSync('mkfifo', [join(data, 'fifo')])
    const { bytes, files } = await measure()
    expect(files).toBe(3)
    expect(bytes).toBeLessThan(mebibyte)
  })

  test('a data directory that is a symlink is not measured in its place', async () => {
    symlinkSync(data, join(root, 'planted'))
    await expect(measure({ dataDir: join(root, 'planted') })).rejects.toThrow(/symlink/)
  })

  test('a directory swapped for a symlink all the while leads nowhere else', async () => {
    writeFiles(join(root, 'outside'), 2_000)
    writeFiles(join(data, 'a'), 5)
    symlinkSync(join(root, 'outside'), join(data, 'b'))
    // Exchanged in one step (renameat2(2), RENAME_EXCHANGE), so that it also falls between a look at "a" and its opening.
    const swap = `import ctypes, os, sys
os.chdir(sys.argv[1])
exchange = ctypes.CDLL(None).renameat2
while True:
    exchange(-100, b"a", -100, b"b", 2)`
    const swapper = spawn('python3', ['-c', swap, data], { stdio: 'ignore' })
    const deadline = performance.now() + 1_000
    let most = 0
    while (performance.now() < deadline) most = Math.max(most, (await measure()).files)
    swapper.kill('SIGKILL')
    await once(swapper, 'exit')
    expect(most).toBeGreaterThanOrEqual(7)
    expect(most).toBeLessThan(20)
  })

  test('directories nested too deeply are never taken for small', async () => {
    const deep = 'import os, sys\nos.chdir(sys.argv[1])\nfor _ in range(10000):\n    os.mkdir("d"); os.chdir("d")'
    execFileSync('python3', ['-c', deep, data])
    await expect(measure()).rejects.toThrow(Unmeasurable)
    await expect(measure()).rejects.toThrow(`more than ${maxDepth} deep`)
  })

  test('a look stops as soon as a bound is passed, and leaves no descriptor open', async () => {
    writeFiles(join(data, 'many'), 3_000)
    const open = readdirSync('/proc/self/fd').length
    expect((await measure({ maxFiles: 100 })).files).toBe(101)
    expect(readdirSync('/proc/self/fd').length).toBe(open)
  })

  test('a directory with very many files does not stop the process that looks', async () => {
    writeFiles(join(data, 'many'), 20_000)
    let turns = 0
    const timer = setInterval(() => {
      turns += 1
    }, 1)
    expect((await measure()).files).toBe(20_001)
    clearInterval(timer)
    // A tenth of a second of work for the processor: done in one go there would be no turn, in slices of 2 ms there are dozens.
    expect(turns).toBeGreaterThan(20)
    // Making and removing so many files takes a slow or busy disk its time.
  }, 120_000)

  test('an instance that comes to hold too much is told of once, with the bound', async () => {
    const reasons: string[] = []
    const errors: unknown[] = []
    const watch = createStorageWatch({
      ...{ root, dataDir: data, maxBytes: mebibyte, intervalMs: 10 },
      onExceeded: (reason) => reasons.push(reason),
      onError: (error) => errors.push(error),
    })
    await waitUntil(() => watch.usage() !== undefined)
    expect(reasons).toEqual([])
    writeFileSync(join(data, 'large'), Buffer.alloc(2 * mebibyte))
    await waitUntil(() => reasons.length > 0)
    expect(reasons).toEqual([`it holds more than ${mebibyte} bytes`])
    expect(watch.reactsWithinMs()).toBeGreaterThanOrEqual(10)
    expect(errors).toEqual([])
    watch.stop()
  })

  test('a directory that cannot be opened is told as an error, and looked at again', async () => {
    const errors: unknown[] = []
    const watch = createStorageWatch({
      ...{ root, dataDir: join(root, 'absent'), maxFiles: 1, intervalMs: 10 },
      onExceeded: () => undefined,
      onError: (error) => errors.push(error),
    })
    await waitUntil(() => errors.length > 1)
    mkdirSync(join(root, 'absent'))
    await waitUntil(() => watch.usage()?.files === 0)
    watch.stop()
  })

  test('files of a project are counted with what cannot be asked, and nothing that a symlink leads to', async () => {
    writeFiles(join(root, 'outside'), 50)
    writeFiles(data, 3)
    symlinkSync(join(root, 'outside'), join(data, 'link'))
    execFileSync('mkfifo', [join(data, 'fifo')])
    const directory = openSync(data, 'r')
    const count = (project: number) => countMembers(directory, project, new AbortController().signal)
    // Whatever nobody put into a project belongs to project 0.
    expect([await count(0), await count(7)]).toEqual([1 + 3 + 2, 2])
    closeSync(directory)
  })
})

describe('a launch whose data was on a file system with quotas', () => {
  const launchWith = async (policy: (data: string) => Partial<Policy>, storage?: Storage): Promise<Message> => {
    const root = makeTemporaryDirectory()
    const launcher = await startTestLauncher({ root, policy: policy(join(root, 'data')) })
    const directories = [{ path: join(root, 'data', 'a'), mode: 0o700, owner: 'tenant' }] as const
    const launch = launcher.launchOf({ directories, ...(storage === undefined ? {} : { storage }) })
    const what = { service: 'api', id: 'a', launch, watch: false, note: null }
    const answer = await launcher.ask({ type: 'launch', run: newRunName(), ...what })
    await launcher.close()
    return answer
  }
  const storage = { bytes: mebibyte, files: 10_000 }

  testAsRoot('is not made once there are none any more, and is made where it has no bound', async () => {
    const quotaRoots = (data: string) => ({ quotaRoots: [data] })
    expect(await launchWith(quotaRoots, storage)).toMatchObject({
      type: 'failed',
      message: expect.stringMatching(
        /^the file system of ".*\/data\/a" enforces no project quotas, as .* did when tenement started/,
      ),
    })
    expect(await launchWith(quotaRoots)).toMatchObject({ type: 'reply' })
    expect(await launchWith(() => ({}), storage)).toMatchObject({ type: 'reply' })
  })

  testAsRoot(
    'is not made with a bound that a file system takes for none',
    async () => {
      for (const least of [{ bytes: 1_023 }, { bytes: 0 }, { bytes: -5 }, { files: 0 }, { files: 0.5 }])
        expect(await launchWith((data) => ({ quotaRoots: [data] }), { ...storage, ...least })).toMatchObject({
          ...{ type: 'failed', code: 'refused' },
          message: expect.stringMatching(/is less than a file system can be told$/),
        })
    },
    60_000,
  )
})
