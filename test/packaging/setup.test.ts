// The set-up that `npm start` and `npm test` begin with, run in small checkouts of its own: the scripts and settings of this
// one, a source file for each program, and a link to the packages that are installed already.
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { afterEach, beforeEach, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const copied = ['bin', 'scripts', 'package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json', '.npmrc']

let checkout = ''

beforeEach(async () => {
  checkout = await mkdtemp(join(tmpdir(), 'tenement-checkout-'))
  for (const name of copied) await cp(join(root, name), join(checkout, name), { recursive: true })
  await symlink(join(root, 'node_modules'), join(checkout, 'node_modules'))
  for (const folder of ['src/cli', 'src/launcher']) await mkdir(join(checkout, folder), { recursive: true })
  await write('src/cli/main.ts', 'export const answer: number = 42\n')
  for (const program of ['launcher/main', 'serve']) await write(`src/${program}.ts`, 'export const part = 1\n')
})

afterEach(async () => {
  await rm(checkout, { recursive: true, force: true })
})

const write = (path: string, text: string) => writeFile(join(checkout, path), text)
const read = (path: string) => readFile(join(checkout, path), 'utf8')

const setUp = (env: Readonly<Record<string, string>> = {}, umask = '022') =>
  execa('sh', ['-c', `umask ${umask}; exec node scripts/setup.mjs build`], { cwd: checkout, env, reject: false })

test('a second set-up does nothing and says nothing', async () => {
  expect((await setUp()).stderr).toBe('setup: building')
  const built = await stat(join(checkout, 'dist/cli/main.js'))
  const { stderr, exitCode } = await setUp()
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 })
  expect((await stat(join(checkout, 'dist/cli/main.js'))).ino).toBe(built.ino)
})

test('npx finds the command in a checkout: what to do before it is built, and what is built from then on', async () => {
  // Packages linked one by one: the folder they lie in is this checkout's own.
  await rm(join(checkout, 'node_modules'))
  await mkdir(join(checkout, 'node_modules'))
  const installed = (await readdir(join(root, 'node_modules'))).filter((name) => name !== '.bin')
  for (const name of installed) await symlink(join(root, 'node_modules', name), join(checkout, 'node_modules', name))
  await write('src/cli/main.ts', "#!/usr/bin/env node\nconsole.log('found')\n")
  const askNpx = () =>
    execa('npx', ['--offline', 'tenement'], { cwd: checkout, env: { HOME: checkout }, reject: false })
  expect(await askNpx()).toMatchObject({
    exitCode: 1,
    stderr: `error: tenement is not built in ${checkout}/\n→ run npm start there, or npm run build`,
  })
  await setUp()
  expect((await askNpx()).stdout).toBe('found')
}, 90_000)

test('two set-ups at the same time build once', async () => {
  const both = await Promise.all([setUp(), setUp()])
  const lines = both.flatMap(({ stderr }) => stderr.split('\n'))
  expect(both.map(({ exitCode }) => exitCode)).toEqual([0, 0])
  expect(lines.filter((line) => line === 'setup: building')).toHaveLength(1)
})

test('what is built can be read by others, whatever the umask of whoever builds it', async () => {
  await setUp({}, '077')
  for (const path of ['dist', 'dist/cli', 'dist/cli/main.js', 'dist/programs', 'dist/programs/cli.js']) {
    expect((await stat(join(checkout, path))).mode & 0o044).toBe(0o044)
  }
})

test('a build that others cannot read is made again', async () => {
  for (const path of ['dist/cli/main.js', 'dist/programs/cli.js']) {
    await setUp()
    await chmod(join(checkout, path), 0o600)
    expect((await setUp()).stderr).toBe('setup: building')
  }
})

test('a build is made again with other packages, which are in it', async () => {
  await setUp()
  await write('package-lock.json', `${await read('package-lock.json')}\n`)
  expect((await setUp()).stderr).toBe('setup: building')
})

test('a program is one file with all it imports, which finds other files of the build as before', async () => {
  await write('src/place.ts', "export const place = new URL('cli/other.js', import.meta.url)\n")
  await write('src/cli/other.ts', "console.log('the other file')\n")
  const main = [
    "import { place } from '../place.ts'",
    'await import(place.href)',
    "console.log(place.href === new URL('other.js', import.meta.url).href)",
  ]
  await write('src/cli/main.ts', `${main.join('\n')}\n`)
  expect((await setUp()).stderr).toBe('setup: building')
  await rm(join(checkout, 'dist/place.js'))
  expect((await execa(process.execPath, [join(checkout, 'dist/cli/main.js')])).stdout).toBe('the other file\ntrue')
})

test('a program that asks for its own place in words that bundling cannot follow is not built', async () => {
  await write('src/cli/main.ts', 'console.log(import.meta.url)\n')
  const { stderr, exitCode } = await setUp()
  expect(exitCode).toBe(1)
  expect(stderr).toContain("cli/main.js uses import.meta.url, but not as new URL('…', import.meta.url)")
})

test('nothing stays in dist of a source file that is gone', async () => {
  await write('src/cli/old.ts', 'export const old = true\n')
  await setUp()
  expect(await read('dist/cli/old.js')).toContain('old')
  await rm(join(checkout, 'src/cli/old.ts'))
  await setUp()
  await expect(read('dist/cli/old.js')).rejects.toThrow('ENOENT')
})

test('sources that do not compile leave the last good build in place, and are named', async () => {
  await setUp()
  await write('src/cli/main.ts', 'export const answer: number = "no"\n')
  const { stderr, exitCode } = await setUp()
  expect(exitCode).toBe(1)
  expect(stderr).toContain('src/cli/main.ts')
  expect(await read('dist/programs/cli.js')).toContain('42')
})

test('a lockfile that asks for another version is noticed, and a failing npm is quoted with the command to run', async () => {
  const lock = await read('package-lock.json')
  await write('package-lock.json', lock.replace(/("node_modules\/zod": \{\s*"version": )"[^"]+"/, '$1"0.0.1"'))
  await write('npm-cli.js', "console.error('npm error no network here'); process.exit(1)\n")
  const { stderr, exitCode } = await setUp({ npm_execpath: join(checkout, 'npm-cli.js') })
  expect(exitCode).toBe(1)
  expect(stderr).toContain('npm error no network here')
  expect(stderr).toContain(`cd ${checkout} && npm install --no-save`)
})

test('a test run ends with its counts, where a file that cannot be loaded is a failure', async () => {
  await mkdir(join(checkout, 'test'))
  await write('vitest.config.ts', "export default { test: { include: ['test/*.test.ts'] } }\n")
  await write(
    'test/some.test.ts',
    "import { expect, test } from 'vitest'\ntest('passes', () => expect(1).toBe(1))\ntest.skip('waits', () => {})\n",
  )
  const run = () => execa('node', ['scripts/test.mjs', 'test'], { cwd: checkout, reject: false })
  const good = await run()
  expect({ last: good.stdout.split('\n').at(-1), exitCode: good.exitCode }).toEqual({
    last: '1 passed, 0 failed, 1 skipped',
    exitCode: 0,
  })
  await write('test/broken.test.ts', "throw new Error('cannot be loaded')\n")
  const bad = await run()
  expect({ last: bad.stdout.split('\n').at(-1), exitCode: bad.exitCode }).toEqual({
    last: '1 passed, 1 failed, 1 skipped',
    exitCode: 1,
  })
})
