import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatConfig, reportConfig, writeDuration, writeSize } from '../../../src/cli/formatConfig.ts'
import { parseConfig } from '../../../src/config/load.ts'
import type { Config } from '../../../src/config/schema.ts'
import { parseDuration, parseSize } from '../../../src/config/units.ts'

const surroundings = { env: {}, cwd: '/srv', home: '/home/ann', isRoot: false, processors: 2 }

const text = `
[settings]
listen = [":80", "[::1]:8080"]
domain = ["example.com", "example.org"]
trusted_proxies = ["10.0.0.0/8"]
hold_timeout = "1500ms"
page_after = "never"
metrics = "[::1]:9464"

[service.api]
command = "python3 'my app.py' {port}"
isolation = "none"
idle_timeout = "never"
memory_max = "256MB"
ready = "log:^listening on \\\\d+"
stop_signal = "INT"
env = { TOKEN = "hush-of-all", N = 3 }

[service.api.tenant.carol]
idle_timeout = "1h30m"
tmp_size = 4097
env = { TOKEN = "hush-of-carol" }

[service.web]
command = ["web"]
isolation = "none"
health = "/up"
idle_timeout = 90
open = true
data = "{data_dir}/web/{id}"
freeze_after = "1m"
asleep_health = "/up"
max_body = "1MB"

[service.web.tenant.dave]
idle_timeout = "never"

[instances]
api = ["carol", "dave"]

[hosts]
"shop.acme.com" = "api:carol"
`

const file = '/srv/tenement.toml'
const config = parseConfig({ file, text }, surroundings)
const withoutText = ({ text: _, ...rest }: Config) => rest

describe('config show', () => {
  it('prints a file that means exactly the same config', () => {
    const again = parseConfig({ file, text: formatConfig(config, true) }, surroundings)
    expect(withoutText(again)).toEqual(withoutText(config))
  })

  it('prints no value of an environment unless asked for', () => {
    for (const shown of [formatConfig(config, false), JSON.stringify(reportConfig(config, false))]) {
      expect(shown).not.toContain('hush')
      expect(shown).toContain('TOKEN')
    }
    expect(formatConfig(config, true)).toContain('hush-of-carol')
    expect(JSON.stringify(reportConfig(config, true))).toContain('hush-of-all')
  })

  it('names the file it was read from', () => {
    expect(formatConfig(config, false)).toMatch(/^# \/srv\/tenement\.toml, /)
    expect(reportConfig(config, false)).toMatchObject({ file })
  })

  it('fills in defaults in the spelling of the file', () => {
    const shown = formatConfig(config, false)
    expect(shown).toContain('start_timeout = "1m"')
    expect(shown).toContain('hold_timeout = "1s500ms"')
    expect(shown).toContain('memory_max = "256MB"')
    expect(shown).toContain('idle_timeout = "never"')
    expect(shown).toContain('run_dir = "/home/ann/.local/state/tenement/run"')
  })

  it('tells programs milliseconds and bytes, and null for never', () => {
    expect(reportConfig(config, false)).toMatchObject({
      settings: { holdTimeoutMs: 1_500, pageAfterMs: null },
      services: {
        api: { memoryMaxBytes: 256 * 1024 ** 2, idleTimeoutMs: null },
        web: { idleTimeoutMs: 90_000, tenant: { dave: { idleTimeoutMs: null } } },
      },
      instances: { api: ['carol', 'dave'] },
      hosts: { 'shop.acme.com': 'api:carol' },
    })
  })
})

describe('a value as tenement.toml has it', () => {
  it('is a duration that reads as the same number of milliseconds', () => {
    fc.assert(fc.property(fc.nat(2 ** 31), (ms) => parseDuration(writeDuration(ms)) === ms))
  })

  it('is a size that reads as the same number of bytes', () => {
    const sizes = fc.tuple(fc.nat(5_000), fc.constantFrom(1, 1024, 1024 ** 2, 1024 ** 3))
    fc.assert(fc.property(sizes, ([count, unit]) => parseSize(writeSize(count * unit)) === count * unit))
  })
})
