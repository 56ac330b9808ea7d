// The restrictions of machines that can be made here, each by a namespace of the test's own: nothing of the machine changes.
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { describe, expect, test } from 'vitest'
import type { Machine, Probe } from '../../../src/isolation/adapter.ts'
import { restrictionFor } from '../../../src/isolation/bubblewrap/hostRestrictions.ts'
import { isRoot, testAsRoot, testAsRootInTheOpen } from '../../helpers/root.ts'
import { newTenantUids } from '../../helpers/tenantUids.ts'

const script = fileURLToPath(new URL('../../fixtures/probe.mjs', import.meta.url))
const { first: uid } = newTenantUids()
const asRoot: Machine = { isRoot: true, hasTenantUids: true, probeIdentity: { uid, gid: uid } }
const asUser: Machine = { isRoot: false, hasTenantUids: false }
const tenant = isRoot ? { uid, gid: uid } : {}

/** What the probe finds where `sh -c setUp` has gone before it, all in the shell that `around` starts. */
const probeIn = async (
  around: readonly string[],
  setUp: string,
  machine = isRoot ? asRoot : asUser,
): Promise<Probe> => {
  const command = `${setUp}\nexec "$@"`
  const [program = '', ...args] = [...around, '/bin/sh', '-ec', command, 'sh', process.execPath, script]
  const { stdout } = await execa(program, [...args, JSON.stringify(machine)])
  return JSON.parse(stdout)
}

describe('the probe of isolation "sandbox"', () => {
  test('finds this machine fit, as the uid of a tenant where there is one', async () => {
    const { usable, problem } = await probeIn([], '')
    expect(problem).toBeUndefined()
    expect(usable).toBe(true)
  })

  test('says what is lost without uids of tenants', async () => {
    const { lost } = await probeIn([], '', { ...(isRoot ? asRoot : asUser), hasTenantUids: false })
    expect(lost).toContainEqual(expect.objectContaining({ capability: 'user.perTenantUid', fix: expect.any(String) }))
  })

  testAsRoot('finds a /proc with a covered part', async () => {
    const { usable, problem } = await probeIn(['unshare', '--mount'], 'mount -t tmpfs none /proc/irq')
    expect(usable).toBe(false)
    expect(problem?.reason).toContain('parts of /proc are covered')
    expect(problem?.fix).toContain('systempaths=unconfined')
  })

  testAsRoot('finds a /proc/sys that cannot be written, as ProtectKernelTunables= makes it', async () => {
    const setUp = 'mount --bind /proc/sys /proc/sys; mount -o remount,bind,ro /proc/sys'
    expect((await probeIn(['unshare', '--mount'], setUp)).problem?.reason).toContain('ProtectKernelTunables=')
  })

  testAsRoot('finds a /proc of processes only, as ProcSubset=pid makes it', async () => {
    const around = ['unshare', '--mount', '--pid', '--fork']
    const { problem } = await probeIn(around, 'mount -t proc -o subset=pid proc /proc')
    expect(problem).toMatchObject({
      reason: expect.stringContaining('subset=pid'),
      fix: expect.stringContaining('ProcSubset='),
    })
  })

  testAsRoot('finds that user namespaces are refused, which a chroot does to all in it', async () => {
    const root = mkdtempSync(join(tmpdir(), 'tenement-chroot-'))
    try {
      const around = ['unshare', '--mount', '/bin/sh', '-ec', `mount --rbind / ${root}; exec chroot ${root} "$@"`, 'sh']
      const { problem } = await probeIn(around, '')
      expect(problem?.fix).toContain('kernel.unprivileged_userns_clone=1')
    } finally {
      // Never recursively: the machine's root was mounted here, and only in another mount namespace.
      rmdirSync(root)
    }
  })

  testAsRootInTheOpen('finds that no further user namespace may be made', async () => {
    const around = [
      'setpriv',
      `--reuid=${uid}`,
      `--regid=${uid}`,
      '--clear-groups',
      'unshare',
      '--user',
      '--map-root-user',
    ]
    const { problem } = await probeIn(around, 'echo 0 > /proc/sys/user/max_user_namespaces', asUser)
    expect(problem?.fix).toContain('user.max_user_namespaces')
  })

  testAsRoot('finds that nothing can be started as a tenant', async () => {
    const around = ['setpriv', '--bounding-set=-setuid,-setgid', '--inh-caps=-all']
    expect((await probeIn(around, '')).problem?.fix).toContain('CAP_SETUID')
  })
})

describe('the way to the internet', () => {
  const own = ['unshare', '--mount']
  // A device node of the test's own with the mode that udev gives it; this one may have been made by hand.
  const openTun = 'mount -t tmpfs none /dev/net; mknod -m 666 /dev/net/tun c 10 200'
  const answering = [
    'mount -t tmpfs none /media; echo nameserver 192.0.2.53 > /media/resolv',
    'for file in "$(readlink -f /etc/resolv.conf)" /run/systemd/resolve/resolv.conf; do [ ! -e $file ] || mount --bind /media/resolv $file; done',
  ].join('\n')
  const ready = `${openTun}\n${answering}`
  const lostIn = async (setUp: string, machine?: Machine) =>
    (await probeIn(own, setUp, machine)).lost.filter(({ capability }) => capability === 'net.egress')

  testAsRoot('is there where pasta is, may open its device, and somebody can be asked for names', async () => {
    expect(await lostIn(ready)).toEqual([])
  })

  testAsRoot('is lost without root, whatever is there', async () => {
    expect(await lostIn(ready, asUser)).toMatchObject([{ reason: expect.stringContaining('only root') }])
  })

  const missing = [
    ['pasta is missing', 'mount --bind /dev/null /usr/bin/pasta', 'install'],
    ['the device is closed to tenants', 'chmod 600 /dev/net/tun', 'chmod 0666 /dev/net/tun'],
    ['names are looked up on loopback alone', 'echo nameserver 127.0.0.53 > /media/resolv', 'not on loopback'],
  ] as const
  for (const [what, setUp, fix] of missing) {
    testAsRoot(`is lost where ${what}, and the rest is kept`, async () => {
      expect(await lostIn(`${ready}\n${setUp}`)).toMatchObject([{ fix: expect.stringContaining(fix) }])
    })
  }
})

test('a filter that the kernel does not take is told as such', async () => {
  const args = ['--unshare-user', '--ro-bind', '/', '/', '--seccomp', '3', '/bin/true']
  const { stderr } = await execa('bwrap', args, {
    stdio: ['ignore', 'ignore', 'pipe', Buffer.from('notafilt')],
    reject: false,
    cwd: '/',
    ...tenant,
  })
  expect(restrictionFor(String(stderr)).reason).toContain('CONFIG_SECCOMP_FILTER')
})
