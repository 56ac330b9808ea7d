// The page that waits, in a real browser before a real tenement. The application starts when the test creates a file.
import { once } from 'node:events'
import { existsSync, renameSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { browser, type Chromium, type Page, startChromium, testInBrowser } from '../../helpers/chromium.ts'
import { apps, startTenement, type Tenement } from '../../helpers/tenement.ts'
import { waitUntil } from '../../helpers/waitUntil.ts'

let tenement: Tenement
let chromium: Chromium

const start = (settings = ''): Promise<Tenement> =>
  startTenement({
    startTimeoutMs: 60_000,
    settings,
    config: `
[service.slow]
command = "node waits-for-file.mjs"
cwd = "${apps}"
isolation = "none"
data = "{data_dir}/{name}/{id}"
env = { GATE = "{data_dir}/{name}/{id}/gate" }
[instances]
slow = ["live", "still", "fails", "crashes", "posted", "polled", "first", "second", "third"]
`,
  })

beforeAll(async () => {
  if (browser === undefined) return
  tenement = await start()
  chromium = await startChromium()
}, 120_000)

afterAll(async () => {
  await chromium?.close()
  await tenement?.stop()
})

const urlOf = (id: string, path = '/', { port } = tenement): string => `http://${id}.slow.test:${port}${path}`

/** What the instance waits for, or "crash". */
const letStart = async (id: string, { root } = tenement, text = ''): Promise<void> => {
  const file = join(root, 'data', 'slow', id, 'gate')
  await waitUntil(() => existsSync(dirname(file)), 30_000)
  // Whole at once: the instance looks for it all the time.
  writeFileSync(`${file}.new`, text, { mode: 0o644 })
  renameSync(`${file}.new`, file)
}

/** A question to a browser is dear, and so is one that is busy. */
const eventually = (isSo: () => boolean | Promise<boolean>, deadlineMs = 30_000): Promise<void> =>
  waitUntil(isSo, deadlineMs, 30)

const textOf = async (page: Page, id: string): Promise<string> =>
  String(await page.evaluate(`document.getElementById('${id}')?.textContent`))

const isCalled = (page: Page, title: string): Promise<void> =>
  eventually(async () => (await page.evaluate('document.title')) === title)

const prefer = (page: Page, name: string, value: string) =>
  page.send('Emulation.setEmulatedMedia', { features: [{ name, value }] })

const refusals = ({ complaints }: Page): readonly string[] =>
  complaints.filter((text) => /polic|refused|exception/i.test(text))

testInBrowser('a browser is shown how a wake goes, and then the application, by one reload', async () => {
  const page = await chromium.newPage()
  await prefer(page, 'prefers-color-scheme', 'light')
  await page.open(urlOf('live', '/?a=1#there'))
  await isCalled(page, 'Waking up')
  expect(await textOf(page, 'text')).toBe('The application was asleep, and is starting now.')
  const before = await textOf(page, 'time')
  await eventually(
    async () => /^\d+ seconds$/.test(await textOf(page, 'time')) && (await textOf(page, 'time')) !== before,
  )
  await page.picture('waiting-light')
  await prefer(page, 'prefers-color-scheme', 'dark')
  await page.picture('waiting-dark')
  expect(page.documents).toHaveLength(1)
  await letStart('live')
  await isCalled(page, 'the application')
  expect(await textOf(page, 'visits')).toBe('1')
  expect(page.documents).toHaveLength(2)
  expect(await page.evaluate('location.href')).toBe(urlOf('live', '/?a=1#there'))
  expect(refusals(page)).toEqual([])
})

testInBrowser('a browser without scripts comes to the application too', async () => {
  const page = await chromium.newPage()
  await page.send('Emulation.setScriptExecutionDisabled', { value: true })
  await page.open(urlOf('still'))
  // It has come back once by itself before there is an application.
  await eventually(() => page.documents.length >= 2)
  await isCalled(page, 'Waking up')
  await letStart('still')
  await isCalled(page, 'the application')
  expect(await textOf(page, 'visits')).toBe('1')
})

testInBrowser('an application that fails when it is ready is shown as it is, and not asked again', async () => {
  const page = await chromium.newPage()
  await page.open(urlOf('fails', '/fail'))
  await isCalled(page, 'Waking up')
  await letStart('fails')
  await isCalled(page, 'the application')
  expect(await textOf(page, 'visits')).toBe('1')
  expect(page.documents).toHaveLength(2)
})

testInBrowser('a start that fails is told without a reload, each try and the end of trying', async () => {
  const page = await chromium.newPage()
  await page.open(urlOf('crashes'))
  await isCalled(page, 'Waking up')
  const titles = new Set<unknown>()
  await letStart('crashes', tenement, 'crash')
  await eventually(async () => {
    titles.add(await page.evaluate('document.title'))
    return titles.has('It does not start')
  }, 60_000)
  expect([...titles]).toContain('Trying again')
  expect(page.documents).toHaveLength(1)
  await prefer(page, 'prefers-color-scheme', 'light')
  await page.picture('failed-light')
  // Whoever comes now is told at once, on a page that does not come back by itself.
  await page.open(urlOf('crashes'))
  await isCalled(page, '503 Service Unavailable')
  await page.picture('crashloop-light')
  await prefer(page, 'prefers-color-scheme', 'dark')
  await page.picture('crashloop-dark')
  expect(await page.evaluate('document.querySelector("meta[http-equiv]")?.content')).toBeUndefined()
  expect(refusals(page)).toEqual([])
})

testInBrowser('a form that is sent is held, and never replaced by a page', async () => {
  const [poster, looker] = [await chromium.newPage(), await chromium.newPage()]
  const form = `Object.assign(document.createElement('form'), { method: 'post', action: '${urlOf('posted')}' })`
  await poster.evaluate(`document.body.appendChild(${form}).submit()`)
  await looker.open(urlOf('posted'))
  await isCalled(looker, 'Waking up')
  await eventually(async () => Number.parseInt(await textOf(looker, 'time'), 10) >= 3)
  expect(poster.documents).toEqual([])
  await letStart('posted')
  await isCalled(poster, 'the application')
  expect(await textOf(poster, 'method')).toBe('POST')
  expect(poster.documents).toHaveLength(1)
  await isCalled(looker, 'the application')
  expect(await textOf(looker, 'method')).toBe('GET')
})

testInBrowser('where no events come through, the page asks, and comes to the application by one reload', async () => {
  const page = await chromium.newPage()
  let refused = 0
  page.on('Fetch.requestPaused', ({ requestId, request: asked }) => {
    const isStream = JSON.stringify(asked).includes('text/event-stream')
    refused += isStream ? 1 : 0
    const answer = isStream ? { responseCode: 502 } : {}
    void page.send(isStream ? 'Fetch.fulfillRequest' : 'Fetch.continueRequest', { requestId, ...answer })
  })
  await page.send('Fetch.enable', { patterns: [{ urlPattern: '*/wake' }] })
  await page.open(urlOf('polled'))
  await isCalled(page, 'Waking up')
  await eventually(async () => Number.parseInt(await textOf(page, 'time'), 10) >= 3)
  expect(refused).toBe(1)
  await letStart('polled')
  await isCalled(page, 'the application')
  expect(page.documents).toHaveLength(2)
})

testInBrowser('pages of instances that wait for their turn say so, and are not forgotten', async () => {
  const crowded = await start('max_running = 1\npage_after = "100ms"')
  try {
    const held = request({ port: crowded.port, host: '127.0.0.1', path: '/hold', headers: { host: 'first.slow.test' } })
    held.on('error', () => {}).end()
    await letStart('first', crowded)
    await once(held, 'response')
    const [second, third] = [await chromium.newPage(), await chromium.newPage()]
    await second.open(urlOf('second', '/', crowded))
    await isCalled(second, 'Waiting its turn')
    expect(await textOf(second, 'time')).toBe('Next in line')
    await third.open(urlOf('third', '/', crowded))
    await eventually(async () => (await textOf(third, 'time')) === '1 before it in line')
    await third.picture('queued')
    held.destroy()
    await isCalled(second, 'Waking up')
    await eventually(async () => (await textOf(third, 'time')) === 'Next in line')
    await letStart('second', crowded)
    await isCalled(second, 'the application')
    expect(await third.evaluate('document.title')).toBe('Waiting its turn')
    expect([second.documents.length, third.documents.length]).toEqual([2, 1])
  } finally {
    await crowded.stop()
  }
})
