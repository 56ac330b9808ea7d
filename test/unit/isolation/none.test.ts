import { describe, expect, test } from 'vitest'
import { lostResources, probeResources } from '../../../src/cgroups/probe.ts'
import type { LaunchPlan } from '../../../src/isolation/adapter.ts'
import { none } from '../../../src/isolation/none/index.ts'

const plan: LaunchPlan = {
  instance: 'notes:alice',
  argv: ['/usr/bin/python3', 'app.py', '--title', 'two words; $(not a shell)'],
  env: { PATH: '/usr/bin', PORT: '20001' },
  cwd: '/srv/notes',
  dataDir: '/data/alice',
  identity: { uid: 700_001, gid: 700_001 },
  reach: { kind: 'port', port: 20_001, network: 'host' },
  network: 'host',
  read: [],
  write: [],
  secrets: [],
  filter: undefined,
  limits: {},
  options: {},
}

describe('isolation "none"', () => {
  test('executes the plan as it is, as the tenant, with a data directory only that tenant can enter', async () => {
    expect(await none.prepare(plan)).toEqual({
      argv: plan.argv,
      env: plan.env,
      cwd: '/srv/notes',
      identity: { uid: 700_001, gid: 700_001 },
      umask: 0o077,
      directories: [{ path: '/data/alice', mode: 0o700, owner: 'tenant' }],
      descriptors: [],
      limits: {},
      resources: {},
      depth: 0,
      reach: plan.reach,
    })
  })

  test('passes an inherited socket as descriptor 3 and has LISTEN_PID set to the program itself', async () => {
    const reach = { kind: 'fd', socket: '/run/tenement/s/0123456789ab.sock' } as const
    const { argv, descriptors } = await none.prepare({ ...plan, reach })
    expect(descriptors).toEqual([{ fd: 3, kind: 'listener', socket: reach.socket }])
    expect(argv).toEqual(['/bin/sh', '-c', 'export LISTEN_PID=$$; exec "$@"', 'sh', ...plan.argv])
  })

  test('gives an instance a directory for its own socket that the server can reach into and other tenants cannot', async () => {
    const reach = { kind: 'unix', socket: '/run/tenement/u/0123456789ab/app.sock' } as const
    const { directories, umask } = await none.prepare({ ...plan, reach })
    expect(directories).toContainEqual({ path: '/run/tenement/u/0123456789ab', mode: 0o2710, owner: 'tenant' })
    expect(umask).toBe(0o007)
  })

  test('keeps files_max by a limit of the process', async () => {
    expect((await none.prepare({ ...plan, limits: { openFiles: 64 } })).limits).toEqual({ nofile: 64 })
  })

  test('says what is lost where tenement may not change uid', async () => {
    expect(
      (await none.probe({ isRoot: false, hasTenantUids: false })).lost.map(({ capability }) => capability),
    ).toEqual(['user.perTenantUid', 'res.memory', 'res.pids', 'res.cpu'])
    expect((await none.probe({ isRoot: true, hasTenantUids: true })).lost).toEqual(lostResources(probeResources()))
  })
})
