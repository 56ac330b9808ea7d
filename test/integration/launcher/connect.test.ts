import { readdirSync, readlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect } from 'vitest'
import { type Message, newRunName, startTestLauncher, type TestLauncher } from '../../helpers/launcher.ts'
import { greeter, neverAccepts, node, ownNetworkLaunch, ownPort } from '../../helpers/ownNetwork.ts'
import { testAsRoot, testAsUser } from '../../helpers/root.ts'
import { waitUntil } from '../../helpers/waitUntil.ts'

describe('a connection into the network of a run', () => {
  let launcher: TestLauncher
  beforeEach(async () => {
    launcher = await startTestLauncher()
  })
  afterEach(() => launcher.close())

  let tenants = 0
  const launch = (argv: readonly string[], run = newRunName()): Promise<Message> => {
    tenants += 1
    const message = { type: 'launch', run, service: 'api', id: `t${tenants}`, watch: true, note: null }
    return launcher.ask({ ...message, launch: ownNetworkLaunch(launcher, argv, { tenant: tenants % 10 }) })
  }
  const start = async (argv: readonly string[]): Promise<string> => {
    const run = newRunName()
    expect(await launch(argv, run)).toMatchObject({ type: 'reply' })
    await launcher.next(({ type, run: of, lines }) => type === 'output' && of === run && lines.includes('up'))
    return run
  }
  const open = (run: string): Promise<Message> => launcher.ask({ type: 'connect', run })
  /** What the run says over a new connection. */
  const hear = async (run: string): Promise<string> => {
    const { type, request, message } = await open(run)
    expect([type, message]).toEqual(['reply', undefined])
    launcher.send({ type: 'take', of: request })
    return (await launcher.next((each) => each.type === 'taken' && each.of === request)).heard
  }
  /** Sockets and namespaces the launcher has open. */
  const heldByLauncher = (): string[] =>
    readdirSync(`/proc/${launcher.process.pid}/fd`).flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/${launcher.process.pid}/fd/${fd}`)].filter((to) => /^(socket|net):/.test(to))
      } catch {
        return []
      }
    })
  const networkOf = (pid: number | undefined): string => readlinkSync(`/proc/${pid}/ns/net`)

  testAsRoot('reaches what listens there, which the machine does not reach on that port', async () => {
    const run = await start(greeter('from inside'))
    expect(await hear(run)).toBe('from inside')
    const refused = await new Promise<NodeJS.ErrnoException>((resolve) =>
      connect(ownPort, '127.0.0.1')
        .on('error', resolve)
        .on('connect', () => resolve(new Error('connected'))),
    )
    expect(refused.code).toBe('ECONNREFUSED')
  })

  testAsRoot('reaches each of two instances that listen on the same port', async () => {
    const [one, other] = [await start(greeter('one')), await start(greeter('other'))]
    expect(await Promise.all([hear(one), hear(other), hear(one)])).toEqual(['one', 'other', 'one'])
  })

  testAsRoot('is refused with the reason of the kernel where nobody listens', async () => {
    const run = await start(node(`console.log('up'); setTimeout(() => {}, 60_000)`))
    expect(await open(run)).toMatchObject({ type: 'failed', message: expect.stringContaining('ECONNREFUSED') })
  })

  testAsRoot('leaves the launcher in its own network and with nothing open, once the run has ended', async () => {
    const home = networkOf(launcher.process.pid)
    const before = heldByLauncher()
    const run = await start(greeter('hello'))
    for (let each = 0; each < 50; each += 1) expect(await hear(run)).toBe('hello')
    expect(networkOf(launcher.process.pid)).toBe(home)
    await launcher.ask({ type: 'stop', run, signal: 'SIGKILL', timeoutMs: 0 })
    expect(heldByLauncher().filter((each) => !before.includes(each))).toEqual([])
  })

  testAsRoot('that waits in a full queue fails in time and delays nobody else', async () => {
    const [deaf, well] = [await start(neverAccepts()), await start(greeter('well'))]
    const asked = Array.from({ length: 100 }, () => open(deaf))
    const startedAt = performance.now()
    expect(await hear(well)).toBe('well')
    expect(performance.now() - startedAt).toBeLessThan(1_000)
    const answers = await Promise.all(asked)
    const count = (text: string): number => answers.filter(({ message }) => message?.includes(text)).length
    expect(count('did not accept a connection within 2000 ms')).toBe(64)
    expect(count('64 connections wait already')).toBe(answers.filter(({ type }) => type === 'failed').length - 64)
    expect(answers.filter(({ type }) => type === 'reply').length).toBeLessThan(10)
  })

  testAsRoot('that waits in a full queue fails when the run ends', async () => {
    const run = await start(neverAccepts())
    const asked = Array.from({ length: 10 }, () => open(run))
    await Promise.any(asked)
    await launcher.ask({ type: 'stop', run, signal: 'SIGKILL', timeoutMs: 0 })
    expect((await Promise.all(asked)).map(({ message }) => message)).toContain('the run has ended')
  })

  testAsRoot('is refused for a run that has ended, and for one that never was', async () => {
    const run = await start(greeter('hello'))
    await launcher.ask({ type: 'stop', run, signal: 'SIGKILL', timeoutMs: 0 })
    expect(await open(run)).toMatchObject({ type: 'failed', code: 'refused' })
    expect(await open(newRunName())).toMatchObject({ type: 'failed', code: 'refused' })
  })

  testAsRoot('is refused for a run in the network of the machine', async () => {
    const run = newRunName()
    const reach = { kind: 'port', port: ownPort, network: 'own' }
    const message = { type: 'launch', run, service: 'api', id: 'host', watch: true, note: null }
    // A plain program is in the machine's network, whatever is claimed of it.
    const plain = launcher.launchOf({ reach: { kind: 'port', port: ownPort, network: 'own' } })
    expect(await launcher.ask({ ...message, launch: plain })).toMatchObject({ type: 'reply' })
    expect(await open(run)).toMatchObject({ type: 'failed', code: 'refused' })
    // A sandbox that shares it is not made.
    const sandbox = ownNetworkLaunch(launcher, greeter('x'), { tenant: 2 })
    const argv = sandbox.argv.filter((each) => each !== '--unshare-net')
    const shared = { ...message, run: newRunName(), id: 'shared', launch: { ...sandbox, argv, reach } }
    expect(await launcher.ask(shared)).toMatchObject({
      type: 'failed',
      message: 'it has no network of its own',
    })
  })

  testAsRoot('fails when the server reads none of those it asked for, and the launcher goes on', async () => {
    const run = await start(greeter('hello'))
    let refusal: Message | undefined
    for (let each = 0; each < 2_000 && refusal === undefined; each += 1) {
      const answer = await open(run)
      if (answer.type === 'failed') refusal = answer
    }
    expect(refusal?.message).toBe('the server does not take the connections it asks for')
    expect(await launcher.ask({ type: 'note', run, note: 1 })).toMatchObject({ type: 'reply' })
  })

  testAsRoot('goes to the server that came after another, for a run that server had started', async () => {
    const run = await start(greeter('still here'))
    const next = launcher.nextServer()
    launcher.send({ type: 'exit', code: 1 })
    const { runs } = await next
    expect(runs).toMatchObject([{ run, launch: { reach: { network: 'own' } } }])
    expect(await hear(run)).toBe('still here')
  })

  testAsRoot('that is being opened when the server ends is closed, and goes to no later one', async () => {
    const before = heldByLauncher().length
    const run = await start(neverAccepts())
    const filled = Array.from({ length: 6 }, () => open(run).catch(() => undefined))
    await Promise.any(filled)
    const next = launcher.nextServer()
    launcher.send({ type: 'exit', code: 1 })
    await next
    await launcher.ask({ type: 'stop', run, signal: 'SIGKILL', timeoutMs: 0 })
    await waitUntil(() => heldByLauncher().length === before)
  })

  testAsUser('cannot be opened without root, and the launch says so', async () => {
    expect(await launch(greeter('hello'))).toMatchObject({
      type: 'failed',
      message: expect.stringContaining('cannot be entered without root'),
    })
  })
})
