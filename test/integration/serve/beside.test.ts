// What goes wrong beside an instance and must not be felt by it: others that do nothing but crash, and a disk that is full.
// How long it then takes is measured by bench/benches/crashloop.mjs.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { makeTemporaryDirectory } from '../../helpers/launcher.ts'
import { testAsRoot } from '../../helpers/root.ts'
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
    tenement = undefined
  })
  const start = async (options: StartOptions): Promise<Tenement> => {
    tenement = await startTenement(options)
    return tenement
  }

  test('at every request beside a hundred that keep crashing, which are started five times each and then no more', async () => {
    const ids = Array.from({ length: 100 }, (_, index) => `c${index}`)
    const server = await start({
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
  const fill = (folder: string): void => {
    for (let bytes = 1 << 20; bytes >= 1; bytes >>= 1)
      for (let part = 0; ; part += 1)
        try {
          writeFileSync(join(folder, `filler-${bytes}-${part}`), Buffer.alloc(bytes))
        } catch {
          break
        }
  }
  const config = `${service('api', 'node says-its-paths.mjs')}\n[instances]\napi = ["alice", "bob"]\n`

  testAsRoot(
    'while the disk of the logs is full, and the log goes on with what was lost once there is room',
    async () => {
      const server = await startOnSmallDisks(config, ['log'])
      expect(await server.ask('alice.api.test', { path: '/before' })).toMatchObject({ status: 200 })
      const logs = insideOf(server, 'log')
      console.log(logs)
    },
  )
})
