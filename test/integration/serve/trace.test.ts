// A trace from the command line to a profile that is used: what was called can be called, and nothing else.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { endWithTests } from '../../helpers/endWithTests.ts'
import { makeTemporaryDirectory } from '../../helpers/launcher.ts'
import { startTenement, type Tenement } from '../../helpers/tenement.ts'
import { waitUntil } from '../../helpers/waitUntil.ts'

const main = resolve(import.meta.dirname, '../../../dist/cli/main.js')

/** What each path has the application do, beside what every Node program does. */
const app = `
import { createServer } from 'node:http'
import { spawnSync } from 'node:child_process'
import { chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
const deeds = {
  '/own': () => { writeFileSync(process.env.HOME + '/own', ''); chownSync(process.env.HOME + '/own', 1000, 1000) },
  '/unshare': () => spawnSync('/usr/bin/unshare', ['--user', 'true']),
  '/directory': () => mkdirSync(process.env.HOME + '/directory' + Date.now()),
  '/tracer': () => /^TracerPid:\\s+(\\d+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))[1],
}
createServer((req, res) => {
  try { res.end(String(deeds[req.url]?.() ?? 'done')) } catch (error) { res.writeHead(500).end(error.code) }
}).listen(process.env.PORT, '127.0.0.1')
`

describe('a trace', () => {
  let root: string
  let tenement: Tenement
  const config = (seccomp = ''): string => `
[service.api]
command = "node app.mjs"
cwd = "${root}/code"
isolation = "namespace"
options = { nested = true }
env = { UV_USE_IO_URING = "1" }
${seccomp}
[instances]
api = ["alice"]
`
  beforeEach(async () => {
    root = makeTemporaryDirectory()
    mkdirSync(join(root, 'code'))
    writeFileSync(join(root, 'code/app.mjs'), app)
    for (const folder of [root, join(root, 'code')]) chmodSync(folder, 0o755)
    tenement = await startTenement({ root, config: config() })
  })
  afterEach(async () => {
    await tenement.stop()
    rmSync(root, { recursive: true, force: true })
  })

  /** Traces until `use` has been done, then as a person would end it: with ctrl-C. */
  const traced = async (use: () => Promise<unknown>, ...args: readonly string[]) => {
    const child = spawn(process.execPath, [
      main,
      'trace',
      'api:alice',
      '--for',
      '5m',
      ...args,
      '--config',
      join(root, 'tenement.toml'),
    ])
    endWithTests(child)
    const stdout = text(child.stdout)
    let stderr = ''
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString()
    })
    const exit = once(child, 'exit')
    await waitUntil(() => stderr.includes('use it now') || child.exitCode !== null, 30_000)
    await use()
    child.kill('SIGINT')
    const [code] = await exit
    return { code, stdout: await stdout, stderr }
  }
  const ask = (path: string) => tenement.ask('alice.api.test', { path })

  test('proposes a profile of what was called, which then allows that and refuses the rest', async () => {
    const file = join(root, 'alice.json')
    const use = async () => {
      expect(await ask('/own')).toMatchObject({ status: 200 })
      expect(await ask('/unshare')).toMatchObject({ status: 200 })
      expect(Number((await ask('/tracer')).body)).toBe(0) // the tracer is in no namespace of the instance's
    }
    const told = await traced(use, '-o', file, '--json')
    expect(told).toMatchObject({ code: 0, stderr: expect.stringContaining('alice.api.test') })
    expect(await tenement.status('api:alice')).toMatchObject({
      phase: 'asleep',
      blocked: { counts: null, absent: expect.stringContaining('SECCOMP_FILTER_FLAG_LOG') },
    })

    const report = JSON.parse(told.stdout)
    expect(report).toMatchObject({
      instance: 'api:alice',
      base: 'strict',
      ranUnder: 'nested',
      profile: readFileSync(file, 'utf8'),
    })
    const added = Object.fromEntries(report.added.map((call: { name: string }) => [call.name, call]))
    expect(added).toMatchObject({
      chown: { count: 1, danger: null },
      unshare: { count: 1, danger: expect.stringContaining('namespaces') },
    })
    expect(report.refused).toContainEqual(
      expect.objectContaining({ name: 'io_uring_setup', danger: expect.stringContaining('filtered') }),
    )
    const names = (action: string): string[] =>
      JSON.parse(report.profile).syscalls.flatMap((entry: { names: string[]; action: string }) =>
        entry.action === action ? entry.names : [],
      )
    expect(names('SCMP_ACT_ALLOW')).toEqual(expect.arrayContaining(['chown', 'unshare', 'epoll_pwait', 'rt_sigreturn']))
    for (const never of ['mkdir', 'mount', 'symlink', 'io_uring_setup'])
      expect(names('SCMP_ACT_ALLOW')).not.toContain(never)

    expect(await tenement.command('seccomp', 'lint', file)).toMatchObject({
      exitCode: 2,
      stdout: expect.stringMatching(/^syscalls\[\d+\]: unshare /),
    })
    await tenement.stop()
    tenement = await startTenement({ root, config: config(`seccomp = "${file}"`), tenantUids: tenement.tenantUids })
    expect(await ask('/own')).toMatchObject({ status: 200 })
    expect(await ask('/directory')).toMatchObject({ status: 500, body: 'ENOSYS' })
  }, 90_000)

  test('stops one that runs only when it was told to', async () => {
    expect(await ask('/')).toMatchObject({ status: 200 })
    const { pid } = await tenement.status('api:alice')
    const refused = await traced(async () => undefined)
    expect(refused).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/is ready, and a trace begins with the start.*\n→ .*--restart/),
    })
    expect(await tenement.status('api:alice')).toMatchObject({ phase: 'ready', pid })
    const use = async () => expect((await tenement.status('api:alice')).pid).not.toBe(pid)
    const told = await traced(use, '--restart')
    expect(told).toMatchObject({ code: 0, stderr: expect.stringMatching(/api:alice made \d+ calls of \d+ kinds/) })
    expect(JSON.parse(told.stdout)).toMatchObject({ defaultAction: 'SCMP_ACT_ERRNO' })
  }, 90_000)

  test('of a start that fails says so, and leaves nothing held', async () => {
    writeFileSync(join(root, 'code/app.mjs'), 'process.exit(3)')
    const told = await traced(async () => undefined)
    expect(told).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/the traced start of api:alice .*\n→ .*tenement logs api:alice/),
    })
    expect(await tenement.status('api:alice')).toMatchObject({ pid: null })
  }, 60_000)

  test('writes over no file that is there', async () => {
    const file = join(root, 'alice.json')
    writeFileSync(file, 'mine')
    const told = await traced(async () => undefined, '-o', file)
    expect(told).toMatchObject({ code: 2, stderr: expect.stringContaining('is there already') })
    expect(await tenement.status('api:alice')).toMatchObject({ phase: 'asleep', lastStop: null })
    expect([readFileSync(file, 'utf8'), existsSync(file)]).toEqual(['mine', true])
  }, 60_000)
})
