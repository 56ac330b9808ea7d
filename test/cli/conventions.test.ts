import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { commands } from '../../src/cli/commands.ts'
import { isRoot, testAsRootInTheOpen } from '../helpers/root.ts'
import { instanceStatus, type RunningControl, scriptedOperations, startControl } from '../unit/control/scripted.ts'
import { openCommandLine, type Tenement } from './tenement.ts'

let tenement: Tenement
let control: RunningControl
let env: Readonly<Record<string, string>>

beforeAll(async () => {
  tenement = await openCommandLine()
}, 120_000)
afterAll(async () => {
  await tenement.remove()
})
beforeEach(async () => {
  const many = Array.from({ length: 2_000 }, (_, index) => instanceStatus({ service: 'api', id: `tenant-${index}` }))
  control = await startControl({ operations: scriptedOperations(many) })
  const config = join(control.directory, 'tenement.toml')
  await writeFile(config, '[settings]\nrun_dir = "."\n')
  env = { TENEMENT_CONFIG: config }
})
afterEach(async () => {
  await control.close()
})

describe('the command line', () => {
  it('prints the version of its package', async () => {
    const { version } = JSON.parse(await readFile(resolve(import.meta.dirname, '../../package.json'), 'utf8'))
    expect(await tenement.run(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '' })
  })

  it('lists every command in its help, examples first, on stdout', async () => {
    const told = await tenement.run(['--help'])
    expect(told).toMatchObject({ code: 0, stderr: '' })
    expect(told.stdout).toMatch(/^Examples:\n {2}tenement serve/)
    for (const { name } of commands) expect(told.stdout).toMatch(new RegExp(`^ {2}${name.split(' ')[0]}\\b`, 'm'))
  })

  it.each(commands.map((command) => [command.name, command] as const))(
    'explains %s with its examples first and every option of its own',
    async (name, { examples, summary }) => {
      // The parser's own help command knows no second word.
      const help = await tenement.run(name.includes(' ') ? [...name.split(' '), '--help'] : ['help', name])
      expect(help).toMatchObject({ code: 0, stderr: '' })
      expect(help.stdout.startsWith('Examples:\n')).toBe(true)
      for (const [command] of examples) expect(help.stdout).toContain(`  ${command}`)
      expect(help.stdout.replace(/\s+/g, ' ')).toContain(summary)
      expect(help.stdout).toContain('--config <file>')
    },
  )

  it.each([
    [['pss'], 'Did you mean ps?'],
    [['ps', '--jsno'], 'Did you mean --json?'],
    [['seccomp', 'explain', 'strct'], 'did you mean "strict"?'],
    [['check', '--isolation', 'sanbox'], 'did you mean "sandbox"?'],
    [['explain', 'crashlop'], 'did you mean "crashloop"?'],
    [['completion', 'csh'], 'Allowed choices are bash, zsh, fish'],
    [['status'], 'missing required argument'],
    [['status'], 'how it is written: tenement status --help'],
    [['seccomp', 'diff', 'strict'], 'how it is written: tenement seccomp diff --help'],
    [['status', 'api:carol', 'api:dave'], 'too many arguments'],
    [['config', 'shwo'], 'Did you mean show?'],
    [['--config'], 'argument missing'],
    [[], 'Usage: tenement'],
    [['config'], 'Usage: tenement config'],
  ])('takes %j for a mistake in usage, and says which', async (args, said) => {
    const told = await tenement.run(args)
    expect(told).toMatchObject({ code: 2, stdout: '' })
    expect(told.stderr).toContain(said)
  })

  it('takes its global options before and behind the command', async () => {
    const config = env.TENEMENT_CONFIG ?? ''
    expect((await tenement.run(['--config', config, 'ps', '-q'])).code).toBe(0)
    expect((await tenement.run(['ps', '-q', '--config', config])).code).toBe(0)
  })

  it('says which socket it tried when no server runs, and what to do', async () => {
    await control.close()
    const told = await tenement.run(['ps'], { env: { ...env, TENEMENT_CONFIG: '' } })
    expect(told).toMatchObject({ code: 1, stdout: '' })
    expect(told.stderr).toMatch(
      /^error: no tenement server answers: the socket ".*control\.sock" is not there \(not_running\)\n→ start "tenement serve"/,
    )
  })

  it('ends quietly when its reader has read enough', async () => {
    const told = await tenement.shell('$tenement ps | head -n 1', { env })
    expect(told).toMatchObject({ code: 0, stderr: '' })
    expect(told.stdout).toMatch(/^INSTANCE .*\n$/)
  })

  it('fails when its output cannot be written', async () => {
    const told = await tenement.shell('$tenement ps > /dev/full', { env })
    expect(told.code).toBe(1)
    expect(told.stderr).toContain('cannot write the output')
  })

  it('prints colours on a terminal, and none on a pipe, with --no-color or with NO_COLOR', async () => {
    const args = ['ps', '--phase', 'asleep']
    expect((await tenement.onTerminal(args, '', { env })).stdout).toContain('\u001b[')
    expect((await tenement.run(args, { env })).stdout).not.toContain('\u001b[')
    expect((await tenement.onTerminal([...args, '--no-color'], '', { env })).stdout).not.toContain('\u001b[')
    expect((await tenement.onTerminal(args, '', { env: { ...env, NO_COLOR: '1' } })).stdout).not.toContain('\u001b[')
  })

  it('asks the server without loading the schema or other heavy packages', async () => {
    const heavy = ['zod', 'execa', 'pino', 'undici', 'koffi', '@photostructure/sqlite']
    const loadedBy = async (...args: string[]): Promise<readonly string[]> => {
      const loaded = await packagesLoadedBy(args, env)
      return heavy.filter((name) => loaded.has(name))
    }
    expect(await loadedBy('ps', '-q', 'none-of-these')).toEqual([])
    // One that needs the schema shows that what is loaded is seen.
    expect(await loadedBy('config', 'schema')).toContain('zod')
  })
})

/** From the files that Node loaded, as it lists them for coverage, and from what the bundler says that it put into them. */
const packagesLoadedBy = async (
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Set<string>> => {
  const directory = await mkdtemp(join(tmpdir(), 'tenement-loaded-'))
  try {
    expect(await tenement.run(args, { env: { ...env, NODE_V8_COVERAGE: directory } })).toMatchObject({ code: 0 })
    const reports = await Promise.all((await readdir(directory)).map((name) => readFile(join(directory, name), 'utf8')))
    const urls = reports.flatMap((report): string[] => JSON.parse(report).result.map(({ url }: { url: string }) => url))
    const files = urls.filter((url) => url.startsWith('file:'))
    const texts = await Promise.all(files.map(async (url) => `${url}\n${await readFile(fileURLToPath(url), 'utf8')}`))
    return new Set(texts.flatMap((text) => [...text.matchAll(inPackage)].map(([, name]) => name ?? '')))
  } finally {
    await rm(directory, { recursive: true })
  }
}

/** The place of a module in a package: the file's own, or of one that was bundled into it, at the beginning of a line. */
const inPackage = /^(?:\/\/ |file:.*\/)node_modules\/((?:@[^/\n]+\/)?[^/\n]+)\//gm

describe('tenement check', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tenement-check-'))
    // As root a folder that tenants cannot enter is a problem of its own.
    await chmod(directory, 0o755)
  })
  afterEach(async () => {
    await rm(directory, { recursive: true, force: true })
  })

  const write = (text: string): Promise<void> => writeFile(join(directory, 'tenement.toml'), text)
  const good =
    '[service.api]\ncommand = "sh -c true"\ncwd = "/"\nisolation = "none"\n[instances]\napi = ["carol", "dave"]\n'

  it('prints what there is, and what this machine cannot keep, of a config without problems', async () => {
    await write(good)
    const told = await tenement.run(['check'], { cwd: directory })
    expect(told).toMatchObject({ code: 0, stderr: '' })
    expect(told.stdout).toMatch(
      /^ok: 1 service, 2 instances in .*\/tenement\.toml\n\nISOLATION +STATE +FINDING\nnone +ok +can run, /,
    )
    expect(told.stdout).toMatch(
      /\n\nSERVICE +EXPOSURE +STATE +FINDING\napi +\d\.\d +ok +asks nothing of isolation "none"/,
    )
    expect(told.stdout.includes('user.perTenantUid is lost')).toBe(!isRoot)
  })

  it('says how exposed a service is, by what, and exits with 3 where that is more than it may be, unless it asks nothing of the machine', async () => {
    await write(good)
    const plain = await tenement.run(['check'], { cwd: directory })
    expect(plain.stdout).not.toContain('POINTS')
    const listed = await tenement.run(['check', '--exposure'], { cwd: directory })
    expect(listed).toMatchObject({ code: 0, stderr: '' })
    expect(listed.stdout).toMatch(
      /^api is exposed by \d\.\d of 10: high\nPOINTS +OF +AN INSTANCE\n\d\.\d\d +\d\.\d\d +\w/m,
    )
    const [, score = ''] = /api is exposed by (\S+) of/.exec(listed.stdout) ?? []
    await write(`[settings]\nmax_exposure = ${score}\n${good}`)
    expect((await tenement.run(['check'], { cwd: directory })).code).toBe(0)
    await write(`[settings]\nmax_exposure = ${(Number(score) - 0.1).toFixed(1)}\n${good}`)
    const refused = await tenement.run(['check'], { cwd: directory })
    expect(refused.code).toBe(3)
    expect(refused.stdout).toMatch(/^service\.api is exposed by .* more than settings\.max_exposure = /m)
    expect(refused.stdout).toMatch(/^→ (set|start) .*; "tenement check --exposure" lists all of it$/m)
    const elsewhere = await tenement.run(['check', '--no-machine', '--exposure'], { cwd: directory })
    expect(elsewhere).toMatchObject({ code: 0, stderr: '' })
  })

  testAsRootInTheOpen('says to an ordinary user what is lost without root, and what to do', async () => {
    await write(good)
    for (const folder of [tenement.home, directory]) await chmod(folder, 0o755)
    const asNobody = 'setpriv --reuid=65534 --regid=65534 --clear-groups'
    const told = await tenement.shell(`${asNobody} $tenement check`, { cwd: directory })
    expect(told).toMatchObject({ code: 0, stderr: '' })
    expect(told.stdout).toMatch(/^ +warn +user\.perTenantUid is lost: without root .*\n +→ start tenement as root$/m)
  })

  it('exits with 3 when the config is right and this machine cannot run it, and asks nothing of the machine when told not to', async () => {
    await write(good.replace('sh -c true', 'no-such-program'))
    const told = await tenement.run(['check'], { cwd: directory })
    expect(told.code).toBe(3)
    expect(told.stdout).toContain('service.api.command  unsupported_machine')
    expect(told.stdout).toMatch(/^ +fail +told above: service\.api\.command$/m)
    const elsewhere = await tenement.run(['check', '--no-machine'], { cwd: directory })
    expect(elsewhere).toMatchObject({ code: 0, stderr: '' })
    expect(elsewhere.stdout).not.toContain('ISOLATION')
    const served = await tenement.run(['serve'], { cwd: directory })
    expect(served).toMatchObject({ code: 3, stdout: '' })
    expect(served.stderr).toContain('nothing was started')
  })

  it('says without any config what this machine can do', async () => {
    const told = await tenement.run(['check'], { cwd: directory })
    expect(told.code).toBe(0)
    expect(told.stdout).toMatch(/^ISOLATION +STATE +FINDING\nnone +ok +can run, /)
    expect(told.stderr).toMatch(/^there is no config: looked for .*\n→ "tenement init" writes one/)
    const report = JSON.parse((await tenement.run(['check', '--json'], { cwd: directory })).stdout)
    expect(report).toMatchObject({
      file: null,
      adapters: expect.arrayContaining([expect.objectContaining({ name: 'none' })]),
    })
    expect(await tenement.run(['check', '--no-machine'], { cwd: directory })).toMatchObject({ code: 2, stdout: '' })
    expect((await tenement.run(['check', '--config', 'gone.toml'], { cwd: directory })).code).toBe(2)
  })

  it('asks one isolation alone, and knows which there are', async () => {
    const told = await tenement.run(['check', '--isolation', 'none', '--json'], { cwd: directory })
    expect(told.code).toBe(0)
    expect(JSON.parse(told.stdout).adapters).toMatchObject([{ name: 'none' }])
    const unknown = await tenement.run(['check', '--isolation', 'nonne'], { cwd: directory })
    expect(unknown).toMatchObject({ code: 2, stdout: '' })
    expect(unknown.stderr).toMatch(
      /there is no isolation "nonne" .*\n→ did you mean "none"\? there are: none, namespace, sandbox/,
    )
    const both = await tenement.run(['check', '--isolation', 'none', '--no-machine'], { cwd: directory })
    expect(both).toMatchObject({ code: 2, stdout: '' })
  })

  it('prints every problem with its place, and exits with 2', async () => {
    await write(
      `${good}api2 = 3\n[service.web]\ncommand = "no-such-program"\nisolation = "none"\ndata = "{data_dir}/web/{id}"\n`,
    )
    const told = await tenement.run(['check'], { cwd: directory })
    expect(told.code).toBe(2)
    expect(told.stdout).toMatch(/^tenement\.toml:7 {2}instances\.api2 {2}invalid_config$/m)
    expect(told.stdout).toContain('"no-such-program"')
    expect(told.stderr).toMatch(/^\d problems in .*; nothing was started\n$/)
  })

  it('tells programs the same keys whether there are problems or not', async () => {
    await write(good)
    const sound = JSON.parse((await tenement.run(['check', '--json'], { cwd: directory })).stdout)
    expect(sound).toMatchObject({ ok: true, services: 1, instances: 2, hosts: 0, problems: [] })
    await write('[service')
    const told = await tenement.run(['check', '--json'], { cwd: directory })
    const broken = JSON.parse(told.stdout)
    expect(told.code).toBe(2)
    expect(broken).toMatchObject({ ok: false, problems: [{ code: 'invalid_config', line: 1 }] })
    expect(Object.keys(broken)).toEqual(Object.keys(sound))
  })

  it('is what serve does first: a config with a problem starts nothing', async () => {
    await write(good.replace('none', 'nonne'))
    const told = await tenement.run(['serve'], { cwd: directory })
    expect(told).toMatchObject({ code: 2, stdout: '' })
    expect(told.stderr).toContain('did you mean "none"?')
    expect(told.stderr).toContain('nothing was started')
  })

  it('prints the effective config without secrets, and the schema of the file', async () => {
    await write(`${good}[service.api.env]\nTOKEN = "very-secret"\n`)
    const shown = await tenement.run(['config', 'show'], { cwd: directory })
    expect(shown).toMatchObject({ code: 0, stderr: '' })
    expect(shown.stdout).toContain('TOKEN = "(hidden)"')
    const open = await tenement.run(['config', 'show', '--show-env'], { cwd: directory })
    expect(open.stdout).toContain('TOKEN = "very-secret"')
    const schema = await tenement.run(['config', 'schema'], { cwd: directory })
    expect(JSON.parse(schema.stdout)).toMatchObject({ type: 'object', properties: { service: {} } })
  })

  it('finds the problems of a config that is to be shown', async () => {
    await write('[settings]\nlisen = 1\n')
    const told = await tenement.run(['config', 'show'], { cwd: directory })
    expect(told).toMatchObject({ code: 2, stdout: '' })
    expect(told.stderr).toMatch(/tenement\.toml:2 {2}settings\.lisen {2}invalid_config/)
  })
})
