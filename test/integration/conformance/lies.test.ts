// Plug-ins that claim what they lack, or do less than every adapter must: `tenement check --plugin` refuses each with the proof that
// failed. All begin with one that passes, so that what is found is what was changed.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ConformanceReport } from '../../../src/conformance/report.ts'
import { testAsRoot } from '../../helpers/root.ts'

const main = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))

/** As isolation "none" is. */
const plain = (change: {
  readonly capabilities?: string
  readonly definition?: string
  readonly launch?: string
  readonly before?: string
}): string => `
import { descriptorsFor, resourcesOf, socketDirectories, umaskFor, withListenPid } from 'tenement/plugin'
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
export default {
  name: 'plain', apiVersion: 1,
  capabilities: { 'fd.clean': 'enforced', ${change.capabilities ?? ''} },
  probe: () => ({ usable: true, lost: [] }),
  prepare: (plan) => {
    ${change.before ?? ''}
    return {
      argv: withListenPid(plan.argv, plan.reach), env: plan.env, cwd: plan.cwd, identity: plan.identity,
      umask: umaskFor(plan.reach),
      directories: [{ path: plan.dataDir, mode: 0o700, owner: 'tenant' }, ...socketDirectories(plan.reach)],
      descriptors: descriptorsFor(plan.reach), limits: {}, resources: resourcesOf(plan.limits), depth: 0, reach: plan.reach,
      ${change.launch ?? ''}
    }
  },
  ${change.definition ?? ''}
}`

let folder: string
beforeAll(() => {
  folder = mkdtempSync('/tmp/tenement-lies-')
  chmodSync(folder, 0o755)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** One way to be reached is enough to show a lie about something else; all three are tried of one that passes. */
const onlyFd = "listens: ['fd'],"

let made = 0
const check = async (text: string) => {
  made += 1
  const file = join(folder, `adapter${made}.mjs`)
  writeFileSync(file, text)
  const { exitCode, stdout, stderr } = await execa(process.execPath, [main, 'check', '--plugin', file, '--json'], {
    reject: false,
  })
  return { exitCode, stdout: stdout === '' ? stderr : stdout, stderr }
}

/** Where nothing was proved, the reason stands in place of the report. */
const reportIn = (stdout: string): ConformanceReport => {
  const report = JSON.parse(stdout)
  if (report.proofs === undefined) throw new Error(`there is no report: ${stdout}`)
  return report
}

const failedOf = (stdout: string): readonly string[] =>
  reportIn(stdout)
    .proofs.filter(({ outcome }) => outcome === 'failed')
    .map(({ about }) => about)

test('a plug-in that keeps what it promises passes', async () => {
  const { exitCode, stdout, stderr } = await check(plain({}))
  expect(stderr).toBe('')
  expect(failedOf(stdout)).toEqual([])
  expect(exitCode).toBe(0)
  const { counts } = reportIn(stdout)
  expect(counts.held).toBeGreaterThan(9)
}, 120_000)

describe('a plug-in fails the proof', () => {
  test('of each promise it makes and does nothing for, and of no other', async () => {
    const broken = ['pid.private', 'fs.privateRoot', 'syscalls.filtered', 'ipc.private', 'env.clean']
    const { exitCode, stdout } = await check(
      plain({
        capabilities: broken.map((name) => `'${name}': 'enforced',`).join(' '),
        definition: onlyFd,
        launch: "env: { ...plan.env, PLUGIN_TOKEN: 'x' },",
      }),
    )
    const failed = reportIn(stdout).proofs.filter(({ outcome }) => outcome === 'failed')
    expect(failed.filter(({ about }) => !broken.includes(about))).toEqual([])
    expect(failed.map(({ about }) => about).sort()).toEqual([...broken].sort())
    expect(exitCode).toBe(3)
  }, 120_000)

  test('of its lifecycle where the stop signal ends at a process in between', async () => {
    const { stdout } = await check(
      plain({
        launch: `argv: ['/bin/sh', '-c', '"$@"; exit', 'sh', ...withListenPid(plan.argv, plan.reach)],`,
        definition: "listens: ['unix'],",
      }),
    )
    const { proofs } = reportIn(stdout)
    const failed = proofs.filter(({ outcome }) => outcome === 'failed')
    expect(failed.map(({ sentence }) => sentence)).toContain('an instance hears its stop signal and ends in order')
  }, 120_000)

  test('of its lifecycle where it starts in another folder', async () => {
    const { stdout } = await check(
      plain({
        launch: `argv: ['/bin/sh', '-c', 'a="$PWD"; cd /; exec "$1" "$a/app.mjs"', 'sh', plan.argv[0]],`,
        definition: "listens: ['unix'],",
      }),
    )
    expect(failedOf(stdout)).toContain('lifecycle')
  }, 120_000)
})

describe('a plug-in cannot be proved', () => {
  test.each([
    ['throws at import', 'throw new Error("no licence")', /its import failed: no licence/],
    ['is not there', undefined, /cannot be opened/],
    ['has another version', plain({ definition: 'apiVersion: 2,' }), /its apiVersion is 2/],
  ])('where it %s: exit code 2', async (_, text, said) => {
    const { exitCode, stderr } =
      text === undefined
        ? await execa(process.execPath, [main, 'check', '--plugin', join(folder, 'gone.mjs')], { reject: false })
        : await check(text)
    expect(stderr).toMatch(said)
    expect(stderr).toMatch(/→|"fix":/)
    expect(exitCode).toBe(2)
  })

  test('where this machine cannot run it: the reason it gives', async () => {
    const { stderr } = await check(
      plain({
        definition: "probe: () => ({ usable: false, lost: [], problem: { reason: 'no runtime', fix: 'get one' } }),",
      }),
    )
    expect(stderr).toMatch(/cannot run here: no runtime","fix":"get one"/)
  })
})

testAsRoot(
  'a plug-in whose programs begin as root and become the tenant passes',
  async () => {
    const launch = `
    privileged: true,
    argv: [
      '/usr/bin/setpriv', '--reuid=' + plan.identity.uid, '--regid=' + plan.identity.gid, '--clear-groups',
      '--inh-caps=-all', '--bounding-set=-all', '--no-new-privs', '--', ...withListenPid(plan.argv, plan.reach),
    ],`
    const definition = `privileged: true, ${onlyFd}`
    const { stdout, exitCode } = await check(
      plain({ capabilities: "'user.perTenantUid': 'enforced',", definition, launch }),
    )
    expect(failedOf(stdout)).toEqual([])
    expect(exitCode).toBe(0)
  },
  90_000,
)

testAsRoot(
  'a plug-in whose instances stay root is attacked by none of them',
  async () => {
    const { stdout, exitCode } = await check(
      plain({
        capabilities: "'user.perTenantUid': 'enforced',",
        definition: `privileged: true, ${onlyFd}`,
        launch: 'privileged: true,',
      }),
    )
    const { proofs } = reportIn(stdout)
    const uid = proofs.find(({ sentence }) => sentence === 'an instance runs as its own uid where tenement is root')
    expect(uid?.because.join()).toMatch(/belongs to uid 0/)
    expect(proofs.find(({ about }) => about === 'user.perTenantUid')).toMatchObject({
      outcome: 'failed',
      because: [expect.stringContaining('nothing was attacked')],
    })
    expect(exitCode).toBe(3)
  },
  90_000,
)
