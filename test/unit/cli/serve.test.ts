import { describe, expect, it } from 'vitest'
import { servable } from '../../../src/cli/commands/serve.ts'
import { parseConfig } from '../../../src/config/load.ts'
import type { Problem } from '../../../src/config/problem.ts'

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

const problem = (service?: string, code: Problem['code'] = 'unsupported_machine'): Problem => ({
  file: '/srv/tenement.toml',
  key: '',
  code,
  message: 'is wrong',
  ...(service === undefined ? {} : { service }),
})

describe('serve', () => {
  it('serves a config without problems as it is', () => {
    expect(servable({ config, problems: [] }, false)).toEqual({ config, unrunnable: {} })
  })

  it('serves nothing of a config with a problem', () => {
    expect(servable({ config, problems: [problem('api')] }, false)).toBeUndefined()
  })

  it('refuses a service this machine cannot run, with the reason, when it is to keep going', () => {
    expect(servable({ config, problems: [problem('api')] }, true)).toEqual({ config, unrunnable: { api: 'is wrong' } })
  })

  it('does not keep going past a fault in the config, even of a single service', () => {
    expect(servable({ config, problems: [problem('api', 'invalid_config')] }, true)).toBeUndefined()
  })

  it('does not keep going past a problem that is no single service’s', () => {
    expect(servable({ config, problems: [problem('api'), problem()] }, true)).toBeUndefined()
  })

  it('does not keep going with no service left', () => {
    expect(servable({ config, problems: [problem('api'), problem('web')] }, true)).toBeUndefined()
  })
})
