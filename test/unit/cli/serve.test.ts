import { describe, expect, it } from 'vitest'
import type { Probes } from '../../../src/check/probes.ts'
import { exitCodeOf, servedOf } from '../../../src/cli/unrunnable.ts'
import { parseConfig } from '../../../src/config/load.ts'
import type { Problem } from '../../../src/config/problem.ts'
import { builtinAdapters as adapters } from '../../../src/isolation/registry.ts'

const text = `
[service.api]
command = "api"
isolation = "none"

[service.web]
command = "web"
isolation = "none"
data = "{data_dir}/web/{id}"

[instances]
api = ["carol"]
web = ["carol"]

[hosts]
"api.acme.com" = "api:carol"
"web.acme.com" = "web:carol"
`

const config = parseConfig(
  { file: '/srv/tenement.toml', text },
  { env: {}, cwd: '/srv', home: '/home/ann', isRoot: false, processors: 2 },
)

const onMachine = (service?: string): Problem => ({
  file: '/srv/tenement.toml',
  key: '',
  code: 'unsupported_machine',
  fault: 'machine',
  message: 'is wrong',
  ...(service === undefined ? {} : { service }),
})

const inConfig = (service: string): Problem => {
  const { fault, ...problem } = onMachine(service)
  return { ...problem, code: 'missing_capability' }
}

const probes: Probes = new Map([
  ['none', { usable: true, lost: [{ capability: 'user.perTenantUid', reason: 'no root' }] }],
])

const served = (...problems: readonly Problem[]) => servedOf({ config, problems, probes, adapters })

describe('serve', () => {
  it('serves a config without problems as it is, and tells the server what this machine cannot keep', () => {
    const lost = ['user.perTenantUid']
    expect(served()).toEqual({ config, adapters, unrunnable: {}, givenUp: { api: lost, web: lost } })
  })

  it('refuses a service this machine cannot run, with the reason, and serves the others', () => {
    expect(served(onMachine('api'))).toEqual({
      config,
      adapters,
      unrunnable: { api: 'is wrong' },
      givenUp: { web: ['user.perTenantUid'] },
    })
  })

  it('serves nothing of a config that is wrong itself, even in a single service, and whatever the machine cannot run besides', () => {
    expect(served(inConfig('api'))).toBe(2)
    expect(served(onMachine('web'), inConfig('api'))).toBe(2)
  })

  it('serves nothing while a problem is no single service’s', () => {
    expect(served(onMachine('api'), onMachine())).toBe(3)
  })

  it('ends with 3 when this machine can run none of the services', () => {
    expect(served(onMachine('api'), onMachine('web'))).toBe(3)
  })
})

it('a problem of the config counts more than one of the machine', () => {
  expect(exitCodeOf([])).toBe(0)
  expect(exitCodeOf([onMachine('api')])).toBe(3)
  expect(exitCodeOf([onMachine('api'), inConfig('web')])).toBe(2)
})
