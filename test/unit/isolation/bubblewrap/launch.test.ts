import { describe, expect, test } from 'vitest'
import type { LaunchPlan } from '../../../../src/isolation/adapter.ts'
import { bubblewrapLaunch } from '../../../../src/isolation/bubblewrap/launch.ts'
import { layout, optionsOf, plan, textOf } from './plans.ts'

const confinement = { layout, isNested: false, tmpBytes: 64 * 1024 ** 2 }
const launchOf = (over: Partial<LaunchPlan> = {}, change: Partial<typeof confinement> = {}) =>
  bubblewrapLaunch({ ...plan, ...over }, { ...confinement, ...change })

describe('a plan under bubblewrap', () => {
  test('with a network of its own, grants and secrets is this launch', async () => {
    await expect(textOf(launchOf())).toMatchFileSnapshot('golden/private.txt')
  })

  test("with the machine's network, an inherited socket and namespaces of its own is this launch", async () => {
    const over: Partial<LaunchPlan> = {
      network: 'host',
      reach: { kind: 'fd', socket: '/run/tenement/s/0123456789ab.sock' },
      identity: undefined,
      read: [],
      write: [],
      secrets: [],
      limits: { tmpBytes: 4_096 },
    }
    await expect(textOf(launchOf(over, { isNested: true }))).toMatchFileSnapshot('golden/host.txt')
  })

  test('with a way out is that of a network of its own, and an uplink beside it', async () => {
    const launch = launchOf({ network: 'internet' })
    expect(optionsOf(launch)).toEqual(optionsOf(launchOf()))
    expect(launch.expect).toEqual(launchOf().expect)
    expect(launch.depth).toBe(2)
    expect(launch.unreachable).toEqual(layout.unreachable)
    expect(launch.resolvers).toEqual(['192.0.2.53', '2001:db8::53'])
    await expect(`${launch.uplink?.join('\n')}\n`).toMatchFileSnapshot('golden/uplink.txt')
    expect(launchOf()).not.toHaveProperty('uplink')
  })

  test('with a way out is not started where nothing could be asked for names', () => {
    expect(() => launchOf({ network: 'internet' }, { layout: { ...layout, resolvers: [] } })).toThrow(
      'its own loopback alone',
    )
  })

  test('that makes its own socket may write the directory of it, and the launcher makes that directory', () => {
    const launch = launchOf({ reach: { kind: 'unix', socket: '/run/tenement/u/0123456789ab/app.sock' } })
    expect(launch.directories).toContainEqual({ path: '/run/tenement/u/0123456789ab', mode: 0o2710, owner: 'tenant' })
    expect(launch.expect?.mounts['/run/tenement/u/0123456789ab']).toBe(true)
    expect(launch.umask).toBe(0o007)
  })

  test('is not started without a filter, and not with an empty one', () => {
    expect(() => launchOf({ filter: undefined })).toThrow('no compiled seccomp filter')
    expect(() => launchOf({ filter: new Uint8Array() })).toThrow('no compiled seccomp filter')
  })

  test('has every descriptor that its options name, each for one option, and no other', () => {
    const launch = launchOf()
    const options = optionsOf(launch)
    const named = options.flatMap((option, index) =>
      ['--file', '--bind-fd', '--ro-bind-fd', '--seccomp', '--block-fd'].includes(option)
        ? [Number(options[index + 1])]
        : [],
    )
    const numbers = launch.descriptors.map(({ fd }) => fd)
    expect([...named, Number(launch.argv[2])].sort((one, other) => one - other)).toEqual(numbers)
    expect(new Set(numbers).size).toBe(numbers.length)
  })

  test.each([
    '--unshare-user',
    '--unshare-pid',
    '--unshare-ipc',
    '--unshare-uts',
    '--unshare-cgroup',
    '--disable-userns',
  ])('always has %s, and no option that bubblewrap may pass over in silence', (option) => {
    const options = optionsOf(launchOf({ network: 'host' }))
    expect(options).toContain(option)
    expect(options.filter((each) => /-try$|^--unshare-all$|^--as-pid-1$|^--die-with-parent$/.test(each))).toEqual([])
  })

  test('names no value of its environment on a command line', () => {
    expect(launchOf({ env: { KEY: 'a secret value' } }).argv.join(' ')).not.toContain('a secret value')
    expect(launchOf().env).toEqual({})
  })

  test('cannot slip an option in through a value that holds a NUL', () => {
    const env = { NAME: 'x\0--bind\0/\0/mnt' }
    expect(() => launchOf({ env })).toThrow('holds a NUL byte')
  })

  test('keeps options that look like its own words apart from them', () => {
    const options = optionsOf(launchOf({ env: { '--bind': '--dev' } }))
    const at = options.indexOf('--bind')
    expect(options.slice(at - 1, at + 2)).toEqual(['--setenv', '--bind', '--dev'])
  })

  test('is bounded by its cgroup, and by a count of processes only where the uid is its own', () => {
    expect(launchOf().resources).toEqual({ memoryBytes: 512 * 1024 ** 2, cpus: 1, processes: 64 })
    expect(launchOf().limits).toMatchObject({ nproc: 66, nofile: 1_024, memlock: 65_536, nice: 0, rtprio: 0 })
    expect(launchOf({ identity: undefined }).limits).not.toHaveProperty('nproc')
  })
})

describe('what is written for an instance into /etc', () => {
  const fileAt = (path: string, over: Partial<LaunchPlan> = {}): string => {
    const launch = launchOf(over)
    const options = optionsOf(launch)
    const fd = Number(options[options.indexOf(path) - 1])
    const found = launch.descriptors.find((each) => each.fd === fd)
    return found?.kind === 'content' ? Buffer.from(found.content).toString('utf8') : ''
  }

  test("names it and localhost, and the machine's own names only on the machine's network", () => {
    expect(fileAt('/etc/hosts')).toBe(
      '127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n127.0.1.1 alice\n',
    )
    expect(fileAt('/etc/hosts', { network: 'host' })).toBe('127.0.0.1 localhost\n192.0.2.7 database\n127.0.1.1 alice\n')
    expect(fileAt('/etc/resolv.conf')).not.toContain('nameserver')
    expect(fileAt('/etc/resolv.conf', { network: 'host' })).toBe('nameserver 192.0.2.53\n')
    expect(fileAt('/etc/resolv.conf', { network: 'internet' })).toBe('nameserver 192.0.2.53\nnameserver 2001:db8::53\n')
  })

  test('cannot be given a further account by the name of its data directory', () => {
    const passwd = fileAt('/etc/passwd', { dataDir: '/data/a\nroot2:x:0:0::/:/bin/sh' })
    expect(passwd.trim().split('\n')).toHaveLength(3)
    expect(fileAt('/etc/passwd')).toContain('tenant:x:1000:1000:tenant:/data/alice:/bin/sh')
  })
})
