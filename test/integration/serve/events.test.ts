// What a whole tenement tells while an instance wakes, serves and ends, and commands that wait for it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { endWithTests } from '../../helpers/endWithTests.ts'
import { apps, startTenement, type Tenement } from '../../helpers/tenement.ts'
import { waitUntil } from '../../helpers/waitUntil.ts'

const main = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))

let tenement: Tenement
beforeAll(async () => {
  tenement = await startTenement({
    config: `
[service.api]
command = "node app.mjs"
cwd = "${apps}"
isolation = "none"
[instances]
api = ["alice", "bob"]
`,
  })
})
afterAll(async () => {
  await tenement.stop()
})

/** A command that goes on, with the lines it has printed so far; there once the first line came. */
const following = async (...args: string[]) => {
  const child = spawn(process.execPath, [main, ...args, '--config', join(tenement.root, 'tenement.toml')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  endWithTests(child)
  const lines: string[] = []
  createInterface({ input: child.stdout }).on('line', (line) => void lines.push(line))
  return {
    lines,
    end: async () => {
      child.kill('SIGINT')
      await once(child, 'exit')
    },
  }
}

/** Makes something happen until somebody is seen to follow. */
const untilFollowed = async (lines: readonly string[]): Promise<void> => {
  await waitUntil(async () => {
    if (lines.length > 0) return true
    await tenement.command('disable', 'api:bob')
    await tenement.command('enable', 'api:bob')
    return lines.length > 0
  })
}

test('every change of phase and every end is told, with why, when and whose', async () => {
  const { lines, end } = await following('events', '--json')
  await untilFollowed(lines)
  const asked = await tenement.ask('alice.api.test', { path: '/whoami' })
  const { pid } = JSON.parse(asked.body)
  await tenement.command('stop', 'api:alice')
  const told = () => lines.map((line) => JSON.parse(line)).filter(({ instance }) => instance === 'api:alice')
  await waitUntil(() => told().some(({ phase }) => phase === 'asleep'))
  await end()
  expect(told().map(({ kind, before, phase }) => (kind === 'end' ? 'end' : `${before} → ${phase}`))).toEqual([
    'asleep → queued',
    'queued → starting',
    'starting → ready',
    'ready → draining',
    'draining → stopping',
    'end',
    'stopping → asleep',
  ])
  for (const event of told().slice(2)) expect(event).toMatchObject({ service: 'api', pid })
  expect(
    told()
      .slice(3)
      .map(({ why }) => why),
  ).toEqual(Array(4).fill('stopped by an operator'))
  const times = told().map(({ at }) => Date.parse(at))
  expect(times).toEqual([...times].sort((one, other) => one - other))
})

test('a person is told of one instance in a line each', async () => {
  const { lines, end } = await following('events', 'api:bob')
  await untilFollowed(lines)
  await tenement.command('wake', 'api:alice')
  await tenement.command('wake', 'api:bob')
  await waitUntil(() => lines.some((line) => line.includes('starting → ready')))
  await end()
  for (const line of lines) expect(line).toMatch(/^\d{4}-\S+Z api:bob \w+ → \w+( pid \d+)?( \(.*\))?$/)
})

test('a script can wait for a phase', async () => {
  await tenement.command('wake', 'api:alice')
  const waiting = tenement.command('wait', 'api:alice', '--for', 'asleep', '--timeout', '20s')
  await tenement.command('stop', 'api:alice')
  expect(await waiting).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^api:alice is asleep after /) })
})

test('waiting ends when its time is over, and says what is the case instead', async () => {
  const told = await tenement.command('wait', 'api:alice', '--for', 'ready', '--timeout', '50ms')
  expect(told).toMatchObject({ exitCode: 1, stdout: '' })
  expect(told.stderr).toMatch(/api:alice was not ready within 50ms: it is asleep \(timed_out\)\n→ /)
  expect((await tenement.command('wait', 'api:alice')).exitCode).toBe(2)
})
