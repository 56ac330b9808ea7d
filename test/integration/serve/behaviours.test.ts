// Programs that behave badly in one way each, on a whole tenement: every request has an outcome, what they leave is ended, and
// the next request finds an instance that was started anew, or is told that it keeps failing. What hostile ones do is in test/attack.
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isAlive, withCommandLine } from '../../helpers/processes.ts'
import { isRoot } from '../../helpers/root.ts'
import { type Answer, apps, startTenement, type Tenement } from '../../helpers/tenement.ts'
import { waitUntil } from '../../helpers/waitUntil.ts'

const accepted = isRoot ? '' : 'accept = ["shared-uid", "no-memory-limit", "no-pids-limit", "no-cpu-limit"]'

interface Program {
  readonly name: string
  readonly command: string
  readonly more?: string
}

/** By which processes of this run can be told from others. */
const mark = `mark-${process.pid}`
const seconds = `86399.${process.pid}`

const programs: readonly Program[] = [
  { name: 'deaf', command: 'node ignores-sigterm.mjs', more: 'idle_timeout = "400ms"\nstop_timeout = "300ms"' },
  { name: 'mute', command: `sleep ${seconds}`, more: 'listen = "port"\nstart_timeout = "300ms"' },
  { name: 'listener', command: 'node listens-then-crashes.mjs', more: 'listen = "port"' },
  { name: 'once', command: 'node crashes-after-one.mjs' },
  { name: 'leaver', command: 'node leaves-by-itself.mjs' },
  { name: 'daemon', command: `node daemonises.mjs ${mark}` },
  {
    name: 'late',
    command: `sh -c 'until test -e "$HOME/go"; do sleep 0.05; done; exec node app.mjs'`,
    more: 'listen = "port"',
  },
]

const configFor = (isolation: string): string => `
${programs
  .map(
    ({ name, command, more = '' }) => `
[service.${name}]
command = ${JSON.stringify(command)}
cwd = "${apps}"
isolation = "${isolation}"
${isolation === 'sandbox' ? accepted : ''}
data = "{data_dir}/{name}/{id}"
${/^listen/m.test(more) ? '' : 'listen = "fd"'}
${more}`,
  )
  .join('\n')}
[instances]
${programs.map(({ name }) => `${name} = ["a"]`).join('\n')}
`

// Without root a port in the instance's own network cannot be reached, so half of the programs could not be asked.
const levels = isRoot ? ['none', 'sandbox'] : ['none']

describe.each(levels)('a program under %s', (isolation) => {
  let tenement: Tenement
  beforeAll(async () => {
    tenement = await startTenement({ config: configFor(isolation) })
  })
  afterAll(async () => {
    await tenement.stop()
  })
  const ask = (name: string, method = 'GET'): Promise<Answer> => tenement.ask(`a.${name}.test`, { method })
  const reasonOf = ({ status, headers }: Answer): string => `${status} ${headers['x-tenement-reason'] ?? 'of its own'}`
  /** Asks each time it has been seen to have ended; what each answer was, up to the one that says it is given up. */
  const untilGivenUp = async (name: string, method: string): Promise<string[]> => {
    const reasons: string[] = []
    while (reasons.at(-1) !== '503 crashloop' && reasons.length < 20) {
      reasons.push(reasonOf(await ask(name, method)))
      await waitUntil(async () => (await tenement.status(`${name}:a`)).phase !== 'ready')
    }
    return reasons
  }

  test.concurrent('that ignores SIGTERM is killed after stop_timeout, and started anew by the next request', async () => {
    const first = await ask('deaf')
    const { pid } = await tenement.status('deaf:a')
    await waitUntil(async () => (await tenement.status('deaf:a')).phase === 'asleep')
    expect(isAlive(pid)).toBe(false)
    expect(await tenement.status('deaf:a')).toMatchObject({ lastExit: { signal: 'SIGKILL' }, restarts: 0 })
    expect([first.status, (await ask('deaf')).status]).toEqual([200, 200])
  })

  test.concurrent('L4 crashloop: that never listens is killed after start_timeout, time and again, and who waited is told', async () => {
    // The first request waits through every start; there is none after the fifth that failed.
    expect(await untilGivenUp('mute', 'GET')).toEqual(['503 crashloop'])
    const { phase, pid, lastStop, restarts } = await tenement.status('mute:a')
    expect({ phase, pid, restarts }).toEqual({ phase: 'crashlooped', pid: null, restarts: 4 })
    expect(lastStop).toMatch(/300ms/)
    expect(withCommandLine(`sleep\0${seconds}`)).toEqual([])
  })

  test.concurrent('that listens and then crashes is given each request once, and is given up after five crashes', async () => {
    const broken = Array.from({ length: 5 }, () => '502 upstream_broke')
    expect(await untilGivenUp('listener', 'POST')).toEqual([...broken, '503 crashloop'])
    expect(await tenement.status('listener:a')).toMatchObject({ pid: null, requests: 5, lastExit: { code: 9 } })
  })

  test.concurrent('that crashes after one request is started for the next, and is given up after five crashes', async () => {
    const answered = Array.from({ length: 5 }, () => '200 of its own')
    expect(await untilGivenUp('once', 'POST')).toEqual([...answered, '503 crashloop'])
    expect(await tenement.status('once:a')).toMatchObject({ pid: null, requests: 5, lastExit: { code: 7 } })
  })

  test.concurrent('that ends with code 0 when nobody uses it is asleep, however often: that is no crash', async () => {
    for (let time = 0; time < 7; time += 1) {
      expect(reasonOf(await ask('leaver'))).toBe('200 of its own')
      await waitUntil(async () => (await tenement.status('leaver:a')).active === 0)
      writeFileSync(join(tenement.root, 'data', 'leaver', 'a', 'leave'), '')
      await waitUntil(async () => (await tenement.status('leaver:a')).phase === 'asleep')
    }
    expect(await tenement.status('leaver:a')).toMatchObject({ restarts: 0, lastExit: { code: 0 } })
  })

  test.concurrent('that goes into the background has ended, and its daemon with it', async () => {
    expect((await untilGivenUp('daemon', 'GET')).at(-1)).toBe('503 crashloop')
    expect(await tenement.status('daemon:a')).toMatchObject({ pid: null, lastExit: { code: 0 } })
    expect(withCommandLine(`in-background\0${mark}`)).toEqual([])
  })

  test.concurrent('that is being woken for a hundred clients answers the one who stays when 99 leave', async () => {
    const clients = Array.from({ length: 99 }, () => connect(tenement.port, '127.0.0.1'))
    for (const client of clients) client.write('GET / HTTP/1.1\r\nHost: a.late.test\r\n\r\n')
    const stays = ask('late')
    const home = join(tenement.root, 'data', 'late', 'a')
    await waitUntil(() => existsSync(home))
    const left = clients.map((client) => once(client, 'close'))
    for (const client of clients) client.destroy()
    await Promise.all(left)
    // When this has been answered, the server has read that they left.
    expect((await tenement.ask('nobody.test')).status).toBe(404)
    expect(await tenement.status('late:a')).toMatchObject({ phase: 'starting', requests: 0 })
    writeFileSync(join(home, 'go'), '')
    expect(await stays).toMatchObject({ status: 200, body: 'hello from late:a' })
    expect(await tenement.status('late:a')).toMatchObject({ active: 0, requests: 1, restarts: 0 })
  })
})
