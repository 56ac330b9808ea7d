import { describe, expect, it } from 'vitest'
import { check } from '../../../src/check/check.ts'
import type { Checked } from '../../../src/cli/checkConfig.ts'
import { formatTables } from '../../../src/cli/formatCheck.ts'
import { reportCheck } from '../../../src/cli/reportCheck.ts'
import type { Paint } from '../../../src/cli/terminal.ts'
import { readConfig } from '../../../src/config/load.ts'
import type { Probe, Strength } from '../../../src/isolation/adapter.ts'
import type { Adapters } from '../../../src/isolation/registry.ts'
import { adapterWith, machine, surroundings } from '../check/fixtures.ts'

const plain: Paint = (_, text) => text
const promised = ['user.perTenantUid', 'res.memory', 'res.pids', 'net.private', 'fs.privateRoot']

const quota: Readonly<Record<string, Strength>> = { 'disk.quota': 'best-effort' }
const jail = adapterWith('jail', promised)
const adapters: Adapters = new Map([
  ['none', adapterWith('none', ['user.perTenantUid'])],
  ['jail', { ...jail, capabilities: { ...jail.capabilities, ...quota }, needs: ['user.perTenantUid', 'res.pids'] }],
])

const noRoot = {
  capability: 'user.perTenantUid',
  reason: 'without root every instance runs as the user who started tenement',
  fix: 'start tenement as root',
}
const noMemory = { capability: 'res.memory', reason: 'no memory controller', fix: 'delegate it' }
const asUser = new Map<string, Probe>([
  ['none', { usable: true, lost: [noRoot] }],
  ['jail', { usable: true, lost: [noRoot, noMemory] }],
])

const checkedOf = async (text: string, probes = asUser): Promise<Checked> => {
  const { config } = readConfig({ file: '/srv/tenement.toml', text }, surroundings)
  const isolation = { adapters, faults: new Map() }
  return {
    file: config.file,
    config,
    ...isolation,
    probes,
    close: async () => undefined,
    ...(await check(config, { ...isolation, machine, probes })),
  }
}

const service = (name: string, isolation: string, lines = '') =>
  `[service.${name}]\ncommand = "sh"\ncwd = "/usr/bin"\nisolation = "${isolation}"\ndata = "{data_dir}/{name}/{id}"\n${lines}\n`

const tables = async (text: string, columns?: number) => formatTables(await checkedOf(text), { paint: plain, columns })

describe('the tables of check', () => {
  it('say what is lost on this machine, what to do, and what each service gets', async () => {
    const text = [
      service('open', 'none'),
      service('tight', 'jail', 'listen = "fd"\nnetwork = "private"\nstorage_max = "1G"\naccept = ["shared-uid"]'),
      service('strict', 'jail', 'memory_max = "1G"'),
      service('wrong', 'none', 'read = ["/usr/share"]'),
      service('odd', 'jali'),
    ].join('')
    expect(await tables(text)).toBe(
      `
ISOLATION  STATE  FINDING
none       ok     can run, and keeps 0 of its 1 promises
           warn   user.perTenantUid is lost: without root every instance runs as the user who started tenement
                  → start tenement as root
jail       fail   runs no service that does not accept its losses here: keeps 4 of its 6 promises
           fail   user.perTenantUid is lost: without root every instance runs as the user who started tenement
                  → start tenement as root; as a last resort go without: accept = ["shared-uid"] in the service
           warn   res.memory is lost: no memory controller
                  → delegate it

SERVICE  EXPOSURE  STATE  FINDING
open     8.6       ok     asks nothing of isolation "none" that could be missing
tight    6.1       ok     isolation "jail" keeps res.pids, net.private, disk.quota
                   warn   disk.quota is best effort: looked at every one to ten seconds: it keeps none
                          → mount another
                   warn   goes without user.perTenantUid, as accept = ["shared-uid"] says: without root every instance runs as the user who started tenement
strict   7.7       ok     isolation "jail" keeps res.pids
                   fail   needs user.perTenantUid, res.memory, lost on this machine
wrong    8.6       fail   needs fs.privateRoot, of which isolation "none" knows nothing
odd                fail   told above: service.odd.isolation
`.trim(),
    )
  })

  it('tell what is lost for one reason in one row', async () => {
    const lost = [noMemory, { ...noMemory, capability: 'fs.privateRoot' }, { ...noMemory, capability: 'res.pids' }]
    const checked = await checkedOf(service('a', 'jail'), new Map([['jail', { usable: true, lost }]]))
    expect(formatTables(checked, { paint: plain, columns: undefined })).toMatch(
      /^ +warn +res\.memory, fs\.privateRoot are lost: no memory controller\n +→ delegate it\n +fail +res\.pids is lost: no memory controller\n +→ delegate it; as a last resort go without: accept = \["no-pids-limit"\] in the service$/m,
    )
  })

  it('do not call a loss a failure that every service of the isolation accepts', async () => {
    const accepting = service('a', 'jail', 'accept = ["shared-uid"]')
    const jailRows = async (text: string) => (await tables(text)).split(/^jail +/m)[1]?.split('\n\n')[0]
    expect(await jailRows(accepting)).toMatch(/^ok +can run, and keeps 4 [\s\S]*^ +warn +user\.perTenantUid is lost/m)
    expect(await jailRows(accepting + service('b', 'jail'))).toMatch(
      /^fail [\s\S]*^ +fail +user\.perTenantUid is lost/m,
    )
  })

  it('say why an isolation cannot run here at all', async () => {
    const problem = { reason: 'bwrap is not there', fix: 'apt-get install bubblewrap' }
    const checked = await checkedOf(service('a', 'jail'), new Map([['jail', { usable: false, lost: [], problem }]]))
    const shown = formatTables(checked, { paint: plain, columns: undefined })
    expect(shown).toMatch(/^jail +fail +cannot run here: bwrap is not there\n +→ apt-get install bubblewrap$/m)
    // A service of it is kept nothing.
    expect(shown).not.toMatch(/^a +ok/m)
  })

  it('fit into the lines of a terminal, every line of a finding below its beginning', async () => {
    const lines = (await tables(service('a', 'jail'), 70)).split('\n')
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(70)
    const begin = lines.findIndex((line) => line.includes('without root every'))
    expect(lines[begin + 1]).toMatch(/^ {18}\S/)
  })

  it('give every state its own colour, and no control character of a finding to the terminal', async () => {
    const loss = { capability: 'res.memory', reason: 'said \u001b[2J' }
    const checked = await checkedOf(service('a', 'jail'), new Map([['jail', { usable: true, lost: [loss, noRoot] }]]))
    const shown = formatTables(checked, { paint: (style, text) => `<${style}>${text}</>`, columns: undefined })
    for (const painted of ['<green>ok</>', '<yellow>warn</>', '<red>fail</>']) expect(shown).toContain(painted)
    expect(shown).toContain('said \\u001b[2J')
  })
})

it('a bound on what is stored is told with what the kernel said of it, also to programs', async () => {
  const text = service('a', 'cage', 'storage_max = "1G"')
  const { config } = readConfig({ file: '/srv/tenement.toml', text }, surroundings)
  const cage = adapterWith('cage', ['user.ns', 'caps.none', 'launch.attested'])
  const isolation = {
    adapters: new Map([['cage', { ...cage, capabilities: { ...cage.capabilities, ...quota } }]]),
    faults: new Map(),
    probes: new Map([['cage', { usable: true, lost: [] }]]),
    close: async () => undefined,
  }
  const keeping = { ...machine, quotaOn: async () => ({ isKept: true, proof: 'ext4 at "/data" enforces' }) as const }
  const found = await check(config, { ...isolation, machine: keeping })
  const checked: Checked = { file: config.file, config, ...isolation, ...found }
  expect(formatTables(checked, { paint: plain, columns: undefined })).toMatch(
    /^ +ok +disk\.quota is enforced: ext4 at "\/data" enforces$/m,
  )
  expect(reportCheck(checked).requirements).toEqual([
    expect.objectContaining({
      capability: 'disk.quota',
      given: 'enforced',
      reason: 'ext4 at "/data" enforces',
      fix: null,
    }),
  ])
})

describe('the report of check for programs', () => {
  it('holds the score of every service of which it can be said, with its terms and its bound', async () => {
    const text = `[settings]\nmax_exposure = 9\n${service('a', 'jail', 'max_exposure = 2')}${service('b', 'none')}${service('c', 'gone')}`
    const { exposures } = reportCheck(await checkedOf(text))
    expect(exposures.map(({ service, max }) => [service, max])).toEqual([
      ['a', 2],
      ['b', 9],
    ])
    const [a] = exposures
    expect(a?.terms[0]).toEqual({
      term: 'user.perTenantUid',
      points: 0.98,
      of: 0.98,
      exposes: 'shares its uid with others',
      because: expect.stringContaining('the last wall'),
      fix: 'start tenement as root',
    })
    expect(Math.abs((a?.terms.reduce((sum, { points }) => sum + points, 0) ?? 0) - (a?.score ?? 0))).toBeLessThan(0.3)
  })

  it('holds no score where this machine was not asked', async () => {
    expect(reportCheck(await checkedOf(service('a', 'jail'), new Map())).exposures).toEqual([])
  })

  it('holds every requirement of every service with what became of it', async () => {
    const { requirements } = reportCheck(
      await checkedOf(service('a', 'jail', 'memory_max = "1G"\naccept = ["shared-uid"]')),
    )
    const of = { service: 'a', isolation: 'jail', given: 'enforced' }
    expect(requirements).toEqual([
      {
        ...of,
        capability: 'user.perTenantUid',
        key: null,
        standing: 'accepted',
        reason: noRoot.reason,
        fix: noRoot.fix,
      },
      { ...of, capability: 'res.pids', key: null, standing: 'kept', reason: null, fix: null },
      {
        ...of,
        capability: 'res.memory',
        key: 'service.a.memory_max',
        standing: 'lost',
        reason: noMemory.reason,
        fix: 'delegate it',
      },
    ])
  })

  it('says of each adapter what it keeps, what is lost, and whether a service needs that', async () => {
    const { adapters: reported } = reportCheck(await checkedOf(service('a', 'jail')))
    expect(reported).toMatchObject([
      { name: 'none', usable: true, problem: null, lost: [{ ...noRoot, needed: false }] },
      {
        name: 'jail',
        capabilities: { 'disk.quota': 'best-effort' },
        lost: [{ ...noRoot, needed: true }, { needed: false }],
      },
    ])
  })
})
