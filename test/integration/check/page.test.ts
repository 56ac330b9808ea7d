// The page of an attack in a real browser, where there is one: that its style is let in by its own policy, that hostile names stay
// text, and that it prints.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { attackPage, type PageData } from '../../../src/cli/page/attackPage.ts'
import { builtinAdapters } from '../../../src/isolation/registry.ts'
import { countsOf } from '../../../src/proof/report.ts'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'headless_shell']
const browser = (process.env.PATH ?? '')
  .split(delimiter)
  .flatMap((folder) => names.map((name) => join(folder, name)))
  .find((path) => existsSync(path))

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tenement-page-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const hostile = `<script>document.title='taken'</script><img src=x onerror="document.title='taken'">`

const page = (): string => {
  const row = { row: '12', sentence: hostile, network: null, outcome: 'stopped', promisedBy: [], because: [] } as const
  const report = { adapter: hostile, usable: true, problem: null, lost: [], startedAtMs: 0, durationMs: 1, rows: [row] }
  const fingerprint = { kernel: '', bubblewrap: '', libseccomp: '', tenement: '', node: '', caller: '', cgroups: '' }
  const data: PageData = {
    machine: 'here',
    adapters: builtinAdapters,
    services: [{ name: hostile, isolation: 'none', exposure: undefined, most: undefined, isBroken: false }],
    proof: {
      ...{ ok: true, startedAtMs: 0, durationMs: 1, builds: [], fingerprint },
      adapters: [{ ...report, counts: countsOf([row]) }],
    },
  }
  return attackPage(data)
}

const open = async (text: string, ...args: readonly string[]) => {
  const file = join(folder, 'page.html')
  writeFileSync(file, text)
  // Its own sandbox refuses root; what it opens here is a page of our own, without a way to the network.
  const usual = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--enable-logging=stderr',
    `--user-data-dir=${folder}/user`,
  ]
  const { stdout, stderr } = await execa(browser ?? '', [...usual, ...args, `file://${file}`], { timeout: 60_000 })
  return { stdout, stderr }
}

const testInBrowser = (name: string, run: () => Promise<void>) =>
  test(name, async ({ skip }) => {
    if (browser === undefined) skip(`none of ${names.join(', ')} is on the PATH`)
    await run()
  }, 120_000)

testInBrowser('a browser refuses nothing of the page, and runs nothing that is written on it', async () => {
  const { stdout, stderr } = await open(page(), '--dump-dom')
  expect(stdout).toContain('<title>How tenants are confined on here</title>')
  expect(stdout).toContain('&lt;script&gt;')
  expect(stderr).not.toMatch(/Refused to|Content Security Policy/)
})

testInBrowser('a browser says so where the style is not the one that the page was made with', async () => {
  const { stderr } = await open(page().replace('<style>', '<style>b{}'), '--dump-dom')
  expect(stderr).toMatch(/Refused to|Content Security Policy/)
})

testInBrowser('the page prints', async () => {
  const file = join(folder, 'page.pdf')
  await open(page(), `--print-to-pdf=${file}`)
  expect(readFileSync(file).subarray(0, 5).toString()).toBe('%PDF-')
})
