// Plug-ins that fail in each way there is, all in one config beside a service without one: what each is told for, and that nobody
// else hears of it.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { apps, startTenement, type Tenement } from '../../helpers/tenement.ts'
import { waitUntil } from '../../helpers/waitUntil.ts'

const good = (over: string): string => `
import { descriptorsFor, resourcesOf, umaskFor } from 'tenement/plugin'
export default {
  name: 'fine', apiVersion: 1, capabilities: { 'fd.clean': 'enforced' },
  probe: () => ({ usable: true, lost: [] }),
  prepare: (plan) => ({
    argv: plan.argv, env: plan.env, cwd: plan.cwd, identity: plan.identity, umask: umaskFor(plan.reach),
    directories: [{ path: plan.dataDir, mode: 0o700, owner: 'tenant' }], descriptors: descriptorsFor(plan.reach),
    limits: {}, resources: resourcesOf(plan.limits), depth: 0, reach: plan.reach,
  }),
  ${over}
}`

/** What never goes back to its loop, like `while (true) {}`, and leaves the processor to others. */
const stuck = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)'

interface Bad {
  readonly text: string
  /** What the operator is told. */
  readonly said: RegExp
  readonly keys?: string
}

const refusedAtStart: Readonly<Record<string, Bad>> = {
  'throws-at-import': { text: 'throw new Error("no licence")', said: /its import failed: no licence/ },
  'exits-at-import': { text: 'process.exit(0)', said: /its thread ended/ },
  'loops-at-import': { text: 'while (true) {}', said: /its import did not end within \d+ s/ },
  'waits-at-import': {
    text: 'await new Promise(() => setInterval(() => {}, 1e6))',
    said: /its import did not end within \d+ s/,
  },
  'exports-nothing': { text: 'export const adapter = 1', said: /it exports no adapter by default/ },
  'is-of-version-2': { text: good('apiVersion: 2,'), said: /its apiVersion is 2, and this tenement speaks version 1/ },
  'promises-the-unknown': {
    text: good("capabilities: { 'fs.magic': 'enforced' },"),
    said: /"fs\.magic" is no capability that tenement knows/,
  },
  'has-no-prepare': { text: good('prepare: undefined,'), said: /prepare is no function/ },
  'probes-for-ever': { text: good(`probe: () => { ${stuck} },`), said: /its probe did not answer within \d+ s/ },
  'probes-garbage': { text: good('probe: () => 7,'), said: /its probe answered what is no probe/ },
  'is-privileged': {
    text: good('privileged: true,'),
    said: /starts programs as root, and nothing in the config allows that\n→ write privileged = true in \[isolation\.is-privileged\]/,
  },
  'is-not-privileged': {
    text: good(''),
    keys: 'privileged = true',
    said: /the config calls it privileged\n→ remove privileged/,
  },
}

const failsToStart: Readonly<Record<string, Bad>> = {
  'prepares-garbage': {
    text: good('prepare: () => ({ argv: "ls -l" }),'),
    said: /its prepare returned no launch: argv is not a list/,
  },
  'prepares-functions': { text: good('prepare: () => ({ argv: () => 1 }),'), said: /could not be cloned/ },
  'prepares-for-ever': {
    text: good(`prepare: () => { ${stuck} },`),
    said: /its prepare did not answer within \d+ s/,
  },
  'never-prepares': {
    text: good('prepare: () => new Promise(() => {}),'),
    said: /its prepare did not answer within \d+ s/,
  },
  'exits-in-prepare': { text: good('prepare: () => process.exit(0),'), said: /its thread ended/ },
  'throws-in-prepare': {
    text: good('prepare: () => { throw Object.assign(new Error("no runtime"), { fix: "apt install runtime" }) },'),
    said: /no runtime/,
  },
  'breaks-off-later': {
    text: good('prepare: () => new Promise(() => setTimeout(() => { throw new Error("later") }, 1)),'),
    said: /it broke off: later/,
  },
}

let folder: string
let tenement: Tenement

const serviceLines = (name: string): string => `
[service.${name}]
command = "node app.mjs"
cwd = "${apps}"
isolation = "${name === 'plain' ? 'none' : name}"
data = "{data_dir}/{name}/{id}"
start_timeout = "20s"
`
const pluginLines = ([name, { text, keys = '' }]: readonly [string, Bad]): string => {
  writeFileSync(join(folder, `${name}.mjs`), text)
  return `[isolation.${name}]\nplugin = "${join(folder, `${name}.mjs`)}"\n${keys}\n`
}

beforeAll(async () => {
  folder = mkdtempSync('/tmp/tenement-plugins-')
  chmodSync(folder, 0o755)
  const all = Object.entries({ ...refusedAtStart, ...failsToStart, fine: { text: good(''), said: /./ } })
  const names = ['plain', ...all.map(([name]) => name)]
  tenement = await startTenement({
    // It waits for those that never answer, and some of them use a processor up meanwhile.
    startTimeoutMs: 60_000,
    settings: 'hold_timeout = "8s"',
    config: [
      ...names.map(serviceLines),
      ...all.map(pluginLines),
      '[instances]',
      ...names.map((name) => `${name} = ["a"]`),
    ].join('\n'),
  })
}, 70_000)
afterAll(async () => {
  await tenement?.stop()
  rmSync(folder, { recursive: true, force: true })
})

describe('a service whose plug-in', () => {
  test.each(Object.entries(refusedAtStart))('%s is refused with the reason', async (name, { said }) => {
    const part =
      tenement
        .output()
        .split('\n\n')
        .find((each) => each.includes(`service.${name}.isolation`)) ?? ''
    expect(part).toMatch(said)
    expect(part).toContain('→')
    const { status, headers } = await tenement.ask(`a.${name}.test`)
    expect([status, headers['x-tenement-reason']]).toEqual([503, 'unavailable'])
  })

  test.concurrent.each(Object.entries(failsToStart))(
    '%s is not started, and the log says why',
    async (name, { said }) => {
      const { status, headers } = await tenement.ask(`a.${name}.test`)
      expect([status, headers['x-tenement-delivered']]).toEqual([503, '0'])
      // The longer its thread took to start, the longer a plug-in is waited for (src/plugin/host.ts).
      await waitUntil(() => said.test(tenement.output()), 60_000)
    },
    80_000,
  )
})

test('other services are served meanwhile, those of a good plug-in too', async () => {
  expect((await tenement.ask('a.plain.test')).status).toBe(200)
  expect((await tenement.ask('a.fine.test')).status).toBe(200)
})
