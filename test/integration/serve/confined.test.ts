// A service under each isolation by one word of the config, and what its config adds to that: secrets, and losses accepted.
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { makeTemporaryDirectory } from '../../helpers/launcher.ts'
import { testAsRoot } from '../../helpers/root.ts'
import { startTenement } from '../../helpers/tenement.ts'

describe('a service whose config asks for confinement', () => {
  testAsRoot('finds its secrets as files, and is told in status with what was attested', async () => {
    const root = makeTemporaryDirectory()
    const secrets = join(root, 'secrets')
    mkdirSync(secrets, { mode: 0o700 })
    writeFileSync(join(secrets, 'token'), 'a secret of this test', { mode: 0o600 })
    const code = join(root, 'code')
    mkdirSync(code)
    writeFileSync(
      join(code, 'app.mjs'),
      `import { createServer } from 'node:http'
       import { readFileSync } from 'node:fs'
       createServer((_, res) => res.end(readFileSync('/run/secrets/TOKEN', 'utf8'))).listen({ fd: 3 })`,
    )
    for (const folder of [root, code]) chmodSync(folder, 0o755)
    const tenement = await startTenement({
      root,
      config: `
[service.api]
command = "node app.mjs"
cwd = "${code}"
isolation = "sandbox"
listen = "fd"
secrets = { TOKEN = { file = "${join(secrets, 'token')}" } }
[instances]
api = ["alice"]
`,
    })
    expect(await tenement.ask('alice.api.test')).toMatchObject({ status: 200, body: 'a secret of this test' })
    const { attestation } = await tenement.status('api:alice')
    expect(attestation).toMatchObject({
      at: expect.stringMatching(/^\d{4}-.*Z$/),
      found: {
        'pid.private': expect.stringMatching(/^pid:\[\d+\]$/),
        'caps.none': expect.stringContaining('CapEff 0'),
      },
    })
    const { stdout } = await tenement.command('status', 'api:alice')
    expect(stdout).toMatch(/^attested: +\d{4}-.*Z, \d+ facts as planned$/m)
    expect(stdout + JSON.stringify(attestation)).not.toContain('a secret of this test')
    await tenement.stop()
    rmSync(root, { recursive: true })
  })
})
