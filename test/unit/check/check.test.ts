import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { check, checkReading } from '../../../src/check/check.ts'
import { formatProblems, reportProblems } from '../../../src/check/format.ts'
import { readConfig } from '../../../src/config/load.ts'
import { capabilities } from '../../../src/isolation/capabilities.ts'
import { none } from '../../../src/isolation/none/index.ts'
import type { Adapters, Isolation } from '../../../src/isolation/registry.ts'
import { testAsUser } from '../../helpers/root.ts'
import { adapters, adapterWith, findingsOf, machine, surroundings } from './fixtures.ts'

let root = ''
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'tenement-check-'))
  chmodSync(root, 0o755)
  mkdirSync(join(root, 'code'))
  writeFileSync(join(root, 'code/server'), '#!/bin/sh\n', { mode: 0o755 })
})
afterAll(() => rmSync(root, { recursive: true }))

const withUids = { ...machine, isRoot: true, hasTenantUids: true }

const checkText = async (service: string, options: { adapters?: Adapters; machine?: typeof machine } = {}) => {
  const text = `[settings]\ndata_dir = "${root}/data"\n[service.notes]\ncommand = "./server"\ncwd = "${root}/code"\n${service}\n`
  const { config, problems } = readConfig({ file: join(root, 'tenement.toml'), text }, surroundings)
  expect(problems).toEqual([])
  return (await findingsOf(config, options.adapters ?? adapters, options.machine ?? machine)).problems
}

const mapOf = (...all: ReturnType<typeof adapterWith>[]): Adapters =>
  new Map(all.map((adapter) => [adapter.name, adapter]))

describe('a promise the adapter does not make', () => {
  it('is a problem with the key, the capability, and the adapters that would', async () => {
    await expect(checkText('isolation = "none"\nnetwork = "private"')).resolves.toEqual([
      {
        file: join(root, 'tenement.toml'),
        line: 7,
        column: 1,
        key: 'service.notes.network',
        code: 'missing_capability',
        message: 'service.notes.network = "private" needs "net.private", which isolation "none" does not provide',
        value: '"private"',
        fix: 'set isolation to "namespace" or "sandbox", or remove service.notes.network',
        service: 'notes',
      },
    ])
  })

  it("is told to be nobody's when no adapter makes it", async () => {
    const [problem] = await checkText('isolation = "none"\ntmp_size = "1G"', { adapters: mapOf(none) })
    expect(problem?.fix).toBe('no isolation that is installed provides it: remove service.notes.tmp_size')
  })

  it('is a problem too when this machine keeps the adapter from it', async () => {
    const lost = [{ capability: 'res.memory', reason: 'there is no memory controller', fix: 'delegate it' }]
    const weak = mapOf(adapterWith('sandbox', ['res.memory', 'res.cpu'], { lost }))
    const problems = await checkText('isolation = "sandbox"\nmemory_max = "1G"\ncpu_max = 1', { adapters: weak })
    expect(problems).toMatchObject([
      {
        key: 'service.notes.memory_max',
        fault: 'machine',
        fix: 'delegate it; as a last resort go without: add "no-memory-limit" to service.notes.accept',
        message: expect.stringContaining('cannot keep on this machine: there is no memory controller'),
      },
    ])
  })

  it("is not asked for by the machine's own network or by empty lists", async () => {
    await expect(checkText('isolation = "none"\nnetwork = "host"\nread = []')).resolves.toEqual([])
  })
})

it('a grant that is not there is this machine’s fault, unless the config would not allow it anywhere', async () => {
  const text = (grant: string) =>
    `[settings]\nlog_dir = "${root}/log"\n[service.notes]\ncommand = "./server"\ncwd = "${root}/code"\nisolation = "sandbox"\nlisten = "fd"\nread = ["${root}/${grant}"]\n`
  const problemsOf = async (grant: string) => {
    const reading = readConfig({ file: join(root, 'tenement.toml'), text: text(grant) }, surroundings)
    return (await checkReading(reading, { adapters, machine, probes: new Map(), faults: new Map() })).problems
  }
  expect(await problemsOf('gone')).toMatchObject([
    { key: 'service.notes.read[0]', fault: 'machine', message: expect.stringContaining('does not exist') },
  ])
  const [problem, ...others] = await problemsOf('log/gone')
  expect(problem).toMatchObject({ key: 'service.notes.read[0]', code: 'invalid_config' })
  expect(others).toEqual([])
})

it('a folder that an isolation covers with one of its own is a problem', async () => {
  const sight = { shown: [], own: [], closed: [root] }
  const covering: Adapters = new Map([['sandbox', { ...adapterWith('sandbox', []), sight }]])
  await expect(checkText('isolation = "sandbox"', { adapters: covering })).resolves.toMatchObject([
    { key: 'service.notes.cwd' },
  ])
})

describe('an adapter', () => {
  it('that cannot run here is a problem with its own way out', async () => {
    const problem = { reason: 'bwrap is not there', fix: 'apt-get install bubblewrap' }
    const broken = mapOf(adapterWith('sandbox', [], { usable: false, problem }))
    await expect(checkText('isolation = "sandbox"', { adapters: broken })).resolves.toMatchObject([
      {
        key: 'service.notes.isolation',
        code: 'unsupported_machine',
        message: expect.stringContaining('bwrap is not there'),
        fix: problem.fix,
      },
    ])
  })

  it('that shows cwd to tenants must not show them state, sockets, output or data with it', async () => {
    const text = `isolation = "sandbox"\n[settings]\n`
    const problems = await checkText(text.replace('\n[settings]', ''), { adapters })
    expect(problems).toEqual([])
    const inside = readConfig(
      {
        file: join(root, 'tenement.toml'),
        text: `[settings]\ndata_dir = "${root}/code/data"\n[service.notes]\ncommand = "./server"\ncwd = "code"\nisolation = "sandbox"\n`,
      },
      surroundings,
    )
    expect((await findingsOf(inside.config, adapters, machine)).problems).toMatchObject([
      { key: 'service.notes.cwd', message: expect.stringContaining('holds the data of notes') },
    ])
  })
})

testAsUser('code in a folder that this user may not enter is a problem', async () => {
  chmodSync(join(root, 'code'), 0o600)
  const problems = await checkText('isolation = "none"')
  chmodSync(join(root, 'code'), 0o755)
  expect(problems).toMatchObject([
    { key: 'service.notes.cwd', message: expect.stringContaining('may not be entered by this user') },
  ])
})

describe('with uids of tenants', () => {
  it('code others may not read is a problem, and nothing else is said about it', async () => {
    chmodSync(join(root, 'code'), 0o700)
    const problems = await checkText('isolation = "none"', { machine: withUids })
    const asOneself = await checkText('isolation = "none"')
    chmodSync(join(root, 'code'), 0o755)
    expect(problems).toMatchObject([
      { key: 'service.notes.cwd', message: expect.stringContaining('may not be opened by the uids of tenants') },
    ])
    expect(asOneself).toEqual([])
  })

  it('data in a folder others may not pass through is a problem that names the folder', async () => {
    mkdirSync(join(root, 'private'), { mode: 0o700 })
    const text = `isolation = "none"\ndata = "${root}/private/data/{id}"`
    await expect(checkText(text, { machine: withUids })).resolves.toMatchObject([
      {
        key: 'service.notes.data',
        message: expect.stringContaining(`"${root}/private" bars the uids`),
        fix: expect.stringContaining(`chmod o+x "${root}/private"`),
      },
    ])
    await expect(checkText(text)).resolves.toEqual([])
  })
})

describe("a PATH of the service's own", () => {
  it('replaces that of instances', async () => {
    const { config } = readConfig(
      {
        file: join(root, 'tenement.toml'),
        text: `[service.notes]\ncommand = "server"\nisolation = "none"\nenv = { PATH = "/nowhere:${root}/code" }\n`,
      },
      surroundings,
    )
    expect((await findingsOf(config, adapters, machine)).problems).toEqual([])
  })
})

it('every key that asks for a promise is named in the vocabulary once per promise', () => {
  const asked = Object.values(capabilities).flatMap(({ askedBy }) =>
    askedBy.map(({ key, value }) => `${key}=${value ?? '*'}`),
  )
  expect(asked.sort()).toEqual(
    [
      'network=private',
      'network=internet',
      'network=internet',
      'memory_max=*',
      'pids_max=*',
      'cpu_max=*',
      'cpu_weight=*',
      'seccomp=*',
      'read=*',
      'write=*',
      'files_max=*',
      'tmp_size=*',
      'secrets=*',
      'storage_max=*',
    ].sort(),
  )
})

it('every promise the adapter "none" makes is in the vocabulary', () => {
  for (const promise of Object.keys(none.capabilities)) expect(Object.keys(capabilities)).toContain(promise)
})

describe('problems are told', () => {
  const problem = {
    file: '/etc/tenement.toml',
    line: 3,
    column: 1,
    key: 'service.a.cwd',
    code: 'invalid_config',
    message: 'it is\u001b[2J wrong',
    fix: 'mend it',
  } as const

  it('to a person with place, sentence and way out, and nothing a terminal would obey', () => {
    expect(formatProblems([problem, { file: '/etc/t', key: '', code: 'internal', message: 'x' }], '/etc')).toBe(
      'tenement.toml:3  service.a.cwd  invalid_config\nit is\\u001b[2J wrong\n→ mend it\n\nt  internal\nx',
    )
    expect(formatProblems([problem], '/srv')).toMatch(/^\/etc\/tenement\.toml:3 /)
  })

  it('to a program with every field, null where there is none', () => {
    expect(reportProblems([problem])).toEqual([
      { ...problem, fault: 'config', value: null, suggestion: null, service: null },
    ])
  })
})

describe('a plug-in that provides no adapter', () => {
  const text = `
[service.api]
command = "sh"
cwd = "/"
isolation = "none"
[service.jailed]
command = "sh"
cwd = "/"
data = "/data/jailed/{id}"
isolation = "jail"
[isolation.jail]
plugin = "./jail.js"
[isolation.other]
plugin = "./other.js"
`
  const found = async (faults: Isolation['faults']) => {
    const { config } = readConfig({ file: '/srv/tenement.toml', text }, surroundings)
    return check(config, { adapters, faults, machine, probes: new Map() })
  }

  it('is a problem of its services alone, and a warning where there are none', async () => {
    const fault = { reason: 'it threw', fix: 'mend it' }
    const { problems, warnings } = await found(
      new Map([
        ['jail', fault],
        ['other', fault],
      ]),
    )
    expect(problems).toMatchObject([
      { key: 'service.jailed.isolation', code: 'unusable_plugin', fault: 'machine', service: 'jailed', fix: 'mend it' },
    ])
    expect(warnings).toMatchObject([{ key: 'isolation.other', fix: 'mend it' }])
  })

  it('is a problem of the config where its own keys are wrong, at the key', async () => {
    const issues = [{ message: 'is no option', path: ['runtme'], expected: ['runtime'] }]
    const { problems } = await found(new Map([['jail', { issues, reason: '', fix: '' }]]))
    expect(problems).toMatchObject([
      {
        key: 'isolation.jail.runtme',
        code: 'invalid_config',
        suggestion: 'runtime',
        message: 'isolation.jail.runtme is no option',
      },
    ])
  })

  it('says nothing of a config that is meant for another machine, on which it was not asked for', async () => {
    expect((await found(new Map())).problems).toEqual([])
  })
})
