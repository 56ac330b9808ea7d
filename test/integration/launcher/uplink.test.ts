import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Launch } from '../../../src/isolation/adapter.ts'
import { unreachableFor } from '../../../src/isolation/unreachable.ts'
import { type Message, newRunName, startTestLauncher, type TestLauncher } from '../../helpers/launcher.ts'
import { connectNetworks, inNetworkOf, linkLocalOf, makeNetwork, type TestNetwork } from '../../helpers/networks.ts'
import { ownNetworkLaunch, prober } from '../../helpers/ownNetwork.ts'
import { cgroupsOf, commandLineOf, withUid } from '../../helpers/processes.ts'
import { isRoot } from '../../helpers/root.ts'
import { waitUntil } from '../../helpers/waitUntil.ts'

const pasta = '/usr/bin/pasta'
const addresses = ['-I', 'eth0', '-a', '192.0.0.5', '-n', '30', '-g', '192.0.0.6', '-a', '100::2', '-g', '100::1']
const nothingBack = ['--no-map-gw', '-t', 'none', '-u', 'none', '-T', 'none', '-U', 'none']
const descriptors = ['-P', '/proc/self/fd/5', '--netns', '/proc/self/fd/3', '--userns', '/proc/self/fd/4']
const argv: Launch['argv'] = [
  ...([pasta, '--config-net', '-f', '-q'] as const),
  ...[...nothingBack, ...addresses, '--no-dhcp', '--no-dhcpv6', '--no-ra', ...descriptors],
]

const testHere = (name: string, run: () => Promise<void>) =>
  test(name, async ({ skip }) => {
    if (!isRoot) skip('only root may enter the network of an instance')
    if (!existsSync(pasta)) skip('pasta (Debian: passt) is not installed')
    await run()
  })

/** Everything the launcher finds under /dev/net/tun and /etc/resolv.conf is as on a machine with udev and a resolver elsewhere. */
const ownFiles = (folder: string): string[] => [
  ...['/usr/bin/unshare', '--mount', '--propagation', 'slave', 'sh', '-c'],
  `set -e; mount -t tmpfs none ${folder}; mknod -m 666 ${folder}/tun c 10 200; mount --bind ${folder}/tun /dev/net/tun; exec "$@"`,
  'sh',
]

/** Whether a process is the one that leads out. */
const isPasta = (pid: number): boolean => commandLineOf(pid).startsWith(pasta)

describe('a run whose network leads out', () => {
  let machine: TestNetwork
  let far: TestNetwork
  let folder: string
  let launcher: TestLauncher
  beforeAll(async () => {
    if (!isRoot) return
    machine = await makeNetwork()
    far = await makeNetwork()
    await connectNetworks(
      { pid: machine.pid, name: 'eth0', addresses: ['198.51.100.2/24', '2001:db8:1::2/64'] },
      { pid: far.pid, name: 'far0', addresses: ['198.51.100.1/24', '2001:db8:1::1/64'] },
    )
    for (const address of ['203.0.113.10/32', '169.254.169.254/32', '10.1.2.3/32', '100.100.100.200/32'])
      far.ip('address', 'add', address, 'dev', 'lo')
    for (const address of ['2001:db8:2::10/128', 'fd00:ec2::254/128']) far.ip('address', 'add', address, 'dev', 'lo')
    machine.ip('route', 'add', 'default', 'via', '198.51.100.1')
    machine.ip('-6', 'route', 'add', 'default', 'via', '2001:db8:1::1')
    await far.listen(80, 'far')
    await far.listen(53, 'resolver')
    await machine.listen(7_777, 'machine')
    folder = mkdtempSync(join(tmpdir(), 'tenement-uplink-'))
  })
  afterAll(() => {
    if (!isRoot) return
    machine.close()
    far.close()
    rmSync(folder, { recursive: true, force: true })
  })
  beforeEach(async () => {
    if (!isRoot) return
    launcher = await startTestLauncher({ within: [...inNetworkOf(machine.pid), ...ownFiles(folder)] })
  })
  afterEach(async () => {
    if (isRoot) await launcher.close()
  })

  let run = ''
  const launch = (over: Partial<Launch>): Promise<Message> => {
    run = newRunName()
    const message = { type: 'launch', run, service: 'api', id: 'alice', watch: true, note: null }
    return launcher.ask({ ...message, launch: ownNetworkLaunch(launcher, prober(), { uplink: argv, ...over }) })
  }
  const start = async (over: Partial<Launch> = {}): Promise<void> => {
    const { type, message } = await launch({ unreachable: unreachableFor({}), ...over })
    expect([type, message]).toEqual(['reply', undefined])
    await launcher.next((each) => each.type === 'output' && each.lines.includes('up'))
  }
  const tryFrom = async (target: string): Promise<string> => {
    const { request } = await launcher.ask({ type: 'connect', run })
    launcher.send({ type: 'take', of: request, say: `${target}\n` })
    return (await launcher.next((each) => each.type === 'taken' && each.of === request)).heard
  }
  const tenant = (): number => launcher.launchOf().identity?.uid ?? 0

  testHere('reaches what lies beyond the machine, over both families', async () => {
    await start()
    expect(await tryFrom('203.0.113.10 80')).toBe('heard far')
    expect(await tryFrom('2001:db8:2::10 80')).toBe('heard far')
  })

  /** The address of a link is settled a moment after the interface is there. */
  const untilSettled = (): Promise<void> =>
    waitUntil(async () => !(await tryFrom(`${linkLocalOf(far.pid, 'far0')}%eth0 80`)).startsWith('EADDRNOTAVAIL'))

  testHere('reaches neither the machine, nor metadata, nor private networks, nor its neighbours', async () => {
    await start()
    await untilSettled()
    const own = ['127.0.0.1', '::1', '::ffff:127.0.0.1', '192.0.0.5'].map((each) => `${each} 7777`)
    expect(await Promise.all(own.map(tryFrom))).toEqual(own.map(() => 'ECONNREFUSED'))
    const blocked = [
      ...['198.51.100.2', '2001:db8:1::2', `${linkLocalOf(machine.pid, 'eth0')}%eth0`].map((each) => `${each} 7777`),
      ...['169.254.169.254', '10.1.2.3', '100.100.100.200', 'fd00:ec2::254'].map((each) => `${each} 80`),
      `${linkLocalOf(far.pid, 'far0')}%eth0 80`,
    ]
    expect(await Promise.all(blocked.map(tryFrom))).toEqual(blocked.map(() => 'ENETUNREACH'))
    // The gateway it sees is nobody.
    expect(await tryFrom('192.0.0.6 7777')).not.toContain('heard')
    expect(await tryFrom('100::1 7777')).not.toContain('heard')
  })

  testHere('reaches all of these where nothing was made unreachable, except for the loopback', async () => {
    await start({ unreachable: [] })
    await untilSettled()
    const targets = [
      '169.254.169.254',
      '10.1.2.3',
      '100.100.100.200',
      'fd00:ec2::254',
      `${linkLocalOf(far.pid, 'far0')}%eth0`,
    ].map((each) => `${each} 80`)
    expect(await Promise.all(targets.map(tryFrom))).toEqual(targets.map(() => 'heard far'))
    // Whatever the launch names, the machine's own addresses are added.
    expect(await tryFrom('198.51.100.2 7777')).toBe('ENETUNREACH')
  })

  testHere('reaches a resolver in a private network, and nothing else of it', async () => {
    await start({ resolvers: ['10.1.2.3'] })
    expect(await tryFrom('10.1.2.3 53')).toBe('heard resolver')
    expect(await tryFrom('10.1.2.3 80')).toBe('ENETUNREACH')
  })

  testHere('ends with what leads out, and what leads out with it', async () => {
    await start()
    const before = withUid(tenant()).filter(isPasta)
    expect(before).toHaveLength(1)
    process.kill(before[0] ?? 0, 'SIGKILL')
    const { exit } = await launcher.next(({ type }) => type === 'exited')
    expect(exit).toMatchObject({ outOfMemory: false })
    expect(exit.endedFor).toMatch(/^its network was cut off/)
    expect(withUid(tenant())).toEqual([])
    await start()
    expect(withUid(tenant()).filter(isPasta)).toHaveLength(1)
    await launcher.ask({ type: 'stop', run, signal: 'SIGKILL', timeoutMs: 0 })
    expect(withUid(tenant())).toEqual([])
    const stopped = await launcher.next((message) => message.type === 'exited' && message.run === run)
    expect(stopped.exit.endedFor).toBeNull()
  })

  testHere('is bounded together with what leads out', async () => {
    await start({ resources: { processes: 50 } })
    const [leadsOut = 0] = withUid(tenant()).filter(isPasta)
    const boundsOf = (pid: number): string[] => cgroupsOf(pid).filter((each) => each.includes(run))
    const others = withUid(tenant()).filter((pid) => pid !== leadsOut)
    expect(boundsOf(leadsOut)).not.toEqual([])
    expect(boundsOf(leadsOut)).toEqual(boundsOf(others[0] ?? 0))
  })

  testHere('does not begin where the way out cannot be made, and leaves nothing', async () => {
    const failing: Launch['argv'] = ['/bin/sh', '-c', 'echo no such luck >&2; exit 3']
    expect(await launch({ unreachable: [], uplink: failing })).toMatchObject({
      type: 'failed',
      message: '"/bin/sh" did not connect the network: no such luck (exit code 3)',
    })
    expect(await launch({ unreachable: [], uplink: ['/no/such/program'] })).toMatchObject({ type: 'failed' })
    expect(withUid(tenant())).toEqual([])
    expect(await launch({})).toMatchObject({ type: 'failed', code: 'refused' })
  })
})
