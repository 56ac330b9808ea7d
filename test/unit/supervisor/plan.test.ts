import { describe, expect, test } from 'vitest'
import { parseConfig } from '../../../src/config/load.ts'
import type { Service } from '../../../src/config/schema.ts'
import type { Reach } from '../../../src/isolation/adapter.ts'
import { type PlanInputs, planFor } from '../../../src/supervisor/plan.ts'

const serviceFrom = (lines: string): Service => {
  const text = `[service.notes]\nisolation = "none"\n${lines}\n[instances]\nnotes = ["alice"]\n`
  const surroundings = { env: {}, cwd: '/srv', home: '/home/ann', isRoot: true, processors: 2 }
  const service = parseConfig({ file: '/srv/tenement.toml', text }, surroundings).services.get('notes')
  if (service === undefined) throw new Error('no service')
  return service
}

const plan = (
  lines: string,
  reach: Reach = { kind: 'port', port: 20_001, network: 'host' },
  others: Partial<PlanInputs> = {},
) =>
  planFor({
    service: serviceFrom(lines),
    id: 'alice',
    settingsDataDir: '/data',
    dataDir: '/data/alice',
    identity: undefined,
    reach,
    defaults: { network: 'host', limits: {} },
    options: {},
    givenUp: [],
    path: '/usr/bin',
    findProgram: (name, { cwd, path }) => (name.includes('/') ? `${cwd}/${name}` : `${path}/${name}`),
    filterOf: () => undefined,
    sourceOf: (service, kind, path) => path.replace('/root', `/run/grants/${service}/${kind}`),
    placeOf: (path) => path.replace('/srv', '/run/code'),
    ...others,
  })

describe('the plan of a start', () => {
  test('leaves out every bound that this machine cannot keep and the service goes without', () => {
    const limits = { memoryBytes: 1_000, cpus: 1, processes: 10, openFiles: 20 }
    const lines = 'command = "x"\ncpu_weight = 50\nstorage_max = "1MB"'
    const kept = plan(lines, undefined, {
      defaults: { network: 'host', limits },
      givenUp: ['res.memory', 'res.cpu', 'user.perTenantUid'],
    })
    expect(kept.limits).toEqual({ processes: 10, openFiles: 20, storageBytes: 1024 ** 2 })
    const all = plan(lines, undefined, { defaults: { network: 'host', limits } })
    expect(all.limits).toEqual({ ...limits, cpuWeight: 50, storageBytes: 1024 ** 2 })
  })

  test('names the secrets of the service, and holds none of their files', () => {
    const { secrets, ...rest } = plan('command = "x"\nsecrets = { TOKEN = { file = "/etc/token" } }')
    expect(secrets).toEqual(['TOKEN'])
    expect(JSON.stringify(rest)).not.toContain('/etc/token')
  })

  test('fills templates after the split, so that no value becomes two arguments', () => {
    expect(plan(`command = "python3 app.py --db '{data_dir}/{id}.db' {port} {name}"`).argv).toEqual([
      '/usr/bin/python3',
      'app.py',
      '--db',
      '/data/alice.db',
      '20001',
      'notes',
    ])
  })

  test("gives an instance its own variables over a base that names nothing of tenement's environment", () => {
    expect(plan('command = "a"\n[service.notes.env]\nDB = "{data_dir}/{id}/app.db"\nLANG = "de_DE.UTF-8"').env).toEqual(
      {
        PATH: '/usr/bin',
        HOME: '/data/alice',
        LANG: 'de_DE.UTF-8',
        TENEMENT_INSTANCE: 'notes:alice',
        PORT: '20001',
        DB: '/data/alice/app.db',
      },
    )
  })

  test('tells the application where to listen in the way it was asked to', () => {
    const socket = '/run/tenement/u/0123456789ab/app.sock'
    expect(plan('command = "a {socket}"\nlisten = "unix"', { kind: 'unix', socket })).toMatchObject({
      argv: ['/usr/bin/a', socket],
      env: { SOCKET_PATH: socket },
    })
    expect(plan('command = "a"\nlisten = "fd"', { kind: 'fd', socket }).env).toMatchObject({ LISTEN_FDS: '1' })
  })

  test('names folder and program where the tenant finds them', () => {
    expect(plan('command = "./server"\ncwd = "app"')).toMatchObject({
      cwd: '/run/code/app',
      argv: ['/run/code/app/./server'],
    })
  })

  test('looks for the program on the PATH that the service sets', () => {
    expect(plan('command = "a"\n[service.notes.env]\nPATH = "/opt/bin"').argv).toEqual(['/opt/bin/a'])
  })
})
