// A plug-in in a config that promises what it does not keep: once `check --attack` has found out, its service is refused, and the
// one beside it is not; mended and attacked again, it is served.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newTenantUids } from '../../helpers/tenantUids.ts'

const main = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))
const uids = newTenantUids()

let root: string
beforeAll(() => {
  root = mkdtempSync('/tmp/tenement-test-')
  chmodSync(root, 0o755)
  writeFileSync(
    join(root, 'tenement.toml'),
    `[settings]
data_dir = "${root}/data"
state_dir = "${root}/state"
run_dir = "${root}/run"
log_dir = "${root}/log"
tenant_uids = "${uids.first}-${uids.last}"
[isolation.cage]
plugin = "./cage.mjs"
[service.caged]
command = "sleep 60"
cwd = "/usr"
data = "{data_dir}/{name}/{id}"
isolation = "cage"
[service.plain]
command = "sleep 60"
cwd = "/usr"
data = "{data_dir}/{name}/{id}"
isolation = "none"
`,
  )
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const writePlugin = (capabilities: string): void =>
  writeFileSync(
    join(root, 'cage.mjs'),
    `import { descriptorsFor, resourcesOf, socketDirectories, umaskFor, withListenPid } from 'tenement/plugin'
export default {
  name: 'cage', apiVersion: 1, capabilities: { 'fd.clean': 'enforced', ${capabilities} },
  probe: () => ({ usable: true, lost: [] }),
  prepare: (plan) => ({
    argv: withListenPid(plan.argv, plan.reach), env: plan.env, cwd: plan.cwd, identity: plan.identity,
    umask: umaskFor(plan.reach),
    directories: [{ path: plan.dataDir, mode: 0o700, owner: 'tenant' }, ...socketDirectories(plan.reach)],
    descriptors: descriptorsFor(plan.reach), limits: {}, resources: resourcesOf(plan.limits), depth: 0, reach: plan.reach,
  }),
}`,
  )

const check = async (...args: readonly string[]) => {
  const { exitCode, stdout, stderr } = await execa(
    process.execPath,
    [main, 'check', '--config', join(root, 'tenement.toml'), '--json', ...args],
    { reject: false },
  )
  if (!stdout.startsWith('{')) throw new Error(`no report: ${stdout}${stderr}`)
  const report = JSON.parse(stdout)
  return { exitCode, report, problems: report.problems ?? [] }
}

test('a plug-in whose proof failed is refused until it was mended and proved', async () => {
  writePlugin("'pid.private': 'enforced'")
  expect((await check()).problems).toEqual([])
  expect((await check('--attack', '--isolation', 'cage')).exitCode).toBe(3)

  const { exitCode, problems } = await check()
  expect(problems).toEqual([
    expect.objectContaining({
      ...{ key: 'service.caged.isolation', code: 'unusable_plugin' },
      message: expect.stringMatching(/isolation "cage" cannot be had: its last proof .* of pid\.private/),
      fix: expect.stringMatching(/tenement check --attack/),
    }),
  ])
  expect(exitCode).toBe(3)

  writePlugin('')
  expect((await check()).exitCode).toBe(3)
  expect((await check('--attack', '--isolation', 'cage')).exitCode).toBe(0)
  expect((await check()).problems).toEqual([])
}, 180_000)
