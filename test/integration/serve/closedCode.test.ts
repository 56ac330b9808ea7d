import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { isRoot, testAsRoot } from '../../helpers/root.ts'
import { apps, startTenement, type Tenement } from '../../helpers/tenement.ts'

const repository = fileURLToPath(new URL('../../..', import.meta.url))

/** dist and what it needs at run time, without what only development needs. */
const copyProgram = async (to: string): Promise<void> => {
  for (const path of ['dist', 'package.json']) cpSync(join(repository, path), join(to, path), { recursive: true })
  const { stdout } = await execa('npm', ['ls', '--omit=dev', '--all', '--parseable'], {
    cwd: repository,
    reject: false,
  })
  const packages = stdout.split('\n').filter((path) => path.includes('/node_modules/'))
  expect(packages.length).toBeGreaterThan(10)
  for (const path of packages) {
    const target = join(to, path.slice(path.indexOf('/node_modules/')))
    mkdirSync(dirname(target), { recursive: true })
    cpSync(path, target, { recursive: true })
  }
}

describe('tenement in a home that only root can enter, with applications beside it', () => {
  const home = isRoot ? mkdtempSync('/root/tenement-test-') : ''
  let tenement: Tenement | undefined
  beforeAll(async () => {
    if (!isRoot) return
    chmodSync(home, 0o700)
    await copyProgram(home)
    cpSync(apps, join(home, 'apps'), { recursive: true })
    const config = `
[service.api]
command = "node app.mjs"
cwd = "${home}/apps"
isolation = "none"
[instances]
api = ["alice"]
`
    tenement = await startTenement({ config, program: home })
  }, 60_000)
  afterAll(async () => {
    await tenement?.stop()
    if (isRoot) rmSync(home, { recursive: true, force: true })
  })

  testAsRoot(
    'serves: the server has all its code before it gives up root, and the tenant is shown the application',
    async () => {
      expect(await tenement?.ask('alice.api.test')).toMatchObject({ status: 200, body: 'hello from api:alice' })
      const { cwd, uid } = JSON.parse((await tenement?.ask('alice.api.test', { path: '/whoami' }))?.body ?? '{}')
      expect(cwd).toBe(join(tenement?.root ?? '', 'run', 'code', 'api'))
      expect(uid).not.toBe(0)
    },
  )

  testAsRoot('answers commands and serves again after its server was killed', async () => {
    process.kill((await tenement?.serverPid()) ?? 0, 'SIGKILL')
    expect((await tenement?.ask('alice.api.test'))?.status).toBe(200)
    expect(await tenement?.status('api:alice')).toMatchObject({ phase: 'ready' })
    expect((await tenement?.command('logs', 'api:alice'))?.stdout).toContain('listening')
  })

  testAsRoot(
    'is not shown to the machine: the place where tenants find the code is empty for everybody else',
    async () => {
      const { stdout } = await execa('ls', ['-A', join(tenement?.root ?? '', 'run', 'code', 'api')])
      expect(stdout).toBe('')
    },
  )
})
