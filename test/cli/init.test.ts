import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { visible } from '../../src/config/problem.ts'
import { isRoot } from '../helpers/root.ts'
import { startTenement } from '../helpers/tenement.ts'
import { type Ended, openCommandLine, type Tenement } from './tenement.ts'

const fixtures = resolve(import.meta.dirname, '../fixtures/init')

let tenement: Tenement
let folder: string

beforeAll(async () => {
  tenement = await openCommandLine()
}, 120_000)
afterAll(async () => {
  await tenement.remove()
})
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenement-init-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

const init = (...args: readonly string[]): Promise<Ended> => tenement.run(['init', ...args], { cwd: folder })
const file = (): string => join(folder, 'tenement.toml')
const written = (): Promise<string> => readFile(file(), 'utf8')
const check = (): Promise<Ended> => tenement.run(['check', '--no-machine'], { cwd: folder })

describe('tenement init', () => {
  it.each([
    ['node', 'guest-book', 'node server.js', []],
    ['python', 'here', 'python3 app.py', []],
    ['flask', 'here', 'python3 -m flask --app app run --host 127.0.0.1 --port {port}', ['python3 -m venv']],
    ['gunicorn', 'here', 'python3 -m gunicorn --bind 127.0.0.1:{port} wsgi:application', []],
    ['uvicorn', 'here', 'python3 -m uvicorn main:api --host 127.0.0.1 --port {port}', ['python3 -m venv']],
    [
      'django',
      'here',
      'python3 -m gunicorn --bind 127.0.0.1:{port} shop.wsgi:application',
      ['python3 -m venv', 'have ALLOWED_HOSTS'],
    ],
    ['go', 'tally', './tally', ['go build -o tally .']],
    ['rust', 'abacus', './target/release/abacus', ['cargo build --release']],
    ['ruby', 'here', 'bundle exec puma -b tcp://127.0.0.1:{port}', ['bundle install']],
    ['php', 'here', 'php -S 127.0.0.1:{port} -t public', []],
  ])('finds the program in a %s folder, and what it writes has no problem', async (kind, name, command, steps) => {
    folder = join(folder, 'here')
    await cp(join(fixtures, kind), folder, { recursive: true })
    const told = await init('--json')
    expect(told).toMatchObject({ code: 0, stderr: '' })
    const report = JSON.parse(told.stdout)
    expect(report).toMatchObject({ written: true, service: name, isolation: 'namespace', file: file() })
    expect(report.command.join(' ')).toBe(command)
    expect(report.steps).toEqual(steps.map((step) => expect.stringContaining(step)))
    expect(await written()).toBe(report.text)
    expect(report.text).toContain(`command = "${command}"`)
    expect(await check()).toMatchObject({ code: 0, stdout: expect.stringMatching(/^ok: 1 service, 2 instances/) })
    folder = resolve(folder, '..')
  })

  it('says what it found, what it wrote and what to do next', async () => {
    await cp(join(fixtures, 'node'), folder, { recursive: true })
    const told = await init('--name', 'book', '--isolation', 'none')
    expect(told).toMatchObject({ code: 0, stderr: '' })
    expect(told.stdout).toBe(
      `found a Node program: package.json starts it with "node server.js"\n` +
        `wrote ${file()}: service "book" with the instances book:alice and book:bob, isolation "none"\n` +
        '→ tenement check, which says whether this machine can run it\n' +
        "→ tenement serve, and in another terminal: curl -H 'Host: alice.book.localhost' localhost:8080/\n",
    )
    expect(await written()).toMatch(/^isolation = "none" /m)
  })

  it('writes what to do next as it was asked itself, by npx', async () => {
    const told = await tenement.run(['init'], { cwd: folder, env: { npm_command: 'exec' } })
    expect(told.stdout).toContain('→ npx tenement check, which')
    expect(told.stdout).toContain('→ npx tenement serve, and')
  })

  it('names what else is there, and a program that does not listen where it is told to', async () => {
    await cp(join(fixtures, 'django'), folder, { recursive: true })
    expect((await init('--dry-run')).stderr).toContain('also there, and not served: Node')
    await rm(join(folder, 'manage.py'))
    await writeFile(join(folder, 'package.json'), '{"main": "index.js"}')
    await writeFile(join(folder, 'index.js'), 'listen(3000)')
    expect((await init()).stdout).toContain('→ index.js does not mention PORT: have it listen on 127.0.0.1:$PORT')
  })

  it('writes one to be filled in where it finds nothing, and that has no problem either', async () => {
    const told = await init()
    expect(told).toMatchObject({ code: 0, stderr: '' })
    expect(told.stdout).toMatch(/^found no program that it knows; .*\nwrote /)
    expect(told.stdout).toContain('→ edit command')
    expect(await written()).toMatch(/^command = .* # EDIT/m)
    expect((await check()).code).toBe(0)
  })

  it('never overwrites a file, nor what a link leads to', async () => {
    await writeFile(file(), '# mine\n')
    const told = await init()
    expect(told).toMatchObject({ code: 1, stdout: '' })
    expect(told.stderr).toMatch(/tenement\.toml" is there already, and is left as it is \(unwritable_config\)\n→ /)
    expect(await written()).toBe('# mine\n')
    await rm(file())
    await symlink(join(folder, 'elsewhere.toml'), file())
    expect((await init()).code).toBe(1)
    await expect(readFile(join(folder, 'elsewhere.toml'))).rejects.toThrow('ENOENT')
  })

  it('prints what it would write with --dry-run, and writes nothing', async () => {
    await cp(join(fixtures, 'go'), folder, { recursive: true })
    const told = await init('--dry-run')
    expect(told.code).toBe(0)
    expect(told.stdout).toContain('[service.tally]')
    expect(told.stderr).toContain('found a Go program')
    await expect(written()).rejects.toThrow('ENOENT')
  })

  it('takes neither a name that is none, nor a folder that is not there, and writes nothing', async () => {
    for (const args of [['--name', 'My Shop'], ['absent']])
      expect(await init(...args)).toMatchObject({ code: 2, stdout: '' })
    await expect(written()).rejects.toThrow('ENOENT')
  })

  it('lets nothing in a folder speak to the terminal', async () => {
    await writeFile(join(folder, 'go.mod'), 'module example.com/shop\n')
    await writeFile(join(folder, '\u001b]0;x\u0007\nmain.go'), 'package main\n')
    await writeFile(join(folder, 'package.json'), '{"scripts": {"start": "x \u009b2J\u202e"}}')
    const { stdout } = await init()
    expect(stdout).toContain('package.json starts it with "x \\u009b2J\\u202e"\n')
    expect(stdout).toBe(visible(stdout))
    expect(stdout).not.toMatch(/^main\.go/m)
  })

  it('lets nothing in a folder become more than a value of the file', async () => {
    await writeFile(
      join(folder, 'package.json'),
      JSON.stringify({
        name: 'x"]\n[settings]\nlisten = 1',
        scripts: { start: 'node "a\n[settings]\nuser = \\"root' },
      }),
    )
    const told = await init('--json')
    expect(told.code).toBe(0)
    expect(JSON.parse(told.stdout).command).toEqual(['npm', 'start'])
    expect((await written()).match(/^\[settings\]/gm)).toHaveLength(1)
    expect((await check()).code).toBe(0)
  })

  it.each(['node', 'python'])(
    'writes a config from which two tenants of a %s program are served, each with its own data',
    async (kind) => {
      const home = join(folder, 'program')
      await mkdir(home)
      await cp(join(fixtures, kind), home, { recursive: true })
      const made = await tenement.run(['init', home, '--name', 'book', '--isolation', 'none'])
      expect(made.code).toBe(0)
      const text = await readFile(join(home, 'tenement.toml'), 'utf8')
      // The directories and the port are the test's own; what is about the program is what was written.
      const config = text
        .slice(text.indexOf('[service.book]'))
        .replace('[service.book]', `[service.book]\ncwd = "${home}"`)
      if (isRoot) await tenement.shell(`chmod -R a+rX ${folder}`)
      const served = await startTenement({ config, settings: '' })
      try {
        expect(await served.ask('alice.book.test', { method: 'POST', path: '/hello' })).toMatchObject({
          status: 200,
          body: 'hello\n',
        })
        expect(await served.ask('bob.book.test')).toMatchObject({ status: 200, body: '' })
        expect(await served.ask('alice.book.test')).toMatchObject({ status: 200, body: 'hello\n' })
      } finally {
        await served.stop()
      }
    },
  )
})
