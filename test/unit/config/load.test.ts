import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { loadConfig, parseConfig, readConfig } from '../../../src/config/load.ts'
import { ConfigError, type Problem } from '../../../src/config/problem.ts'
import { serviceFor } from '../../../src/config/serviceFor.ts'

const surroundings = { env: {}, cwd: '/', home: '/home/ada', isRoot: true, processors: 8 }
const file = '/srv/app/tenement.toml'
const fixture = (name: string): string => new URL(`../../fixtures/config/${name}`, import.meta.url).pathname

const parse = (text: string) => parseConfig({ file, text }, surroundings)
const problemsOf = (text: string): readonly Problem[] => readConfig({ file, text }, surroundings).problems

const smallest = '[service.api]\ncommand = "server"\nisolation = "none"\n'

const serviceOf = (text: string, name = 'api') => {
  const service = parse(text).services.get(name)
  if (service === undefined) throw new Error(`no service ${name}`)
  return service
}

describe('the smallest config', () => {
  it('gets the documented defaults', () => {
    const { settings } = parse(smallest)
    expect(settings).toEqual({
      listen: [{ host: '127.0.0.1', port: 8080 }],
      domains: ['localhost'],
      dataDir: '/var/lib/tenement/data',
      stateDir: '/var/lib/tenement/state',
      runDir: '/run/tenement',
      logDir: '/var/log/tenement',
      tenantUids: { first: 700_000, last: 765_535 },
      trustedProxies: [],
      wakesPerClient: 60,
      maxConcurrentWakes: 32,
      exposeTiming: false,
      holdTimeoutMs: 30_000,
      pageAfterMs: 1_500,
    })
    expect(serviceOf(smallest)).toEqual({
      name: 'api',
      command: ['server'],
      cwd: '/srv/app',
      isolation: 'none',
      listen: 'port',
      ready: { kind: 'tcp' },
      startTimeoutMs: 60_000,
      stopTimeoutMs: 10_000,
      stopSignal: 'SIGTERM',
      drainTimeoutMs: 30_000,
      idleTimeoutMs: 300_000,
      autostart: false,
      open: false,
      read: [],
      write: [],
      secrets: {},
      accept: [],
      data: '{data_dir}/{id}',
      queueMax: 100,
      responseTimeoutMs: 120_000,
      livenessStrict: false,
      retryPost: false,
      asleepHealth: [],
      wakesMax: 20,
      flapGuard: false,
      env: {},
      options: {},
      tenant: {},
    })
  })

  it('has at least eight wakes at once on a small machine', () => {
    const config = parseConfig({ file, text: smallest }, { ...surroundings, processors: 1 })
    expect(config.settings.maxConcurrentWakes).toBe(8)
  })
})

describe('a config that uses every key', () => {
  it('is read from its file with every value in its unit', async () => {
    const name = fixture('good-everything.toml')
    const config = await loadConfig(name, surroundings)
    expect(config.text).toBe(readFileSync(name, 'utf8'))
    expect(config.settings).toMatchObject({
      listen: [
        { host: '127.0.0.1', port: 8080 },
        { host: '::1', port: 8080 },
      ],
      domains: ['example.com', 'example.org'],
      user: 'tenement',
      tenantUids: { first: 700_000, last: 700_999 },
      trustedProxies: ['127.0.0.1', '10.0.0.0/8', '::1'],
      maxRunning: 50,
      maxConcurrentWakes: 4,
      holdTimeoutMs: 20_000,
      pageAfterMs: undefined,
    })
    expect(config.services.get('notes')).toMatchObject({
      command: ['server', '--socket', '{socket}', '--id={id}', '{{literal}}'],
      cwd: fixture('app'),
      isolation: 'sandbox',
      health: '/health',
      ready: { kind: 'http', path: '/health' },
      startTimeoutMs: 90_000,
      stopSignal: 'SIGINT',
      idleTimeoutMs: 5_400_000,
      freezeAfterMs: 600_000,
      liveness: '/alive',
      livenessStrict: true,
      network: 'internet',
      memoryMaxBytes: 268_435_456,
      cpuMax: 0.5,
      cpuWeight: 200,
      pidsMax: 64,
      filesMax: 1_024,
      tmpSizeBytes: 67_108_864,
      responseTimeoutMs: 500,
      env: { MODE: 'production', WORKERS: '2', DEBUG: 'false' },
      storageMaxBytes: 1024 ** 3,
      accept: ['shared-uid', 'no-cpu-limit'],
      secrets: { TOKEN: { file: '/etc/passwd' } },
      tenant: { acme: { storageMaxBytes: 2 * 1024 ** 3 } },
    })
    expect(config.services.get('static')).toMatchObject({
      listen: 'unix',
      ready: { kind: 'log', pattern: '^ready' },
      options: { nested: true },
    })
    expect(config.instances).toEqual(new Map(Object.entries({ notes: ['acme', 'main'], static: ['main'] })))
    expect(config.hosts).toEqual(
      new Map(Object.entries({ 'shop.acme.com': 'notes:acme', 'example.com': 'static:main' })),
    )
  })
})

describe('what differs for one tenant', () => {
  const text = `${smallest}env = { A = "1", B = "1" }\nidle_timeout = "1m"\nread = ["/usr/share"]
[service.api.tenant.acme]\nidle_timeout = "never"\nenv = { B = "2" }\nwrite = ["shared"]\n`

  it('replaces what the service says, and adds to its environment', () => {
    const service = serviceOf(text)
    expect(serviceFor(service, 'acme')).toEqual({
      ...service,
      idleTimeoutMs: undefined,
      env: { A: '1', B: '2' },
      write: ['/srv/app/shared'],
    })
  })

  it('concerns no other tenant, whatever its id', () => {
    const service = serviceOf(text)
    expect(serviceFor(service, 'zeta')).toBe(service)
    expect(serviceFor(service, 'constructor')).toBe(service)
  })
})

describe('every problem is reported', () => {
  it('at once, in the order of the file, with its place, value and service', () => {
    const text = `${smallest}comand = "x"\nlisten = "Unix"\n[hosts]\n"a.com" = "apii:acme"\n[settings]\ndomain = "a b"\n`
    expect(problemsOf(text)).toEqual([
      expect.objectContaining({
        file,
        line: 4,
        column: 1,
        key: 'service.api.comand',
        suggestion: 'command',
        service: 'api',
      }),
      expect.objectContaining({ line: 5, key: 'service.api.listen', value: '"Unix"', suggestion: 'unix' }),
      expect.objectContaining({ line: 7, key: 'hosts."a.com"', value: '"apii:acme"', suggestion: 'api' }),
      expect.objectContaining({ line: 9, key: 'settings.domain', value: '"a b"' }),
    ])
  })

  it('in one error that carries them all', () => {
    const failure = (): unknown => {
      try {
        return parse('[service.api]\n')
      } catch (error) {
        return error
      }
    }
    expect(failure()).toBeInstanceOf(ConfigError)
    expect(failure()).toMatchObject({
      code: 'invalid_config',
      message: 'service.api.command is missing (and 1 more)',
      problems: [{ line: 1 }, { line: 1 }],
    })
  })

  it('once: an instance of a service that cannot be read is no second mistake', () => {
    expect(
      problemsOf(
        '[service.api]\ncommand = 7\nisolation = "none"\n[instances]\napi = ["a"]\n[hosts]\n"a.com" = "api:b"\n',
      ),
    ).toHaveLength(1)
  })

  it('with the index as written, although wrong elements before it were left out', () => {
    const problems = problemsOf(`${smallest}[instances]\napi = ["A", "a", "B b", "a"]\n`)
    expect(problems.map(({ key }) => key)).toEqual(['instances.api[0]', 'instances.api[2]', 'instances.api[3]'])
  })

  it('while the rest of the config stands', () => {
    const { config } = readConfig(
      { file, text: `${smallest}queue_max = "x"\nautostart = true\n[service.web]\n` },
      surroundings,
    )
    expect([...config.services.keys()]).toEqual(['api'])
    expect(config.services.get('api')).toMatchObject({ queueMax: 100, autostart: true })
  })
})

describe('the values of an environment are never shown', () => {
  it.each([
    'PASSWORD = ["hunter2"]',
    '"P-W" = "hunter2"',
    'PASSWORD = "{hunter2}"',
    'PASSWORD = \'{"x": "hunter2"\'',
    'PORT = "hunter2"',
    'PASSWORD = "hunter2\\u0000"',
    'PASSWORD = "hunter2',
    'A = """\n[service.x]\nhunter2\n\\z"""',
    'env = "hunter2"',
  ])('%s', (line) => {
    for (const table of ['[service.api.env]', '[service.api.tenant.acme.env]']) {
      const text = `${smallest}${table}\n${line}\n`
      const problems = ((): unknown => {
        try {
          return readConfig({ file, text }, surroundings).problems
        } catch (error) {
          return error instanceof ConfigError ? error.problems : error
        }
      })()
      expect(JSON.stringify(problems)).not.toContain('hunter2')
    }
  })

  it('not even when the whole environment is of the wrong kind', () => {
    const problems = problemsOf(`${smallest}env = "hunter2"\n[service.api.tenant.acme]\nenv = "hunter2"`)
    expect(problems.map(({ message }) => message)).toEqual([
      'service.api.env must be a table',
      'service.api.tenant.acme.env must be a table',
    ])
  })
})

describe('a hostile config', () => {
  it('cannot reach the prototype of anything', () => {
    const text = `__proto__ = { polluted = 1 }\n[service.__proto__]\npolluted = 1\n${smallest}[service.api.env]\n__proto__ = "x"\nconstructor = "y"\n`
    const { problems, config } = readConfig({ file, text }, surroundings)
    expect(problems.map(({ key }) => key)).toEqual(['__proto__', 'service.__proto__', 'service.api.env.__proto__'])
    expect(config.services.get('api')?.env).toEqual({ constructor: 'y' })
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
  })

  it('cannot exhaust the stack with tables in tables', () => {
    const text = `${smallest}[service.api.options]\n${'a.'.repeat(50_000)}a = 1\n`
    expect(problemsOf(text)).toEqual([expect.objectContaining({ message: expect.stringContaining('deeper') })])
  })

  it('cannot flood the terminal with a line that never ends', () => {
    expect(() => readConfig({ file, text: `a = ${'['.repeat(200_000)}` }, surroundings)).toThrow(
      /^this is not TOML.{1,200}$/,
    )
  })

  it('cannot put a NUL into a path or an argument', () => {
    expect(problemsOf(`${smallest}read = ["/a\\u0000b"]`)).toEqual([
      expect.objectContaining({ key: 'service.api.read[0]' }),
    ])
  })

  it('cannot rewrite the terminal it is reported on', () => {
    const [problem] = problemsOf(`${smallest}"\\u001b[2J\\u202e" = 1`)
    expect(problem?.message).toBe('service.api has no key "\\u001b[2J\\u202e"')
  })

  it('is not run by a server that reads the network as root', () => {
    expect(problemsOf(`${smallest}[settings]\nuser = "root"`)).toHaveLength(1)
  })
})

describe('tenant uids are never those of the system', () => {
  it.each(['0-10', '999-2000', '1000-65534', '65535-65535', '1000-2147483649', '2000-1000', '1000', '-1-5', '1000-'])(
    '%s is refused',
    (range) => {
      expect(problemsOf(`${smallest}[settings]\ntenant_uids = "${range}"`)).toHaveLength(1)
    },
  )
  it.each(['1000-65533', '65536-131071', '700000-2147483648'])('%s is taken', (range) => {
    expect(problemsOf(`${smallest}[settings]\ntenant_uids = "${range}"`)).toEqual([])
  })
})
