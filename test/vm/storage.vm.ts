// A whole `tenement serve` whose data lies on a file system with project quotas: what its kernel refuses an instance, and what an
// instance does against it. The file system is made in a file, since few machines have one and none lets a test mount it: one of
// each kind that enforces them.
import { execFileSync } from 'node:child_process'
import { closeSync, lstatSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { joinProject, type Quota, readMembership, readQuota } from '../../src/launcher/libc/quota.ts'
import { quotaSupport } from '../../src/launcher/storage/support.ts'
import { newTenantUids } from '../helpers/tenantUids.ts'
import { apps, startTenement, type Tenement } from '../helpers/tenement.ts'
import { waitUntil } from '../helpers/waitUntil.ts'
import { requireVirtualMachine } from './virtualMachine.ts'

const mebibyte = 1024 ** 2
const place = '/mnt/quotas'
const image = '/run/quotas.img'

const run = (command: string): string => execFileSync('/bin/sh', ['-ec', command], { encoding: 'utf8' })

const serviceOf = (name: string, isolation: string, further = ''): string => `
[service.${name}]
command = "python3 stores.py"
cwd = "${apps}"
isolation = "${isolation}"
data = "{data_dir}/{name}/{id}"
start_timeout = "5m"
stop_timeout = "5s"
${further}
`

/** `late` is bounded only for bob at first, then only for alice. */
const configWith = (bounded: string): string => `
${serviceOf('caged', 'namespace', 'storage_max = "3MB"')}
${serviceOf('free', 'none', 'storage_max = "2MB"')}
${serviceOf('late', 'namespace', `tenant.${bounded}.storage_max = "3MB"`)}
[instances]
caged = ["alice", "bob"]
free = ["alice"]
late = ["alice", "bob"]
`

interface Kind {
  readonly type: 'ext4' | 'xfs'
  /** Makes it in the file that its last argument names. */
  readonly make: string
  /** What a write beyond the bound is told. */
  readonly full: 'EDQUOT' | 'ENOSPC'
  /** From mounted with limits in force to mounted with projects counted alone. */
  readonly countOnly: string
  readonly enforceAgain: RegExp
}

const kinds: readonly Kind[] = [
  {
    type: 'ext4',
    make: 'mke2fs -q -t ext4 -O project,quota -E quotatype=prjquota',
    full: 'EDQUOT',
    countOnly: `mount -o loop ${image} ${place}; mount -o remount,prjquota ${place}`,
    enforceAgain: /a remount does not do.*quotaon -P/,
  },
  {
    type: 'xfs',
    make: 'mkfs.xfs -q',
    full: 'ENOSPC',
    countOnly: `mount -o loop,pqnoenforce ${image} ${place}`,
    enforceAgain: /a remount does not do.*rootflags=prjquota/,
  },
]

describe.each(kinds)('instances on $type with project quotas', ({ type, make, full, countOnly, enforceAgain }) => {
  /** Of what the kernel has no part in but by answers that are shown on both, one of them is enough: a virtual machine is slow. */
  const testOnce: (name: string, run: () => Promise<void>) => void = type === 'ext4' ? test : () => undefined

  const tenantUids = newTenantUids()
  let tenement: Tenement
  const start = async (bounded: string): Promise<void> => {
    const settings = 'hold_timeout = "5m"'
    tenement = await startTenement({ config: configWith(bounded), settings, root: place, tenantUids })
  }
  beforeAll(async () => {
    requireVirtualMachine()
    mkdirSync(place, { recursive: true })
    run(`truncate -s 400M ${image}; ${make} ${image}`)
    run(`mount -o loop,prjquota ${image} ${place}; chmod 711 ${place}`)
    await start('bob')
  })
  afterAll(async () => {
    await tenement?.stop()
    run(`umount ${place}; rm ${image}`)
  })

  const ask = async (host: string, path = '/'): Promise<Readonly<Record<string, unknown>>> => {
    const { status, body } = await tenement.ask(`${host}.test`, { path })
    expect([status, body]).toEqual([200, body])
    return JSON.parse(body)
  }

  const dataOf = (instance: string): string => join(place, 'data', ...instance.split(':'))

  const uidOf = (instance: string): number => statSync(dataOf(instance)).uid

  const opened = <T>(path: string, look: (fd: number) => T): T => {
    const fd = openSync(path, 'r')
    try {
      return look(fd)
    } finally {
      closeSync(fd)
    }
  }

  const quotaOf = (project: number): Quota => opened(place, (fd) => readQuota(fd, project))

  test('check says where the bound is enforced, with what the kernel said, and why it is not elsewhere', async () => {
    const { stdout } = await tenement.command('check', '--json')
    const { requirements } = JSON.parse(stdout)
    const found = Object.fromEntries(
      requirements
        .filter(({ capability }: { capability: string }) => capability === 'disk.quota')
        .map(({ service, given, reason }: Record<string, string>) => [service, `${given}: ${reason}`]),
    )
    const proof = `${type} at "${place}" enforces the limits of projects, as quotactl(2) says`
    expect(found).toEqual({
      caged: `enforced: ${proof}`,
      late: `enforced: ${proof}`,
      free: `best-effort: ${proof}, but isolation "none" does not promise "user.ns", "caps.none", "launch.attested": an instance could take its files out of its project`,
    })
  })

  test('an instance is refused what goes beyond its bound, runs on, and its neighbour has all of its own', async () => {
    const { error, bytes } = await ask('alice.caged', '/write?name=big&bytes=8388608')
    expect(error).toBe(full)
    expect(bytes).toBeGreaterThan(2 * mebibyte)
    expect(bytes).toBeLessThanOrEqual(3 * mebibyte)
    expect(quotaOf(uidOf('caged:alice'))).toMatchObject({ maxBytes: 3 * mebibyte, maxFiles: 10_000 })
    expect(await ask('bob.caged', '/write?name=big&bytes=2097152')).toEqual({ error: 0, bytes: 2 * mebibyte })
    expect(await ask('alice.caged')).toEqual({ hello: 'caged:alice' })
  })

  test('status tells how full it is, that the file system keeps it, and what to do', async () => {
    await waitUntil(async () => (await tenement.status('caged:alice')).storage?.isFull === true, 30_000)
    const { stdout } = await tenement.command('status', 'caged:alice')
    expect(stdout).toMatch(
      /^storage: +3\.0 MB of 3\.0 MB, 2 of 10000 files, full: writes fail, kept by the file system$/m,
    )
    expect(stdout).toMatch(/^→ its data is full: have it remove what it does not need, or raise storage_max$/m)
  })

  test('an instance that ends while it is full is said to have been, and has room again once it made some', async () => {
    await tenement.ask('alice.caged.test', { path: '/end?code=3' })
    await waitUntil(async () => (await tenement.status('caged:alice')).lastExit !== null)
    const { lastExit, lastStop } = await tenement.status('caged:alice')
    expect(lastExit).toMatchObject({ code: 3, outOfStorage: true })
    expect(lastStop).toMatch(/^exited with code 3 after .*, with its data at storage_max$/)
    await ask('alice.caged', '/remove?name=big')
    expect((await ask('alice.caged', '/write?name=again&bytes=1048576')).error).toBe(0)
  })

  test('an instance with a user namespace of its own leaves its project in no way', async () => {
    const ways = ['file', 'to a neighbour', 'directory', 'inheritance', 'flag']
    const left = await ask('alice.caged', `/leave?name=mine&other=${uidOf('caged:bob')}`)
    expect(left).toEqual(Object.fromEntries(ways.map((way) => [way, 'EINVAL'])))
    expect((await ask('alice.caged', '/write?name=more&bytes=8388608')).error).toBe(full)
  })

  test('one without leaves it in each, and is ended by looking', async () => {
    const left = { file: 0, 'to a neighbour': 0, directory: 0, inheritance: 0, flag: 0 }
    expect(await ask('alice.free', '/leave?name=mine&other=5')).toEqual(left)
    expect(quotaOf(uidOf('free:alice'))).toMatchObject({ maxBytes: 2 * mebibyte })
    expect((await tenement.status('free:alice')).storage?.quota).toBe('escapable')
    expect(await ask('alice.free', '/write?name=more&bytes=4194304')).toMatchObject({ error: 0 })
    await waitUntil(async () => (await tenement.status('free:alice')).lastStop?.includes('too full'), 60_000)
  })

  testOnce(
    'an instance makes no more files than its bound, and a purge leaves neither data nor a bound for whoever has the number next',
    async () => {
      expect((await tenement.command('add', 'caged:carol')).exitCode).toBe(0)
      const { error, files } = await ask('carol.caged', '/create?name=f&count=20000')
      expect([error, files]).toEqual([full, 10_000 - 1]) // its directory is one
      const uid = uidOf('caged:carol')
      expect(quotaOf(uid)).toMatchObject({ files: 10_000, maxFiles: 10_000 })
      const { exitCode, stderr } = await tenement.command('remove', 'caged:carol', '--purge', '--yes')
      expect([exitCode, stderr]).toEqual([0, ''])
      expect(quotaOf(uid)).toEqual({ bytes: 0, files: 0, maxBytes: 0, maxFiles: 0 })
    },
  )

  testOnce('an instance keeps its bound when the server is another, which knows of it', async () => {
    const before = await tenement.serverPid()
    process.kill(before, 'SIGKILL')
    await waitUntil(async () => (await tenement.command('ps')).exitCode === 0, 60_000)
    expect((await tenement.status('caged:bob')).storage).toMatchObject({ quota: 'enforced', maxBytes: 3 * mebibyte })
    expect((await ask('bob.caged', '/write?name=more&bytes=8388608')).error).toBe(full)
  })

  testOnce(
    'an instance is not started in a project that somebody else has files in, however often it is tried',
    async () => {
      const [data, uid] = [dataOf('caged:bob'), uidOf('caged:bob')]
      expect((await tenement.command('stop', 'caged:bob')).exitCode).toBe(0)
      // As another tenement would have it that gives out the same numbers: the directory is new, and the project is not.
      run(`mkdir ${place}/elsewhere; mv ${data} ${place}/elsewhere; mkdir -m 700 ${data}; chown ${uid}:${uid} ${data}`)
      for (const _ of ['at first', 'again']) {
        const { exitCode, stderr } = await tenement.command('wake', 'caged:bob')
        expect(exitCode).not.toBe(0)
        expect(stderr).toMatch(new RegExp(`project ${uid}, which "${data}" is to have, has 3 files elsewhere`))
      }
      expect(opened(data, readMembership)).toEqual({ project: 0, isInherited: false })
      run(`rmdir ${data}; mv ${place}/elsewhere/bob ${data}`)
    },
  )

  testOnce(
    'what was stored before there was a bound counts, and stays its owner’s to rename; a bound that is gone bounds nobody',
    async () => {
      await ask('alice.late', '/lay?name=old')
      await ask('alice.late', '/write?name=large&bytes=2097152')
      expect((await ask('bob.late', '/write?name=large&bytes=8388608')).error).toBe(full)
      const [alice, bob] = [uidOf('late:alice'), uidOf('late:bob')]
      expect(quotaOf(alice)).toMatchObject({ bytes: 0, files: 0, maxBytes: 0 })
      await tenement.stop()
      // What is not its own is left as it is, where a name of it leads there or it lies in its very directory.
      const [foreign, away] = [join(dataOf('late:alice'), 'foreign'), join(place, 'away')]
      run(`echo x > ${foreign}; mkdir ${away}; touch ${away}/file; ln -s ${away} ${dataOf('late:alice')}/way`)
      run(`chown -h ${alice}:${alice} ${dataOf('late:alice')}/way ${away} ${away}/file`)
      await start('alice')
      expect((await ask('alice.late', '/write?name=further&bytes=4194304')).error).toBe(full)
      for (const path of [foreign, away, join(away, 'file')]) expect(opened(path, readMembership).project).toBe(0)
      // The folder, two directories, the file under two names, two symlinks, the large one and the further one; not the FIFO.
      expect(quotaOf(alice)).toMatchObject({ files: 8, maxBytes: 3 * mebibyte })
      expect(await ask('alice.late', '/rename?name=old/link&to=link')).toEqual({ error: 0, target: 'inner/file' })
      expect(await ask('alice.late', '/rename?name=old/second&to=second')).toMatchObject({ error: 0 })
      expect(lstatSync(join(dataOf('late:alice'), 'link')).uid).toBe(alice)
      expect(await ask('bob.late', '/write?name=large&bytes=8388608')).toMatchObject({ error: 0 })
      expect(quotaOf(bob)).toMatchObject({ maxBytes: 0, maxFiles: 0 })
      expect((await tenement.status('late:bob')).storage).toBeNull()
    },
  )

  test('a folder that belongs to a project already is told, and so is a file system that only counts', async () => {
    const folder = join(place, 'taken')
    mkdirSync(folder)
    opened(folder, (fd) => joinProject(fd, { project: 77, isInherited: true }))
    expect(quotaSupport(join(folder, 'not/yet/there'))).toMatchObject({
      isKept: false,
      reason: `"${folder}" belongs to project 77 already, and no project lies in another`,
    })
    await tenement.stop()
    run(`umount ${place}; ${countOnly}`)
    if (type === 'ext4') expect(readFileSync('/proc/self/mountinfo', 'utf8')).toMatch(new RegExp(`${place} .*prjquota`))
    expect(quotaSupport(place)).toEqual({
      isKept: false,
      reason: `${type} at "${place}" counts what projects store and holds none to its limits`,
      fix: expect.stringMatching(enforceAgain),
    })
  })
})
