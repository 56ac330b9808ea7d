import { networkInterfaces } from 'node:os'
import { afterEach, beforeEach, describe, expect } from 'vitest'
import { unreachableFor } from '../../../src/isolation/unreachable.ts'
import { type Message, newRunName, startTestLauncher, type TestLauncher } from '../../helpers/launcher.ts'
import { connectNetworks, ipIn, linkLocalOf, makeNetwork, type TestNetwork } from '../../helpers/networks.ts'
import { ownNetworkLaunch, prober } from '../../helpers/ownNetwork.ts'
import { firstChildOf, withUid } from '../../helpers/processes.ts'
import { testAsRoot } from '../../helpers/root.ts'

describe('networks that a run must not reach', () => {
  let launcher: TestLauncher
  let far: TestNetwork | undefined
  beforeEach(async () => {
    launcher = await startTestLauncher()
  })
  afterEach(async () => {
    far?.close()
    await launcher.close()
  })

  const run = newRunName()
  const launch = (limits: { unreachable: readonly string[]; resolvers?: readonly string[] }): Promise<Message> => {
    const message = { type: 'launch', run, service: 'api', id: 'alice', watch: true, note: null }
    return launcher.ask({ ...message, launch: ownNetworkLaunch(launcher, prober(), limits) })
  }
  const start = async (limits: { unreachable: readonly string[]; resolvers?: readonly string[] }): Promise<number> => {
    const { type, value, message } = await launch(limits)
    expect([type, message]).toEqual(['reply', undefined])
    await launcher.next((each) => each.type === 'output' && each.lines.includes('up'))
    return value.pid
  }
  const tryFrom = async (target: string): Promise<string> => {
    const { request } = await launcher.ask({ type: 'connect', run })
    launcher.send({ type: 'take', of: request, say: `${target}\n` })
    return (await launcher.next((each) => each.type === 'taken' && each.of === request)).heard
  }

  /** A cable from the run to a network with addresses of every kind, on each of which somebody answers on ports 53 and 80. */
  const connectTo = async (monitor: number): Promise<string> => {
    const inside = firstChildOf(monitor)
    far = await makeNetwork()
    const near = ['198.51.100.2/24', '10.1.0.2/16', '2001:db8:1::2/64', 'fd00:1::2/64']
    const away = [
      '198.51.100.1/24',
      '10.1.0.1/16',
      '10.9.9.9/32',
      '169.254.169.254/32',
      '2001:db8:1::1/64',
      'fd00:1::1/64',
    ]
    await connectNetworks(
      { pid: inside, name: 'eth0', addresses: near },
      { pid: far.pid, name: 'far0', addresses: away },
    )
    ipIn(inside, 'route', 'add', 'default', 'via', '198.51.100.1')
    for (const port of [53, 80]) await far.listen(port, `port ${port}`)
    return linkLocalOf(far.pid, 'far0')
  }

  testAsRoot(
    'answer at once that they are unreachable, whatever routes lead there, and others are reached',
    async () => {
      const monitor = await start({ unreachable: unreachableFor({}), resolvers: ['10.9.9.9'] })
      const linkLocal = await connectTo(monitor)
      const targets = ['198.51.100.1 80', '2001:db8:1::1 80', '10.9.9.9 53']
      expect(await Promise.all(targets.map(tryFrom))).toEqual(['heard port 80', 'heard port 80', 'heard port 53'])
      // The second and the fourth are neighbours on the same cable, to which a route of the interface leads.
      const blocked = ['169.254.169.254 80', '10.1.0.1 80', '10.9.9.9 80', 'fd00:1::1 80', `${linkLocal}%eth0 80`]
      expect(await Promise.all(blocked.map(tryFrom))).toEqual(blocked.map(() => 'ENETUNREACH'))
    },
  )

  testAsRoot('are all reached where none was named', async () => {
    const monitor = await start({ unreachable: [] })
    const linkLocal = await connectTo(monitor)
    const targets = ['169.254.169.254 80', '10.1.0.1 80', '10.9.9.9 80', 'fd00:1::1 80', `${linkLocal}%eth0 80`]
    expect(await Promise.all(targets.map(tryFrom))).toEqual(targets.map(() => 'heard port 80'))
  })

  testAsRoot("are, without being named, the machine's own addresses", async () => {
    const inside = firstChildOf(await start({ unreachable: ['10.0.0.0/8'] }))
    const rules = ipIn(inside, 'rule') + ipIn(inside, '-6', 'rule')
    const own = Object.values(networkInterfaces()).flatMap((each = []) => each.filter(({ internal }) => !internal))
    expect(own.length).toBeGreaterThan(0)
    for (const { address } of own) expect(rules).toContain(`to ${address} unreachable`)
    expect(rules).toContain('to 127.0.0.0/8 unreachable')
    expect(rules).toContain('to ::1 unreachable')
  })

  testAsRoot('that cannot be told to the kernel end the launch, by name', async () => {
    expect(await launch({ unreachable: ['10.0.0.0/8', 'the-internet'] })).toMatchObject({
      type: 'failed',
      message: '"the-internet" is no network',
    })
    expect(withUid(launcher.launchOf().identity?.uid)).toEqual([])
    const many = Array.from({ length: 1_001 }, (_, index) => `10.0.${index >> 8}.${index & 255}/32`)
    expect(await launch({ unreachable: many })).toMatchObject({ type: 'failed' })
  })
})
