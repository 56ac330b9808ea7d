// The page of an attack in a real browser, where there is one: that its style is let in by its own policy, that hostile names stay
// text, that nothing of it is wider than a telephone, and that it prints.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { attackPage, type PageData } from '../../../src/cli/page/attackPage.ts'
import { builtinAdapters } from '../../../src/isolation/registry.ts'
import { countsOf } from '../../../src/proof/report.ts'
import { browser, type Chromium, type Page, startChromium, testInBrowser } from '../../helpers/chromium.ts'
import { waitUntil } from '../../helpers/waitUntil.ts'

let folder: string
let chromium: Chromium
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tenement-page-'))
  if (browser !== undefined) chromium = await startChromium()
}, 120_000)
afterAll(async () => {
  await chromium?.close()
  rmSync(folder, { recursive: true, force: true })
})

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

/** Resolves when all of it was read. */
const open = async (name: string, text: string): Promise<Page> => {
  const file = join(folder, `${name}.html`)
  writeFileSync(file, text)
  const opened = await chromium.newPage()
  await opened.open(`file://${file}`)
  await waitUntil(async () => (await opened.evaluate('document.readyState')) === 'complete', 30_000)
  return opened
}

const isPolicy = (complaint: string): boolean => /Refused to|Content Security Policy/.test(complaint)

testInBrowser('a browser refuses nothing of the page, and runs nothing that is written on it', async () => {
  const opened = await open('whole', page())
  expect(await opened.evaluate('document.title')).toBe('How tenants are confined on here')
  expect(await opened.evaluate('document.body.textContent')).toContain(hostile)
  expect(await opened.evaluate('document.querySelectorAll("script, img").length')).toBe(0)
  expect(opened.complaints.filter(isPolicy)).toEqual([])
  await opened.picture('report')
})

testInBrowser('a browser says so where the style is not the one that the page was made with', async () => {
  const opened = await open('restyled', page().replace('<style>', '<style>b{}'))
  await waitUntil(() => opened.complaints.some(isPolicy))
})

testInBrowser('the page fits the width of a telephone', async () => {
  const opened = await open('narrow', page())
  const telephone = { width: 360, height: 740, deviceScaleFactor: 1, mobile: false }
  await opened.send('Emulation.setDeviceMetricsOverride', telephone)
  await waitUntil(async () => (await opened.evaluate('innerWidth')) === 360)
  expect(await opened.evaluate('document.documentElement.scrollWidth')).toBe(
    await opened.evaluate('document.documentElement.clientWidth'),
  )
  await opened.picture('report-narrow')
})

testInBrowser('the page prints', async () => {
  const opened = await open('printed', page())
  const { data } = await opened.send('Page.printToPDF')
  expect(Buffer.from(String(data), 'base64').subarray(0, 5).toString()).toBe('%PDF-')
})
