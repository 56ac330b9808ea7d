// What a tenant may leave in its data to keep tenement busy, or from removing it: trees beyond what a path can name, names of any
// kind, directories it has shut, and more than it may keep. All of it beside a neighbour that is asked all the while.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { instanceNamed } from '../../src/control/named.ts'
import { newTenantUids } from '../helpers/tenantUids.ts'
import { apps, startTenement, type Tenement } from '../helpers/tenement.ts'
import { waitUntil } from '../helpers/waitUntil.ts'
import { isolationLine, type Level, levels, makeRoot } from './harness.ts'
import { type Asking, keepAsking } from './neighbour.ts'

const mebibyte = 1024 ** 2
const storageMax = 16 * mebibyte

const serviceOf = (name: string, level: Level, more = ''): string => `
[service.${name}]
command = "python3 trees.py"
cwd = "${apps}"
${isolationLine(level)}
listen = "fd"
data = "{data_dir}/{name}/{id}"
stop_timeout = "300ms"
${more}`

const config = [
  ...levels.map((level) => serviceOf(level, level)),
  serviceOf('bounded', 'sandbox', `storage_max = "${storageMax / mebibyte}MB"`),
  `[service.neighbour]
command = "node app.mjs"
cwd = "${apps}"
isolation = "none"
listen = "fd"
[instances]
neighbour = ["alice"]`,
].join('\n')

const tenantUids = { first: newTenantUids().first, last: [1, 2, 3, 4].map(() => newTenantUids().last).at(-1) ?? 0 }
let root: string
let tenement: Tenement
let asking: Asking
beforeAll(async () => {
  root = makeRoot()
  mkdirSync(join(root, 'canary'), { mode: 0o755 })
  writeFileSync(join(root, 'canary', 'file'), 'a file of the machine')
  tenement = await startTenement({ root, config, tenantUids })
}, 60_000)
afterAll(async () => {
  await tenement.stop()
  // Node's own stops at the longest path, should a tree be left.
  execFileSync('rm', ['-rf', root])
})

const grow = (instance: string, kind: string) => {
  const [level = '', id = ''] = instance.split(':')
  return tenement.ask(`${id}.${level}.test`, {
    method: 'POST',
    path: `/?${new URLSearchParams({ kind, target: join(root, 'canary') })}`,
  })
}

const kinds = ['deep', 'deep and shut', 'wide', 'names', 'sparse', 'symlinks', 'shut']
const excesses = [
  ['too many bytes', /holds more than 16777216 bytes/],
  ['too many files', /holds more than 10000 files and directories/],
  ['too deep', /lie more than \d+ deep/],
] as const

const add = async (level: string, kind: string): Promise<string> => {
  const instance = `${level}:${kind.replaceAll(' ', '-')}`
  await tenement.control.add(instanceNamed(instance))
  return instance
}

const addGrown = async (level: string, kind: string): Promise<string> => {
  const instance = await add(level, kind)
  expect(await grow(instance, kind)).toMatchObject({ status: 200, body: 'grown' })
  return instance
}

/** Whether its directory was there, and is: rejects with what went wrong where not all of it could be removed. */
const purge = async (instance: string): Promise<unknown> => {
  const { dataDir } = await tenement.status(instance)
  const wasThere = existsSync(dataDir)
  const { purged } = await tenement.control.remove(instanceNamed(instance), { purge: true })
  return { purged, wasThere, isThere: existsSync(dataDir) }
}
const purged = { purged: true, wasThere: true, isThere: false }

describe('beside an instance with a hostile tree its neighbour is answered, and it', () => {
  beforeEach(() => {
    asking = keepAsking(tenement, 'alice.neighbour.test', 'hello from neighbour:alice')
  })
  afterEach(async () => {
    expect(await asking.finish()).toEqual([])
    expect(readFileSync(join(root, 'canary', 'file'), 'utf8')).toBe('a file of the machine')
  })

  test.each(levels)(
    'leaves under "%s" nothing that cannot be removed (row 52, blocked)',
    { timeout: 90_000 },
    async (level) => {
      const instances = await Promise.all(kinds.map((kind) => addGrown(level, kind)))
      const found = await Promise.all(instances.map(async (instance) => [instance, await purge(instance)]))
      expect(found).toEqual(instances.map((instance) => [instance, purged]))
    },
  )

  test('is ended when it keeps too much, in the time that is said (row 51, best effort)', {
    timeout: 90_000,
  }, async () => {
    await Promise.all(
      excesses.map(async ([kind, reason]) => {
        const instance = await add('bounded', kind)
        // Its answer may come, or not: the directory may be looked at while it still grows.
        await grow(instance, kind)
        // Ten seconds between two looks, and what the looks take.
        await waitUntil(async () => reason.test((await tenement.status(instance)).lastStop ?? ''), 30_000)
        expect(await purge(instance)).toEqual(purged)
      }),
    )
  })
})
