import { describe, expect, test } from 'vitest'
import { parseConfig } from '../../../src/config/load.ts'
import type { Config } from '../../../src/config/schema.ts'
import type { ListenAddress } from '../../../src/launcher/protocol.ts'
import { addressOf, greetingFor } from '../../../src/server/greeting.ts'

const configOf = (instances: string): Config =>
  parseConfig(
    {
      file: '/srv/tenement.toml',
      text: `[settings]\ndomain = "test"\n[service.api]\ncommand = "a"\nisolation = "none"\n${instances}`,
    },
    { env: {}, cwd: '/srv', home: '/home/ann', isRoot: true, processors: 2 },
  )

const greet = (instances: string, listening: readonly ListenAddress[], unrunnable: readonly string[] = []): string =>
  greetingFor({ config: configOf(instances), unrunnable, version: '1.2.3', listening })

describe('what a person sees who has just started tenement', () => {
  test('names the config and the addresses once, and an instance to wake', () => {
    const listening = [
      { host: '127.0.0.1', port: 8080 },
      { host: '::1', port: 8080 },
    ]
    const lines = greet('[instances]\napi = ["alice", "bob"]', listening).split('\n')
    expect(lines[0]).toBe('tenement 1.2.3 serves /srv/tenement.toml on localhost:8080')
    expect(lines[1]).toBe('2 instances are asleep; the first request wakes one')
    expect(lines[2]).toBe("  curl -H 'Host: alice.api.test' localhost:8080/    # wakes api:alice")
  })

  test('says how to add an instance where there is none', () => {
    expect(greet('', [{ host: '192.0.2.7', port: 80 }])).toBe(
      'tenement 1.2.3 serves /srv/tenement.toml on 192.0.2.7:80\nadd an instance: tenement add <service>:<id>',
    )
  })

  test('does not suggest what this machine cannot run', () => {
    expect(greet('[instances]\napi = ["alice"]', [{ host: '127.0.0.1', port: 8080 }], ['api'])).not.toContain('api')
  })

  test('counts only those that sleep', () => {
    const config = configOf(
      'autostart = true\n[service.api.tenant.bob]\nautostart = false\n[instances]\napi = ["alice", "bob"]',
    )
    const lines = greetingFor({ config, unrunnable: [], version: '1', listening: [{ host: '::1', port: 80 }] }).split(
      '\n',
    )
    expect(lines[1]).toBe('1 instance is asleep; the first request wakes one')
  })

  test('writes an address without the port that clients assume', () => {
    expect(addressOf('test', 80, { service: 'api', id: 'alice' })).toBe('alice.api.test')
    expect(addressOf('test', 8080, { service: 'api', id: 'alice' })).toBe('alice.api.test:8080')
  })
})
