// A program that confines parts of itself, for real: Chromium, headless, with its own sandbox on, as part of an instance.
import { existsSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { commandLineOf, withCommandLine } from '../../helpers/processes.ts'
import { testAsRoot } from '../../helpers/root.ts'
import { apps, startTenement, type Tenement } from '../../helpers/tenement.ts'
import { waitUntil } from '../../helpers/waitUntil.ts'

const service = (name: string, isolation: string, env = ''): string => `
[service.${name}]
command = "node browser.mjs"
cwd = "${apps}"
data = "{data_dir}/${name}"
response_timeout = "1m"
isolation = ${isolation}
env = { HOME = "{data_dir}/${name}"${env} }
`

const isInstalled = existsSync('/usr/bin/chromium')

/** What the page's script works out. */
const answer = 'six times seven is 42'

const accepted = 'accept = ["shared-uid", "no-memory-limit", "no-pids-limit", "no-cpu-limit"]'

const config = [
  service('nested', '"namespace"\noptions = { nested = true }'),
  service('plain', '"namespace"'),
  service('without', `"sandbox"\n${accepted}`, ', BROWSER_ARGS = "--no-sandbox"'),
  '[instances]',
  ...['nested', 'plain', 'without'].map((name) => `${name} = ["a"]`),
].join('\n')

/** The renderers of one instance's Chromium: each is told the folder of its profile. */
const renderersIn = (profile: string): readonly number[] =>
  withCommandLine(profile).filter((pid) => commandLineOf(pid).includes('--type=renderer'))

const filtersOf = (pid: number): number =>
  Number(/^Seccomp_filters:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])

describe('Chromium in an instance', () => {
  let tenement: Tenement
  beforeAll(async () => {
    if (!isInstalled) return undefined
    tenement = await startTenement({ config })
    return () => tenement.stop()
  })
  beforeEach(({ skip }) => skip(!isInstalled, 'there is no /usr/bin/chromium'))

  const render = async (host: string): Promise<{ code: unknown; stdout: string; stderr: string }> =>
    JSON.parse((await tenement.ask(host, { path: '/render' })).body)

  test('shows a page, and what renders it has namespaces and a filter of its own beside the instance’s', async () => {
    const profile = join(tenement.root, 'data', 'nested', 'profile')
    const rendered = render('a.nested.test')
    await waitUntil(async () => (await tenement.ask('a.nested.test', { path: '/held' })).body === '1', 40_000)
    const { pid } = await tenement.status('nested:a')
    const renderers = renderersIn(profile)
    expect(renderers).not.toEqual([])
    for (const renderer of renderers) {
      expect(filtersOf(renderer)).toBeGreaterThan(filtersOf(pid))
      for (const kind of ['user', 'pid', 'net'])
        expect(readlinkSync(`/proc/${renderer}/ns/${kind}`), kind).not.toBe(readlinkSync(`/proc/${pid}/ns/${kind}`))
    }
    await tenement.ask('a.nested.test', { path: '/release' })
    expect(await rendered).toMatchObject({ code: 0, stdout: expect.stringContaining(answer) })
  }, 90_000)

  test('refuses to run where its service does not say "nested"', async () => {
    const { code, stdout, stderr } = await render('a.plain.test')
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toContain('No usable sandbox')
  }, 90_000)

  testAsRoot(
    'shows the same page within isolation "sandbox" where it is told to confine nothing itself',
    async () => {
      await tenement.ask('a.without.test', { path: '/release' })
      expect(await render('a.without.test')).toMatchObject({ code: 0, stdout: expect.stringContaining(answer) })
    },
    90_000,
  )
})
