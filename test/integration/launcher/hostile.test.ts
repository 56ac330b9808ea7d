import { spawn } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Launch } from '../../../src/isolation/adapter.ts'
import { type Message, newRunName, startTestLauncher, type TestLauncher } from '../../helpers/launcher.ts'
import { isAlive } from '../../helpers/processes.ts'
import { isRoot, testAsRoot, testAsUser } from '../../helpers/root.ts'
import { waitUntil } from '../../helpers/waitUntil.ts'

describe('a server that was taken over', () => {
  let launcher: TestLauncher
  beforeEach(async () => {
    launcher = await startTestLauncher()
  })
  afterEach(() => launcher.close())

  const data = (...names: string[]): string => join(launcher.root, 'data', ...names)
  const launch = (over: Partial<Launch> & { tenant?: number }, more: Record<string, unknown> = {}): Promise<Message> =>
    launcher.ask({
      type: 'launch',
      run: newRunName(),
      service: 'api',
      id: 'alice',
      launch: launcher.launchOf(over),
      watch: false,
      note: null,
      ...more,
    })
  const refused = (message: string | RegExp): unknown => ({
    type: 'failed',
    code: 'refused',
    message: expect.stringMatching(message),
  })
  const dataDirectory = (path: string, mode = 0o700): Partial<Launch> => ({
    directories: [{ path, mode, owner: 'tenant' }],
  })

  for (const [what, identity, message] of [
    ['uid 0', { uid: 0, gid: 0 }, /outside the tenant range/],
    ['a uid beside the tenant range', { uid: 1000, gid: 1000 }, /outside the tenant range/],
    ['a uid that is no whole number', { uid: 700_001.5, gid: 700_001.5 }, /outside the tenant range/],
    ['a negative uid', { uid: -1, gid: -1 }, /outside the tenant range/],
    ['no uid at all', undefined, /needs a uid of its own/],
  ] as const)
    testAsRoot(`cannot run a program as ${what}`, async () => {
      expect(await launch({ identity })).toEqual(expect.objectContaining(refused(message)))
    })

  test('cannot have a program wait for a tracer that waits at no gate', async () => {
    expect(await launch({}, { isTraced: true })).toEqual(expect.objectContaining(refused(/waits at a gate/)))
    expect(await launch({}, { isTraced: 'yes' })).toEqual(
      expect.objectContaining(refused(/isTraced is not true or false/)),
    )
  })

  testAsRoot('cannot give a tenant the group of another', async () => {
    const uid = launcher.launchOf().identity?.uid ?? 0
    expect(await launch({ identity: { uid, gid: 0 } })).toEqual(
      expect.objectContaining(refused(/gid 0 is not the tenant's own/)),
    )
  })

  testAsRoot('cannot run two instances as one uid', async () => {
    expect(await launch({})).toMatchObject({ type: 'reply' })
    expect(await launch({}, { id: 'bob' })).toEqual(expect.objectContaining(refused(/in use by api:alice/)))
  })

  testAsUser('cannot ask for another uid where there is no root', async () => {
    expect(await launch({ identity: { uid: 0, gid: 0 } })).toEqual(expect.objectContaining(refused(/without root/)))
  })

  test('cannot run one instance twice', async () => {
    expect(await launch({})).toMatchObject({ type: 'reply' })
    expect(await launch({ tenant: 2 })).toEqual(expect.objectContaining(refused(/api:alice is running already/)))
  })

  test.each([['/etc'], ['/'], ['relative'], ['/tmp/../etc']])('cannot start a program in "%s"', async (cwd) => {
    expect(await launch({ cwd })).toEqual(expect.objectContaining(refused(/no directory that programs are started in/)))
  })

  test('cannot make or take a directory outside those for data', async () => {
    for (const path of [
      '/etc/cron.d',
      launcher.policy.stateDir,
      join(data('a'), '..', '..', 'state'),
      data(),
      launcher.policy.runDir,
    ])
      expect(await launch(dataDirectory(path))).toEqual(expect.objectContaining(refused(/is not below/)))
  })

  test('cannot have a directory made set-user-id', async () => {
    expect(await launch(dataDirectory(data('alice'), 0o4755))).toEqual(expect.objectContaining(refused(/mode/)))
  })

  test('is not led out of the data directory by a symlink planted on the way', async () => {
    const target = join(launcher.root, 'target')
    mkdirSync(target)
    symlinkSync(target, data('api'))
    expect(await launch(dataDirectory(data('api', 'alice')))).toEqual(expect.objectContaining(refused(/symlink/)))
    expect(existsSync(join(target, 'alice'))).toBe(false)
    symlinkSync(target, data('bob'))
    expect(await launch(dataDirectory(data('bob')))).toEqual(expect.objectContaining(refused(/symlink/)))
    if (isRoot) expect(statSync(target).uid).toBe(0)
  })

  test('cannot start a program behind a symlink planted in a data directory', async () => {
    mkdirSync(data('alice'))
    const { uid, gid } = launcher.launchOf().identity ?? { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
    chownSync(data('alice'), uid, gid)
    symlinkSync('/etc', data('alice', 'cwd'))
    expect(await launch({ cwd: data('alice', 'cwd') })).toEqual(expect.objectContaining(refused(/symlink/)))
    symlinkSync('/etc/passwd', join(launcher.code, 'file'))
    const descriptors: Launch['descriptors'] = [{ fd: 3, kind: 'path', path: join(launcher.code, 'file') }]
    expect(await launch({ descriptors })).toEqual(expect.objectContaining(refused(/symlink/)))
  })

  testAsRoot('is not given the data directory of another tenant', async () => {
    mkdirSync(data('bob'), { mode: 0o700 })
    const bob = launcher.launchOf({ tenant: 2 }).identity?.uid ?? 0
    chownSync(data('bob'), bob, bob)
    expect(await launch(dataDirectory(data('bob')))).toEqual(expect.objectContaining(refused(/belongs to uid/)))
    expect(lstatSync(data('bob')).uid).toBe(bob)
  })

  test('cannot hand out a path that no service was granted', async () => {
    for (const path of ['/etc/shadow', launcher.policy.stateDir, `${launcher.code}/../state`])
      expect(await launch({ descriptors: [{ fd: 3, kind: 'path', path }] })).toEqual(
        expect.objectContaining(refused(/no path that instances of api are given/)),
      )
  })

  test('cannot have a socket made elsewhere', async () => {
    const socket = join(launcher.policy.runDir, 'control.sock')
    expect(await launch({ descriptors: [{ fd: 3, kind: 'listener', socket }] })).toEqual(
      expect.objectContaining(refused(/not the socket of this run/)),
    )
  })

  test('cannot replace a standard descriptor or ask for one without bound', async () => {
    for (const fd of [0, 2, 64, 1e9, -1])
      expect(await launch({ descriptors: [{ fd, kind: 'content', content: new Uint8Array() }] })).toMatchObject({
        code: 'refused',
      })
  })

  test('cannot signal a process that is no run', async () => {
    const bystander = spawn('/bin/sleep', ['30'], { stdio: 'ignore' })
    try {
      for (const run of [String(bystander.pid), '1', '-1', '000000000fff', '../../etc'])
        expect(await launcher.ask({ type: 'stop', run, signal: 'SIGKILL', timeoutMs: 0 })).toEqual(
          expect.objectContaining(refused(/there is no run/)),
        )
      expect(bystander.exitCode).toBe(null)
      expect(bystander.signalCode).toBe(null)
    } finally {
      bystander.kill()
    }
  })

  test('can send a run no signal but those that end an instance', async () => {
    const run = newRunName()
    expect(await launch({}, { run })).toMatchObject({ type: 'reply' })
    for (const signal of ['SIGSTOP', '9', 'SIGRTMIN', ''])
      expect(await launcher.ask({ type: 'stop', run, signal, timeoutMs: 0 })).toMatchObject({ code: 'refused' })
  })

  test('cannot purge anything but the directory of an instance', async () => {
    const identity = launcher.launchOf().identity
    for (const path of ['/etc', data(), launcher.policy.logDir, data('..', 'state')])
      expect(await launcher.ask({ type: 'purge', path, identity })).toMatchObject({ code: 'refused' })
  })

  testAsRoot('cannot purge as root', async () => {
    mkdirSync(data('alice'))
    expect(await launcher.ask({ type: 'purge', path: data('alice'), identity: { uid: 0, gid: 0 } })).toMatchObject({
      code: 'refused',
    })
    expect(await launcher.ask({ type: 'purge', path: data('alice'), identity: undefined })).toMatchObject({
      code: 'refused',
    })
    expect(existsSync(data('alice'))).toBe(true)
  })

  test('purges a hostile tree whole and follows nothing out of it', async () => {
    const run = newRunName()
    const canary = join(launcher.root, 'canary')
    mkdirSync(canary, { mode: 0o777 })
    chmodSync(canary, 0o777)
    writeFileSync(join(canary, 'keep'), 'kept', { mode: 0o666 })
    const path = data('alice')
    const script = `cd "$D" && ln -s "$C" out && mkdir -p shut/in && touch shut/in/x "$(printf 'a\\nb')" -- -rf && chmod 0 shut && i=0 && while [ $i -lt 200 ]; do mkdir d && cd d; i=$((i+1)); done; echo done`
    await launch(
      { ...dataDirectory(path), argv: ['/bin/sh', '-c', script], env: { PATH: '/usr/bin:/bin', D: path, C: canary } },
      { run },
    )
    expect((await launcher.next(({ type }) => type === 'exited')).exit.lastLines).toEqual(['done'])
    const identity = launcher.launchOf().identity
    expect(await launcher.ask({ type: 'purge', path, identity })).toMatchObject({ value: true })
    expect(existsSync(path)).toBe(false)
    expect(readFileSync(join(canary, 'keep'), 'utf8')).toBe('kept')
    expect(await launcher.ask({ type: 'purge', path, identity })).toMatchObject({ value: false })
  })

  test.each([
    ['nothing', null],
    ['a text', 'launch'],
    ['an unknown type', { type: 'eval', code: '1', request: 999 }],
    ['a launch without fields', { type: 'launch', request: 999 }],
    ['the name of something every object has', { type: 'constructor', request: 999 }],
    [
      'an argv that is no list',
      { type: 'launch', request: 999, run: '0'.repeat(12), service: 'a', id: 'b', launch: { argv: 'sh' } },
    ],
  ])('cannot bring the launcher down with %s', async (_, message) => {
    launcher.send(message)
    expect(await launch({})).toMatchObject({ type: 'reply' })
  })

  for (const [what, message] of [
    ['an answer of Node itself to what was never sent', { cmd: 'NODE_HANDLE_ACK' }],
    ['a handle that nobody asked for', { cmd: 'NODE_HANDLE', type: 'net.Socket' }],
  ] as const)
    test(`cannot end the launcher, and with it every instance, by ${what}`, async () => {
      const { value } = await launch({})
      launcher.send(message)
      // Messages keep their order: the answer shows that the one before it has been taken.
      expect(await launch({ tenant: 2 }, { id: 'bob' })).toMatchObject({ type: 'reply' })
      expect(isAlive(value.pid)).toBe(true)
    })

  test('cannot end the launcher by bytes that are no message: the server alone is replaced', async () => {
    const { value } = await launch({})
    const next = launcher.nextServer()
    // Two bytes are announced, and they are nothing that could be read (Node's framing: a length of four bytes, then the message).
    launcher.send({ type: 'garbage', bytes: '\u0000\u0000\u0000\u0002xx' })
    await next
    expect(launcher.stderr()).toContain('a fault in the launcher: the server is replaced')
    expect(isAlive(value.pid)).toBe(true)
  })

  test('cannot have more kept of a note than its JSON', async () => {
    expect(await launch({}, { note: 'x'.repeat(2_000) })).toMatchObject({ code: 'refused' })
  })

  test('cannot keep tenement from ending', async () => {
    const deaf = await startTestLauncher({ endTimeoutMs: 300 })
    deaf.process.kill('SIGTERM') // its server is told, and never obeys
    await waitUntil(() => deaf.process.exitCode !== null)
    expect(deaf.process.exitCode).toBe(143)
    await deaf.close()
  })

  test('cannot name an instance or a run so that it becomes a path (row 79, blocked)', async () => {
    expect(await launch({}, { service: '../etc' })).toMatchObject({ code: 'refused' })
    expect(await launch({}, { id: 'a/b' })).toMatchObject({ code: 'refused' })
    expect(await launch({}, { run: '../../../tmp' })).toMatchObject({ code: 'refused' })
  })

  test('is a process that can gain no privileges', async () => {
    const { serverPid } = await launcher.next(({ type }) => type === 'hello')
    const status = readFileSync(`/proc/${serverPid}/status`, 'utf8')
    expect(status).toMatch(/^NoNewPrivs:\t1$/m)
  })
})
