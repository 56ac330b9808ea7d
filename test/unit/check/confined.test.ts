// What the adapter's word, the machine and the config decide together: how an instance is reached, its profile, who probes.
import { describe, expect, it } from 'vitest'
import { checkProfile } from '../../../src/check/checkProfile.ts'
import { checkReach } from '../../../src/check/checkReach.ts'
import { probeIdentityIn } from '../../../src/check/probeIdentity.ts'
import { readConfig } from '../../../src/config/load.ts'
import { TenementError } from '../../../src/errors.ts'
import { flags } from '../../../src/isolation/options.ts'
import { adapterWith, findingsOf, machine, surroundings } from './fixtures.ts'

const configWith = (lines: string) => {
  const text = `[service.api]\ncommand = "sh"\nisolation = "jail"\n${lines}\n`
  const { config } = readConfig({ file: '/srv/tenement.toml', text }, surroundings)
  const service = config.services.get('api')
  if (service === undefined) throw new Error('the config has no service')
  return { config, service }
}

const asUser = { isRoot: false, hasTenantUids: false }
const jail = { ...adapterWith('jail', ['net.private', 'syscalls.filtered']) }

describe('a port inside a network of the instance’s own', () => {
  const reach = (lines: string, machine = asUser, network: 'host' | 'private' = 'host') =>
    checkReach(configWith(lines).service, { ...jail, defaults: { network, limits: {} } }, machine).length

  it('can be reached by root alone', () => {
    expect(reach('network = "private"')).toBe(1)
    expect(reach('network = "internet"')).toBe(1)
    expect(reach('network = "private"', { isRoot: true, hasTenantUids: true })).toBe(0)
  })

  it('is what the adapter gives a service that says nothing, and what one tenant may have alone', () => {
    expect(reach('', asUser, 'private')).toBe(1)
    expect(reach('network = "host"', asUser, 'private')).toBe(0)
    expect(reach('tenant.acme.network = "private"')).toBe(1)
  })

  it('is no matter of a service that listens on a unix socket', () => {
    expect(reach('network = "private"\nlisten = "fd"')).toBe(0)
    expect(reach('network = "private"\nlisten = "unix"')).toBe(0)
  })
})

describe('a grant of a place that instances have for themselves', () => {
  it('is told once, without how to open it to tenants', async () => {
    const { config } = configWith('read = ["/etc"]\nwrite = ["/etc"]')
    const sighted = { ...adapterWith('jail', ['fs.privateRoot']), sight: { shown: [], own: ['/etc'], closed: [] } }
    const here = { ...machine, isRoot: true, hasTenantUids: true }
    const { problems } = await findingsOf(config, new Map([['jail', sighted]]), here)
    expect(problems.filter(({ key }) => key.startsWith('service.api.write'))).toMatchObject([
      { message: expect.stringContaining('"/etc" of its own') },
    ])
    expect(problems.map(({ fix }) => fix ?? '').join()).not.toContain('chmod')
  })
})

describe('the seccomp profile in effect', () => {
  const asked: string[] = []
  const tryProfile = async (profile: string, folder: string) => {
    asked.push(`${profile} in ${folder}`)
    if (profile !== 'strict') throw new TenementError('invalid_profile', 'it is not there', { fix: 'use strict' })
  }
  const check = (lines: string, seccomp?: string) => {
    const { service, config } = configWith(lines)
    const defaults = { network: 'host' as const, limits: {}, ...(seccomp === undefined ? {} : { seccomp }) }
    const nesting = {
      options: flags({ nested: false }),
      defaultsFor: (options: unknown) =>
        JSON.stringify(options).includes('true') ? { ...defaults, seccomp: 'nested' } : defaults,
    }
    return checkProfile(service, config, { ...jail, defaults, ...nesting }, tryProfile)
  }

  it('is looked for as the service names it, relative to the file', async () => {
    expect(await check('seccomp = "strct"', 'default')).toMatchObject([
      {
        path: ['service', 'api', 'seccomp'],
        code: 'invalid_profile',
        message: 'the seccomp profile "strct" of service.api.seccomp cannot be used: it is not there',
        fix: 'use strict',
      },
    ])
    expect(asked.at(-1)).toBe('strct in /srv')
    expect(await check('seccomp = "strict"', 'gone')).toEqual([])
  })

  it('is the adapter’s where the service names none, by the service’s options', async () => {
    expect(await check('', 'gone')).toMatchObject([{ path: ['service', 'api', 'isolation'] }])
    expect(await check('')).toEqual([])
    await check('options = { nested = true }', 'gone')
    expect(asked.at(-1)).toBe('nested in /srv')
  })

  it('is no matter where the adapter filters nothing', async () => {
    const { service, config } = configWith('seccomp = "gone"')
    expect(await checkProfile(service, config, adapterWith('jail', []), tryProfile)).toEqual([])
  })
})

describe('the reasons of a seccomp profile', () => {
  const lintProfile = async (profile: string, folder: string) => {
    if (profile === './open.json') return [...'abcdefg'].map((call) => ({ call }))
    if (profile === './gone.json') throw new TenementError('invalid_profile', 'it is not there')
    return `${profile} in ${folder}` === './mine.json in /srv'
      ? [{ call: 'socket' }, { call: 'socket' }, { call: 'bpf' }]
      : []
  }
  const warningsOf = async (lines: string, promises = ['syscalls.filtered']) => {
    const { config } = configWith(lines)
    const adapters = new Map([['jail', adapterWith('jail', promises)]])
    return (await findingsOf(config, adapters, { ...machine, lintProfile })).warnings
  }

  it('are asked for beside what a profile of one’s own allows, each call once', async () => {
    expect(await warningsOf('seccomp = "./mine.json"')).toMatchObject([
      {
        key: 'service.api.seccomp',
        code: 'unexplained_call',
        message: 'the seccomp profile "./mine.json" of service.api.seccomp allows socket, bpf without a reason',
        fix: expect.stringContaining('tenement seccomp lint'),
      },
    ])
  })

  it('are asked for without listing more than can be taken in', async () => {
    expect(await warningsOf('seccomp = "./open.json"')).toMatchObject([
      { message: expect.stringContaining('allows a, b, c, d, e and 2 more without') },
    ])
  })

  it.each(['', 'seccomp = "strict"', 'seccomp = "./gone.json"'])('are no matter with %j', async (lines) => {
    expect(await warningsOf(lines)).toEqual([])
  })

  it('are no matter where the adapter filters nothing', async () => {
    expect(await warningsOf('seccomp = "./mine.json"', [])).toEqual([])
  })
})

describe('whom a probe runs as', () => {
  it('is the highest uid of the range that no process has', () => {
    expect(probeIdentityIn({ first: 10, last: 12 }, new Set([12]))).toEqual({ uid: 11, gid: 11 })
    expect(probeIdentityIn({ first: 10, last: 11 }, new Set([10, 11]))).toBeUndefined()
  })

  it('is never a uid that has a process now', () => {
    const own = process.getuid?.() ?? 0
    expect(probeIdentityIn({ first: own, last: own })).toBeUndefined()
  })
})
