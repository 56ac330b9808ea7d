// The page that waits, in a real browser before a real tenement. The application starts when the test creates a file.
import { existsSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { browser, type Chromium, type Page, startChromium, testInBrowser } from '../../helpers/chromium.ts'
import { apps, startTenement, type Tenement } from '../../helpers/tenement.ts'
import { waitUntil } from '../../helpers/waitUntil.ts'

let tenement: Tenement
let chromium: Chromium

beforeAll(async () => {
  if (browser === undefined) return
  tenement = await startTenement({
    settings: 'max_running = 1\nhold_timeout = "60s"',
    config: `
[service.slow]
command = "node waits-for-file.mjs"
cwd = "${apps}"
isolation = "none"
data = "{data_dir}/{name}/{id}"
drain_timeout = 0
env = { GATE = "{data_dir}/{name}/{id}/gate" }
[instances]
slow = ["live", "still", "fails", "first", "second", "third"]
`,
  })
  chromium = await startChromium()
}, 90_000)

afterAll(async () => {
  await chromium?.close()
  await tenement?.stop()
})

const urlOf = (id: string, path = '/'): string => `http://${id}.slow.test:${tenement.port}${path}`

const letStart = async (id: string): Promise<void> => {
  const file = join(tenement.root, 'data', 'slow', id, 'gate')
  await waitUntil(() => existsSync(dirname(file)))
  writeFileSync(file, '')
}

const textOf = async (page: Page, id: string): Promise<string> =>
  String(await page.evaluate(`document.getElementById('${id}')?.textContent`))

const titleOf = (page: Page): Promise<unknown> => page.evaluate('document.title')

const isApplication = async (page: Page): Promise<boolean> => (await titleOf(page)) === 'the application'

const scheme = (page: Page, value: 'light' | 'dark') =>
  page.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value }] })

testInBrowser('a browser is shown how a wake goes, and then the application, by one reload', async () => {
  const page = await chromium.newPage()
  await scheme(page, 'light')
  await page.open(urlOf('live', '/?a=1#there'))
  await waitUntil(async () => (await titleOf(page)) === 'Waking up')
  expect(await textOf(page, 'text')).toBe('The application was asleep, and is starting now.')
  const before = await textOf(page, 'time')
  await waitUntil(
    async () => /^\d+ seconds$/.test(await textOf(page, 'time')) && (await textOf(page, 'time')) !== before,
  )
  await page.picture('waiting-light')
  await scheme(page, 'dark')
  await page.picture('waiting-dark')
  expect(page.documents).toHaveLength(1)
  await letStart('live')
  await waitUntil(() => isApplication(page))
  expect(await textOf(page, 'visits')).toBe('1')
  expect(page.documents).toHaveLength(2)
  expect(await page.evaluate('location.href')).toBe(urlOf('live', '/?a=1#there'))
  expect(page.complaints.filter((text) => /polic|exception/i.test(text))).toEqual([])
})
