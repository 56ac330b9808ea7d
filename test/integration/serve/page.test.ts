// A browser's request before a whole tenement, on machines without a browser too: the page, what it is told, and what a wake costs whom.
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { apps, startTenement, type Tenement } from '../../helpers/tenement.ts'
import { waitUntil } from '../../helpers/waitUntil.ts'

let tenement: Tenement
beforeAll(async () => {
  tenement = await startTenement({
    settings: 'page_after = "50ms"',
    config: `
[service.slow]
command = "node waits-for-file.mjs"
cwd = "${apps}"
isolation = "none"
data = "{data_dir}/{name}/{id}"
idle_timeout = "500ms"
open = true
env = { GATE = "{data_dir}/{name}/{id}/gate" }
[instances]
slow = ["alice"]
`,
  })
})
afterAll(async () => {
  await tenement.stop()
})

const asBrowser = { accept: 'text/html' }
const wake = '/.well-known/tenement/wake'
const stateOf = async (host: string): Promise<unknown> =>
  JSON.parse((await tenement.ask(host, { path: wake })).body).state

test('L4 waiting page: a browser is shown a page, the wake goes on without it, and what looked on keeps nothing awake', async () => {
  const host = 'alice.slow.test'
  const page = await tenement.ask(host, { headers: asBrowser })
  expect(page.status).toBe(503)
  expect(page.headers).toMatchObject({ 'retry-after': '1', 'x-tenement-reason': 'waking', 'x-tenement-delivered': '0' })
  expect(await stateOf(host)).toBe('starting')
  const program = tenement.ask(host)
  // Open from before it is ready until long after: it ends, and the instance goes to sleep.
  const stream = tenement.ask(host, { path: wake, headers: { accept: 'text/event-stream' } })
  const folder = join(tenement.root, 'data', 'slow', 'alice')
  await waitUntil(() => existsSync(folder))
  writeFileSync(join(folder, 'gate'), '')
  expect((await program).body).toContain('the application')
  expect((await stream).body).toMatch(/"state":"starting"[\s\S]*"state":"done"/)
  await waitUntil(async () => {
    expect(await stateOf(host)).toBe('done')
    return (await tenement.status('slow:alice')).phase === 'asleep'
  })
  expect(await tenement.status('slow:alice')).toMatchObject({ requests: 1, restarts: 0 })
})

test('looking on at an instance that may exist neither wakes it nor brings it into being', async () => {
  expect(await stateOf('stranger.slow.test')).toBe('done')
  const stream = await tenement.ask('stranger.slow.test', { path: wake, headers: { accept: 'text/event-stream' } })
  expect(stream.body).toContain('"state":"done"')
  expect((await tenement.command('ps')).stdout).not.toContain('stranger')
})
