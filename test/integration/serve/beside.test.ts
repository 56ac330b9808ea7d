// What goes wrong beside an instance and must not be felt by it: others that do nothing but crash, and a disk that is full.
// How long it then takes is measured by bench/benches/crashloop.mjs.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { makeTemporaryDirectory } from '../../helpers/launcher.ts'
import { testAsRoot } from '../../helpers/root.ts'
import { newTenantUids } from '../../helpers/tenantUids.ts'
import { apps, type StartOptions, startTenement, type Tenement } from '../../helpers/tenement.ts'
import { waitUntil } from '../../helpers/waitUntil.ts'

const service = (name: string, command: string): string => `
[service.${name}]
command = "${command}"
cwd = "${apps}"
isolation = "none"
listen = "fd"
data = "{data_dir}/{name}/{id}"
`

describe('an instance is answered', () => {
  let tenement: Tenement | undefined
  afterEach(async () => {
    await tenement?.stop()
    if (tenement !== undefined) rmSync(tenement.root, { recursive: true, force: true })
    tenement = undefined
  })
  const start = async (options: StartOptions): Promise<Tenement> => {
    tenement = await startTenement(options)
    return tenement
  }

  test('at every request beside a hundred that keep crashing, which are started five times each and then no more', async () => {
    const ids = Array.from({ length: 100 }, (_, index) => `c${index}`)
    const server = await start({
      tenantUids: newTenantUids(ids.length + 1),
      config: `${service('good', 'node says-its-paths.mjs')}${service('bad', 'false')}
[instances]
good = ["a"]
bad = ${JSON.stringify(ids)}
`,
    })
    const askBad = async (id: string) => {
      const { status, headers } = await server.ask(`${id}.bad.test`)
      return `${status} ${headers['x-tenement-reason']}`
    }
    const all = Promise.all(ids.map(askBad))
    let isOver = false
    void all.finally(() => {
      isOver = true
    })
    const statuses: number[] = []
    while (!isOver || statuses.length < 100) statuses.push((await server.ask('a.good.test')).status)
    expect(new Set(statuses)).toEqual(new Set([200]))
    expect(new Set(await all)).toEqual(new Set(['503 crashloop']))

    const startsOf = async (id: string): Promise<number> => (await server.status(`bad:${id}`)).restarts + 1
    expect(new Set(await Promise.all(ids.map(startsOf)))).toEqual(new Set([5]))
    expect(new Set(await Promise.all(ids.map(askBad)))).toEqual(new Set(['503 crashloop']))
    expect(new Set(await Promise.all(ids.map(startsOf)))).toEqual(new Set([5]))
  }, 60_000)

  /** A tenement that has file systems of its own, of two megabytes each, for what is written below `folders`. */
  const startOnSmallDisks = (config: string, folders: readonly string[]): Promise<Tenement> => {
    const root = makeTemporaryDirectory()
    for (const folder of folders) mkdirSync(join(root, folder), { mode: 0o755 })
    const mounts = folders.map((folder) => `mount -t tmpfs -o size=2m,mode=0755 tenement "${root}/${folder}"`)
    const around = [
      'unshare',
      '--mount',
      '--propagation',
      'private',
      '/bin/sh',
      '-ec',
      `${mounts.join('\n')}\nexec "$@"`,
      'sh',
    ]
    return start({ root, config, around })
  }
  /** The folder as the tenement itself sees it: its mounts are in nobody else's files. */
  const insideOf = ({ process, root }: Tenement, folder: string): string => `/proc/${process.pid}/root${root}/${folder}`
  /** Leaves not a byte, nor a name for a file; returns what makes room again. */
  const fill = (folder: string): (() => void) => {
    const fillers: string[] = []
    for (let bytes = 1 << 20; bytes >= 1; bytes >>= 1)
      for (let isFull = false; !isFull; ) {
        const file = join(folder, `filler-${fillers.length}`)
        fillers.push(file)
        try {
          writeFileSync(file, Buffer.alloc(bytes))
        } catch {
          isFull = true
        }
      }
    return () => {
      for (const file of fillers) rmSync(file, { force: true })
    }
  }
  const config = `${service('api', 'node says-its-paths.mjs')}\n[instances]\napi = ["alice", "bob"]\n`

  testAsRoot(
    'while the disk of the logs is full, and the log says what it lost once there is room',
    async () => {
      const server = await startOnSmallDisks(config, ['log'])
      const file = join(insideOf(server, 'log'), 'api', 'alice.log')
      // It is made at the first line, which may still be on its way when the request for it was answered.
      const log = (): string => (existsSync(file) ? readFileSync(file, 'latin1') : '')
      const say = async (path: string): Promise<number> => (await server.ask('alice.api.test', { path })).status
      expect(await say('/before')).toBe(200)
      await waitUntil(() => log().includes('/before'))
      const free = fill(insideOf(server, 'log'))
      const paths = Array.from({ length: 20 }, (_, index) => `/full-${index}-${'x'.repeat(1_000)}`)
      for (const path of paths) expect(await say(path)).toBe(200)
      // One that starts now has nowhere to write at all.
      expect((await server.ask('bob.api.test')).status).toBe(200)
      free()
      expect(await say('/after')).toBe(200)
      await waitUntil(() => log().includes('/after'))
      const lost = paths.filter((path) => !log().includes(path))
      expect(lost.length).toBeGreaterThan(10)
      const counts = [...log().matchAll(/(\d+) lines of \d+ bytes dropped/g)].map(([, count]) => Number(count))
      // A remark is short, and may find room where the next line does not: then each stands where its lines are missing.
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(lost.length)
    },
    40_000,
  )

  testAsRoot(
    'while the disk of the state is full: what cannot be kept is refused with the reason until then',
    async () => {
      const server = await startOnSmallDisks(config, ['state'])
      expect((await server.ask('alice.api.test')).status).toBe(200)
      const free = fill(insideOf(server, 'state'))
      const add = (id: string) => server.command('add', `api:${id}`)
      let refused = await add('n0')
      // What was written in advance takes a few more.
      for (let number = 1; refused.exitCode === 0 && number < 200; number += 1) refused = await add(`n${number}`)
      expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('the disk is full') })
      expect((await server.ask('alice.api.test')).status).toBe(200)
      // It was never started, so it has no uid yet, and one that is not kept is not given.
      const woken = await server.command('wake', 'api:bob')
      expect(woken).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('the disk is full') })
      expect(await server.status('api:bob')).toMatchObject({ pid: null, uid: null })
      free()
      expect((await add('carol')).exitCode).toBe(0)
      for (const id of ['alice', 'bob', 'carol']) expect((await server.ask(`${id}.api.test`)).status).toBe(200)
    },
    40_000,
  )
})
