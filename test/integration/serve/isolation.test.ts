import { afterEach, describe, expect, test } from 'vitest'
import { isAlive } from '../../helpers/processes.ts'
import { isRoot, testAsRoot } from '../../helpers/root.ts'
import { apps, examples, startTenement, type Tenement } from '../../helpers/tenement.ts'
import { waitUntil } from '../../helpers/waitUntil.ts'

/** The notes of the README, with nothing but one word left open. */
const notes = (isolation: string): string => `
[service.notes]
command = "python3 notes.py"
cwd = "${examples}/notes"
isolation = "${isolation}"
health = "/api/notes"
idle_timeout = "600ms"
[service.notes.env]
DATABASE_PATH = "{data_dir}/{id}/notes.db"
[instances]
notes = ["alice", "bob"]
`

const accepted = 'accept = ["shared-uid", "no-memory-limit", "no-pids-limit", "no-cpu-limit"]'

/** One that can be reached without root too. */
const inherited = (isolation: string): string => `
[service.api]
command = "node app.mjs"
cwd = "${apps}"
isolation = "${isolation}"
listen = "fd"
stop_timeout = "1s"
${isolation === 'sandbox' ? accepted : ''}
[instances]
api = ["alice", "bob"]
`

describe('isolation', () => {
  let tenement: Tenement | undefined
  afterEach(async () => {
    await tenement?.stop()
    tenement = undefined
  })
  const start = async (config: string): Promise<Tenement> => {
    tenement = await startTenement({ config })
    return tenement
  }

  const addNote = async (server: Tenement, tenant: string, text: string): Promise<number> => {
    const headers = { 'content-type': 'application/json' }
    const body = JSON.stringify({ text })
    return (await server.ask(`${tenant}.notes.test`, { method: 'POST', path: '/api/notes', headers, body })).status
  }
  const notesOf = async (server: Tenement, tenant: string): Promise<string[]> => {
    const { body } = await server.ask(`${tenant}.notes.test`, { path: '/api/notes' })
    return JSON.parse(body).map(({ text }: { text: string }) => text)
  }

  for (const isolation of ['none', 'namespace', 'sandbox'])
    testAsRoot(`"${isolation}" is one word: the same two tenants write, sleep, and find their own rows`, async () => {
      const server = await start(notes(isolation))
      expect(await addNote(server, 'alice', 'of alice')).toBe(201)
      expect(await addNote(server, 'bob', 'of bob')).toBe(201)
      await waitUntil(async () => (await server.status('notes:alice')).phase === 'asleep')
      expect(await notesOf(server, 'alice')).toEqual(['of alice'])
      expect(await notesOf(server, 'bob')).toEqual(['of bob'])
    })

  for (const isolation of ['namespace', 'sandbox'])
    test(`an instance under "${isolation}" outlives its server with its pid and its attestation`, async () => {
      const server = await start(inherited(isolation))
      expect((await server.ask('alice.api.test', { path: '/whoami' })).status).toBe(200)
      const before = await server.status('api:alice')
      expect(before.attestation.found).toMatchObject({ 'pid.private': expect.stringMatching(/^pid:\[\d+\]$/) })
      process.kill(await server.serverPid(), 'SIGKILL')
      await waitUntil(async () => (await server.ask('alice.api.test', { path: '/whoami' })).status === 200)
      const after = await server.status('api:alice')
      expect([after.pid, after.attestation]).toEqual([before.pid, before.attestation])
      await server.command('stop', 'api:alice')
      expect(isAlive(before.pid)).toBe(false)
    })

  testAsRoot('a runtime sizes itself by its own bounds, which it can read and not lift', async () => {
    const server = await start(`
[service.sized]
command = "node sized.mjs"
cwd = "${apps}"
isolation = "sandbox"
memory_max = "1GB"
[instances]
sized = ["a"]
`)
    const { body } = await server.ask('a.sized.test')
    const { constrained, heapLimit, lifted } = JSON.parse(body)
    expect(constrained).toBe(1024 ** 3)
    // A quarter of the machine's memory would be more on any machine these tests run on.
    expect(heapLimit).toBeLessThan(700 * 1024 ** 2)
    expect(lifted).toMatch(/EROFS|ENOENT/)
  })

  test('what cannot be confined on this machine is refused, and the others run', async ({ skip }) => {
    if (isRoot) skip('as root this machine can confine everything')
    const server = await start(`${inherited('namespace')}
[service.box]
command = "node app.mjs"
cwd = "${apps}"
isolation = "sandbox"
listen = "fd"
data = "{data_dir}/{name}/{id}"
`)
    expect((await server.ask('alice.api.test')).status).toBe(200)
  })
})
