// What a server that was taken over could try with the parts of a launch that hold, bound and reach an instance.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Launch } from '../../../src/isolation/adapter.ts'
import { type Message, newRunName, startTestLauncher, type TestLauncher } from '../../helpers/launcher.ts'
import { testAsRoot } from '../../helpers/root.ts'

describe('a server that was taken over', () => {
  let launcher: TestLauncher
  beforeEach(async () => {
    launcher = await startTestLauncher()
  })
  afterEach(() => launcher.close())

  const launch = (
    over: Partial<Launch> & { readonly tenant?: number },
    more: Record<string, unknown> = {},
  ): Promise<Message> =>
    launcher.ask({
      ...{ type: 'launch', run: newRunName(), service: 'api', id: 'alice', launch: launcher.launchOf(over) },
      ...{ watch: false, note: null, ...more },
    })

  // Its first process waits at the gate as it should, and its second fills it as soon as the first has been seen.
  testAsRoot('cannot stop the launcher at a gate that is full', async () => {
    const fill = '(sleep 0.5; head -c 100000 /dev/zero >&5) &'
    const wait = `exec ${process.execPath} -e "require('fs').readSync(5, Buffer.alloc(1)); setInterval(() => {}, 1000)"`
    const held: Partial<Launch> = {
      argv: ['/usr/bin/unshare', '--user', '--net', '--pid', '--fork', '/bin/sh', '-c', `${fill} ${wait}`],
      depth: 2,
      descriptors: [{ fd: 5, kind: 'gate' }],
      unreachable: [],
      uplink: ['/bin/sh', '-c', 'sleep 1.5; echo up >&5; sleep 60'],
      reach: { kind: 'port', port: 80, network: 'own' },
    }
    expect(await launch(held)).toMatchObject({ type: 'failed', message: expect.stringMatching(/gate/) })
    expect(await launch({ tenant: 2 }, { id: 'bob' })).toMatchObject({ type: 'reply' })
  })

  test.each([
    ['rtprio', 99],
    ['nice', 40],
    ['memlock', 2 ** 40],
    ['msgqueue', 2 ** 40],
  ] as const)('cannot give an instance a limit on %s that no user has', async (name, value) => {
    expect(await launch({ limits: { [name]: value } })).toMatchObject({
      code: 'refused',
      message: expect.stringContaining(name),
    })
  })

  // Version 1 takes -1 for "without bound".
  test.each([
    ['memoryBytes', -1],
    ['memoryBytes', 0.5],
    ['memoryBytes', 1e300],
    ['processes', 0],
    ['cpus', -1],
    ['cpus', 0],
    ['cpuWeight', -5],
  ])('cannot have a bound on %s that is none: %d', async (name, value) => {
    expect(await launch({ resources: { [name]: value } })).toMatchObject({
      code: 'refused',
      message: expect.stringContaining(name),
    })
  })

  test.each<[string, Partial<Launch>]>([
    ['an argument', { argv: ['/bin/true', 'x'.repeat(131_073)] }],
    ['a variable', { env: { LONG: 'x'.repeat(131_073) } }],
    ['arguments', { argv: ['/bin/true', ...Array.from({ length: 4_096 }, () => 'x')] }],
    ['env', { env: Object.fromEntries(Array.from({ length: 4_097 }, (_, index) => [`V${index}`, ''])) }],
    ['directories', { directories: Array.from({ length: 5_000 }, () => ({ path: '/', mode: 0, owner: 'tenant' })) }],
  ])('cannot have %s without bound kept or made', async (_, over) => {
    expect(await launch(over)).toMatchObject({
      code: 'refused',
      message: expect.stringMatching(/longer than 131072 characters|more than 4096 items/),
    })
  })

  const socketDirectory = (run: string): Launch['directories'] => [
    { path: join(launcher.policy.runDir, 'u', run), mode: 0o2710, owner: 'tenant' },
  ]

  test('cannot have a directory for sockets made for an instance that is reached in another way', async () => {
    const run = newRunName()
    expect(await launch({ directories: socketDirectory(run) }, { run })).toMatchObject({ code: 'refused' })
    expect(readdirSync(join(launcher.policy.runDir, 'u'))).toEqual([])
  })

  test('cannot have a later server look for an instance at the socket of another', async () => {
    const run = newRunName()
    for (const [kind, socket] of [
      ['unix', '/run/docker.sock'],
      ['unix', join(launcher.policy.runDir, 'u', newRunName(), 'app.sock')],
      ['fd', join(launcher.policy.runDir, 's', `${newRunName()}.sock`)],
      ['fd', '/run/docker.sock'],
    ] as const)
      expect(await launch({ reach: { kind, socket } }, { run })).toMatchObject({
        code: 'refused',
        message: expect.stringContaining(socket),
      })
  })

  test('leaves no mount and no directory behind by programs that cannot be started', async () => {
    const run = newRunName()
    const socket = join(launcher.policy.runDir, 'u', run, 'app.sock')
    const over: Partial<Launch> = { directories: socketDirectory(run), reach: { kind: 'unix', socket } }
    expect(await launch({ ...over, argv: ['/no/such/program'] }, { run })).toMatchObject({ type: 'failed' })
    expect(existsSync(join(launcher.policy.runDir, 'u', run))).toBe(false)
    expect(readFileSync(`/proc/${launcher.process.pid}/mountinfo`, 'latin1')).not.toContain(run)
  })
})
