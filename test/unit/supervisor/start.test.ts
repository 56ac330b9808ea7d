// How a start is put together: what the adapter is handed, and what of the launcher's answer reaches the supervisor.
import { describe, expect, test } from 'vitest'
import { parseConfig } from '../../../src/config/load.ts'
import type { IsolationAdapter, Launch, LaunchPlan } from '../../../src/isolation/adapter.ts'
import { flags } from '../../../src/isolation/options.ts'
import type { LauncherClient } from '../../../src/launcher/client.ts'
import type { RunRecord } from '../../../src/launcher/protocol.ts'
import { createPorts } from '../../../src/supervisor/ports.ts'
import { createStarter } from '../../../src/supervisor/start.ts'

const attestation = { atMs: 1_000, found: { 'pid.private': 'pid:[1]' } }

const serviceFrom = (lines: string) => {
  const text = `[service.notes]\ncommand = "/bin/true"\nisolation = "jail"\nlisten = "fd"\n${lines}\n`
  const surroundings = { env: {}, cwd: '/srv', home: '/home/ann', isRoot: false, processors: 2 }
  const service = parseConfig({ file: '/srv/tenement.toml', text }, surroundings).services.get('notes')
  if (service === undefined) throw new Error('the config has no service')
  return service
}

const starterWith = (givenUp: readonly string[], capabilities: IsolationAdapter['capabilities'] = {}) => {
  const plans: LaunchPlan[] = []
  const launch: Launch = {
    argv: ['/bin/true'],
    env: {},
    cwd: '/',
    identity: undefined,
    umask: 0o077,
    directories: [],
    descriptors: [],
    limits: {},
    resources: {},
    depth: 0,
    reach: { kind: 'fd', socket: '/run/x.sock' },
  }
  const adapter: IsolationAdapter = {
    name: 'jail',
    apiVersion: 1,
    capabilities,
    defaults: { network: 'host', limits: { memoryBytes: 1_000, processes: 10 } },
    needs: [],
    options: flags({ nested: false, quiet: true }),
    probe: async () => ({ usable: true, lost: [] }),
    prepare: async (plan) => {
      plans.push(plan)
      return launch
    },
  }
  const launcher: LauncherClient = {
    ask: async () => ({ pid: 7, startedAtMs: 1, attestation }) as never,
    whenExited: () => undefined,
    onLines: () => undefined,
    storedBy: () => undefined,
    openConnection: () => Promise.reject(new Error('no test of starts connects')),
  }
  const starter = createStarter({
    launcher,
    isolation: { adapters: new Map([['jail', adapter]]), faults: new Map() },
    ports: createPorts([32_768, 60_999]),
    runDir: '/run/tenement',
    listenersOn: () => [],
    identityFor: () => undefined,
    dataDirFor: (_, id) => `/data/${id}`,
    givenUpBy: () => givenUp,
    planInputs: {
      settingsDataDir: '/data',
      path: '/usr/bin',
      findProgram: (name) => name,
      placeOf: (path) => path,
      sourceOf: (_, __, path) => path,
      filterOf: () => undefined,
    },
    warn: () => undefined,
  })
  return { starter, plans }
}

const alice = { service: 'notes', id: 'alice' }

describe('a start', () => {
  test('hands the adapter its options read and filled in', async () => {
    const { starter, plans } = starterWith([])
    await starter.start(alice, serviceFrom('options = { nested = true }'))
    expect(plans[0]?.options).toEqual({ nested: true, quiet: true })
    await expect(starter.start(alice, serviceFrom('options = { nestde = true }'))).rejects.toThrow(
      'nestde is no option',
    )
    expect(plans.length).toBe(1)
  })

  test('asks for no bound that this machine cannot keep and the service goes without', async () => {
    const { starter, plans } = starterWith(['res.memory'])
    await starter.start(alice, serviceFrom(''))
    expect(plans[0]?.limits).toEqual({ processes: 10 })
  })

  test('is not made where the adapter promises attestation and leaves out what is to be attested', async () => {
    const { starter } = starterWith([], { 'launch.attested': 'enforced' })
    await expect(starter.start(alice, serviceFrom(''))).rejects.toThrow('promises "launch.attested"')
  })

  test('passes on what the launcher attested, also to the server after this one', async () => {
    const { starter } = starterWith([])
    const service = serviceFrom('')
    expect((await starter.start(alice, service)).attestation).toEqual(attestation)
    const record: RunRecord = {
      ...alice,
      run: 'xxxxxxxxxxxx',
      pid: 7,
      startedAtMs: 1,
      launch: { identity: undefined, reach: { kind: 'fd', socket: '/run/x.sock' } },
      attestation,
      note: {},
    }
    expect(starter.adopt(record, service).process.attestation).toEqual(attestation)
    const { attestation: _, ...unattested } = record
    expect(starter.adopt(unattested, service).process).not.toHaveProperty('attestation')
  })
})
