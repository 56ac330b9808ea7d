// A tenement on a kernel that lets tenants make no user namespaces, one way or another: which one is set before this begins. What
// cannot be confined is refused, everything else is served, and what is told as the fix is one.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { apps, startTenement, type Tenement } from '../helpers/tenement.ts'
import { readSetting, requireVirtualMachine, writeSetting } from './virtualMachine.ts'

interface Restriction {
  readonly setting: string
  readonly reason: RegExp
}

const restrictions: readonly Restriction[] = [
  {
    setting: 'kernel.unprivileged_userns_clone',
    reason: /the kernel keeps it for root \(kernel\.unprivileged_userns_clone = 0, Debian\)/,
  },
  {
    setting: 'user.max_user_namespaces',
    reason: /no further user namespace may be made: user\.max_user_namespaces is 0/,
  },
]

const serviceOf = (isolation: string): string => `
[service.${isolation}]
command = "node app.mjs"
cwd = "${apps}"
isolation = "${isolation}"
data = "{data_dir}/{name}/{id}"
start_timeout = "5m"
`

const isolations = ['none', 'namespace', 'sandbox']
const config = `
${isolations.map(serviceOf).join('')}
[instances]
${isolations.map((isolation) => `${isolation} = ["alice"]`).join('\n')}
`

describe('a tenement whose kernel keeps user namespaces from tenants', () => {
  let tenement: Tenement
  let found: Restriction
  beforeAll(async () => {
    requireVirtualMachine()
    const inForce = restrictions.filter(({ setting }) => readSetting(setting) === '0')
    const [only, ...others] = inForce
    if (only === undefined || others.length > 0) throw new Error(`${inForce.length} restrictions are set, not one`)
    found = only
    tenement = await startTenement({ config, settings: 'hold_timeout = "5m"' })
  })
  afterAll(() => tenement?.stop())

  test('says at its start which services it refuses, and why', () => {
    expect(tenement.output()).toMatch(
      /warning: this machine cannot run namespace, sandbox: refused, the others are served/,
    )
    expect(tenement.output()).toMatch(found.reason)
  })

  test('serves the service that needs none, though this kernel has no module that tells who listens', async () => {
    expect(await tenement.ask('alice.none.test')).toMatchObject({ status: 200, body: 'hello from none:alice' })
  })

  for (const isolation of ['namespace', 'sandbox'])
    test(`hands no request to "${isolation}", and says so`, async () => {
      const { status, headers } = await tenement.ask(`alice.${isolation}.test`)
      expect(status).toBe(503)
      expect(headers).toMatchObject({ 'x-tenement-reason': 'unavailable', 'x-tenement-delivered': '0' })
      expect(await tenement.status(`${isolation}:alice`)).toMatchObject({
        pid: null,
        refused: expect.stringMatching(found.reason),
      })
    })

  // The last: from here on the kernel is another.
  test('tells by `tenement check` what is missing, exits with 3, and can run everything once the fix it tells was applied', async () => {
    const { exitCode, stdout } = await tenement.command('check')
    expect(exitCode).toBe(3)
    console.log(stdout)
    for (const isolation of ['namespace', 'sandbox'])
      expect(stdout).toMatch(new RegExp(`^${isolation} .*cannot run here: .*${found.reason.source}`, 'm'))
    expect(stdout).toMatch(/^none .*can run/m)
    const [, value] = new RegExp(`→ sysctl ${found.setting}=(\\d+)[;,]`).exec(stdout) ?? []
    expect(value).toBeDefined()
    writeSetting(found.setting, String(value))
    expect((await tenement.command('check')).exitCode).toBe(0)
  })
})
