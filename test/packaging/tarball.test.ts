// The package as somebody gets it from a registry: packed, looked over by publint, installed without scripts into an empty
// folder and started from there. What a checkout hides (a file missing from "files", a dependency that only the development
// packages bring) shows here and nowhere else.
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'

const root = fileURLToPath(new URL('../..', import.meta.url))
const packageSchema = z.object({ name: z.string(), version: z.string() })
const packSchema = z.array(z.object({ filename: z.string(), files: z.array(z.object({ path: z.string() })) }))

const goodConfig = `
[settings]
data_dir = "data"

[service.notes]
command = "node --version"
isolation = "none"

[instances]
notes = ["alice"]
`

let folder = ''
let tarball = ''
let packed: readonly string[] = []
/** Why it could not be installed here; undefined when it is installed. */
let notInstalled: string | undefined

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenement-package-'))
  // As root, tenants are other users: check would rightly say that they cannot enter it.
  await chmod(folder, 0o755)
  const { stdout } = await execa('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: root,
  })
  const [pack] = packSchema.parse(JSON.parse(stdout))
  if (pack === undefined) throw new Error(`npm pack reported no package: ${stdout}`)
  tarball = join(folder, pack.filename)
  packed = pack.files.map((file) => file.path)
  notInstalled = await install()
}, 300_000)

afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

const install = async (): Promise<string | undefined> => {
  const prefix = join(folder, 'empty')
  const options = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--fetch-retries=0']
  const { failed, stderr } = await execa('npm', ['install', '--prefix', prefix, ...options, tarball], {
    cwd: folder,
    reject: false,
  })
  const reason = stderr.split('\n').filter((line) => line.startsWith('npm error'))
  return failed ? `npm could not install the tarball: ${reason.slice(0, 3).join(' ')}` : undefined
}

const tenement = (...args: readonly string[]) =>
  execa(join(folder, 'empty/node_modules/.bin/tenement'), args, { cwd: folder, reject: false })

test('the tarball holds the program and nothing of the tests', () => {
  expect(packed).toContain('dist/cli/main.js')
  expect(packed).toContain('bin/tenement.mjs')
  expect(packed).toContain('LICENSE')
  expect(
    packed.filter(
      (path) =>
        !/^(dist|profiles)\/|^bin\/tenement\.mjs$|^(README|CHANGELOG)\.md$|^LICENSE$|^package\.json$/.test(path),
    ),
  ).toEqual([])
})

test('publint finds nothing to mend in the tarball', async () => {
  const options = { cwd: root, preferLocal: true, reject: false, all: true }
  const { exitCode, all } = await execa('publint', ['--strict', tarball], options)
  expect(all).toContain('All good!')
  expect(exitCode).toBe(0)
})

describe('installed into an empty folder without scripts', () => {
  // Without a network the packages may not be in npm's cache; where that must not happen it is a failure.
  const skipWithout = (skip: (reason: string) => void) => {
    if (notInstalled === undefined) return
    if (process.env.CI) throw new Error(notInstalled)
    skip(notInstalled)
  }

  test('--version prints the version of the package', async ({ skip }) => {
    skipWithout(skip)
    const { version } = packageSchema.parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')))
    const { stdout, exitCode } = await tenement('--version')
    expect({ stdout, exitCode }).toEqual({ stdout: version, exitCode: 0 })
  })

  test('check says of a good config that it is', async ({ skip }) => {
    skipWithout(skip)
    const file = join(folder, 'good.toml')
    await writeFile(file, goodConfig)
    const { stdout, stderr, exitCode } = await tenement('check', '--config', file)
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 })
    expect(stdout).toMatch(/^ok: 1 service, 1 instance in .*good\.toml$/m)
  })

  test('check exits with 2 on a config with a fault, names its key and starts nothing', async ({ skip }) => {
    skipWithout(skip)
    const file = join(folder, 'bad.toml')
    await writeFile(file, goodConfig.replace('command', 'comand'))
    const { all, exitCode } = await execa(
      join(folder, 'empty/node_modules/.bin/tenement'),
      ['check', '--config', file],
      {
        cwd: folder,
        reject: false,
        all: true,
      },
    )
    expect(exitCode).toBe(2)
    expect(all).toContain('service.notes.comand')
    await expect(stat(join(folder, 'data'))).rejects.toThrow('ENOENT')
  })
})
