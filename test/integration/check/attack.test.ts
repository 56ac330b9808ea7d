// `tenement check --attack` as a person runs it: what it prints and stores, what it leaves on the machine, and what `check` says of
// it later. One adapter at a time: the whole run is the project's measure, not each test's.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { isRoot, testAsRoot, testAsRootInTheOpen } from '../../helpers/root.ts'
import { newTenantUids } from '../../helpers/tenantUids.ts'

const main = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))
const uids = newTenantUids()

let root: string
let file: string
beforeAll(() => {
  const parent = isRoot ? '/var/lib' : join(homedir(), '.local/state')
  mkdirSync(parent, { recursive: true })
  root = mkdtempSync(join(parent, 'tenement-test-'))
  file = writeConfig('')
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const writeConfig = (more: string): string => {
  const path = join(root, 'tenement.toml')
  writeFileSync(
    path,
    `[settings]
data_dir = "${root}/data"
state_dir = "${root}/state"
run_dir = "${root}/run"
log_dir = "${root}/log"
tenant_uids = "${uids.first}-${uids.last}"
[service.api]
command = "sleep 60"
cwd = "/usr"
isolation = "none"
[instances]
api = ["one"]
${more}`,
  )
  return path
}

interface Ran {
  readonly code: number | undefined
  readonly pid: number | undefined
  readonly stdout: string
  readonly stderr: string
  // biome-ignore lint/suspicious/noExplicitAny: the JSON of a command; each test looks at what it expects
  json(): any
}

/** In words, so that a failure says what got through. */
const brokenIn = (report: { readonly rows: readonly Record<string, unknown>[] }): readonly string[] =>
  report.rows
    .filter(({ outcome }) => outcome === 'broken')
    .map(({ row, promisedBy, because }) => `${row} of ${promisedBy}: ${JSON.stringify(because)}`)

const check = async (
  args: readonly string[],
  options: { readonly env?: Record<string, string>; readonly uid?: number } = {},
): Promise<Ran> => {
  const { uid, env } = options
  const running = execa(process.execPath, [main, 'check', ...args], {
    reject: false,
    timeout: 150_000,
    ...(env === undefined ? {} : { env }),
    ...(uid === undefined ? {} : { uid, gid: uid, cwd: '/' }),
  })
  const { exitCode, stdout, stderr } = await running
  return { code: exitCode, pid: running.pid, stdout, stderr, json: () => JSON.parse(stdout) }
}

const withConfig = (...args: string[]): Promise<Ran> => check(['--config', file, ...args])

/** A run takes half a minute where nobody else does anything. */
const timeoutMs = 180_000
vi.setConfig({ testTimeout: timeoutMs })

describe('check --attack', () => {
  let ran: Ran
  beforeAll(async () => {
    ran = await withConfig('--attack', '--json', '--html', join(root, 'report.html'))
  }, timeoutMs)

  test('keeps every promise of "none" on this machine, and ends with 0', () => {
    const proof = ran.json()
    expect(
      proof.adapters.flatMap((each: { rows: { outcome: string }[] }) =>
        each.rows.filter(({ outcome }) => outcome === 'broken'),
      ),
    ).toEqual([])
    expect(ran.code).toBe(0)
    expect(proof.ok).toBe(true)
  })

  test('attacks what the services of the config use, and nothing else', () => {
    expect(ran.json().adapters.map(({ adapter }: { adapter: string }) => adapter)).toEqual(['none'])
  })

  test('tells every number of the attack corpus, each with an outcome and a reason where it was not stopped', () => {
    const [report] = ran.json().adapters
    const numbers = new Set(report.rows.map(({ row }: { row: string }) => Number.parseInt(row, 10)))
    expect(Array.from({ length: 80 }, (_, index) => index + 1).filter((row) => !numbers.has(row))).toEqual([])
    for (const row of report.rows) {
      expect(['stopped', 'allowed', 'broken', 'not run']).toContain(row.outcome)
      expect(typeof row.sentence).toBe('string')
      if (row.outcome === 'not run') expect(row.because.length, `row ${row.row}`).toBeGreaterThan(0)
    }
    const counted = Object.values<number>(report.counts).reduce((sum, each) => sum + each, 0)
    expect(counted).toBe(report.rows.length)
  })

  test('says what it was run on', () => {
    const { fingerprint } = ran.json()
    expect(fingerprint.kernel).toContain(readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim())
    expect(Object.keys(fingerprint)).toEqual([
      'kernel',
      'bubblewrap',
      'libseccomp',
      'tenement',
      'node',
      'caller',
      'cgroups',
    ])
  })

  test('tells of known faults by what it tried', () => {
    const faults = ran.json().builds.map(({ fault }: { fault: string }) => fault)
    expect(faults).toEqual(['CVE-2026-87766', 'CVE-2026-31431', 'CVE-2026-43284'])
  })

  test('writes a page with every row, the score of the service and what it was run on, beside what it prints', () => {
    const page = readFileSync(join(root, 'report.html'), 'utf8')
    const proof = ran.json()
    for (const { row } of proof.adapters[0].rows) expect(page).toContain(`<th scope="row" class="number">${row}</th>`)
    expect(page).toContain('<p class="verdict good">No promise was broken')
    expect(page).toContain(proof.fingerprint.kernel)
    expect(page).toMatch(/<h3>api: \d\.\d of 10<\/h3>/)
    expect(ran.stderr).toContain(`the report is in ${root}/report.html`)
    expect(readdirSync(root).filter((name) => name.startsWith('.'))).toEqual([])
  })

  test('leaves nothing of it on the machine', () => {
    const left = ['/var/lib', join(homedir(), '.local/state/tenement'), '/dev/shm', '/dev/mqueue']
      .filter((folder) => existsSync(folder))
      .flatMap((folder) => readdirSync(folder))
      .filter((name) => name.startsWith(`tenement-attack-${ran.pid}-`))
    expect(left).toEqual([])
  })

  test('is kept where only its own user can have written it', () => {
    const stored = join(root, 'state', 'proof.json')
    expect(statSync(stored).mode & 0o777).toBe(0o600)
    expect(JSON.parse(readFileSync(stored, 'utf8')).adapters.none.report.adapter).toBe('none')
  })

  test('is told by check from then on, with its age and what was broken', async () => {
    const { stdout } = await withConfig()
    expect(stdout).toMatch(/^last proof: \d+ (second|minute)s? ago, 0 broken$/m)
    expect((await withConfig('--json')).json().lastProof).toMatchObject({ state: 'proved', broken: 0 })
  })

  test('is stale when the kernel is another one', async () => {
    const stored = join(root, 'state', 'proof.json')
    const whole = readFileSync(stored, 'utf8')
    const other = JSON.parse(whole)
    other.adapters.none.fingerprint.kernel = '5.10.0 x64'
    writeFileSync(stored, JSON.stringify(other))
    const { stdout } = await withConfig()
    expect(stdout).toMatch(
      /^last proof is stale: the kernel changed from 5\.10\.0 x64 to \S+ \S+: run tenement check --attack$/m,
    )
    writeFileSync(stored, whole)
  })

  test('says nothing of an isolation that was not attacked', async () => {
    const { lastProof } = (await check(['--config', file, '--isolation', 'sandbox', '--json'])).json()
    // The config uses "none", and that alone was asked about.
    expect(lastProof.state).toBe('proved')
    const other = join(root, 'other.toml')
    writeFileSync(other, readFileSync(file, 'utf8').replace('isolation = "none"', 'isolation = "namespace"'))
    expect((await check(['--config', other, '--json'])).json().lastProof).toMatchObject({
      state: 'never',
      because: ['namespace'],
    })
  })
})

describe('check --attack starts nothing', () => {
  test('where the config is wrong, and ends with 2', async () => {
    const wrong = join(root, 'wrong.toml')
    writeFileSync(wrong, '[service.api]\ncommand = "sleep 60"\nisolation = "none"\nnonsense = true\n')
    const { code, stdout } = await check(['--config', wrong, '--attack'])
    expect(stdout).toContain('nonsense')
    expect(stdout).not.toContain('OUTCOME')
    expect(code).toBe(2)
  })

  test('where the page that is asked for cannot be written, or could be written elsewhere', async () => {
    const planted = join(root, 'planted.html')
    symlinkSync(join(root, 'canary'), planted)
    for (const page of [planted, join(root, 'no-folder', 'report.html')]) {
      const { code, stdout, stderr } = await check(['--config', file, '--attack', '--html', page])
      expect(stderr).toContain(`the report cannot be written to "${page}"`)
      expect(stderr).not.toContain('attacking')
      expect(stdout).toBe('')
      expect(code).toBe(2)
    }
    expect(existsSync(join(root, 'canary'))).toBe(false)
  })

  test('where a page is asked for and no attack', async () => {
    const { code, stderr } = await check(['--config', file, '--html', join(root, 'none.html')])
    expect(stderr).toContain('→ write tenement check --attack --html report.html')
    expect(code).toBe(2)
    expect(existsSync(join(root, 'none.html'))).toBe(false)
  })

  test('where it is told not to ask the machine', async () => {
    const { code, stderr } = await check(['--config', file, '--attack', '--no-machine'])
    expect(stderr).toContain('leave one of them out')
    expect(code).toBe(2)
  })

  test('where there is no such isolation', async () => {
    expect((await check(['--attack', '--isolation', 'sandbx'])).code).toBe(2)
  })
})

describe('a stored proof', () => {
  testAsRoot('that the server could have written is not believed', async () => {
    const other = join(root, 'planted')
    mkdirSync(other)
    writeFileSync(join(other, 'proof.json'), readFileSync(join(root, 'state', 'proof.json')))
    const path = join(root, 'planted.toml')
    writeFileSync(path, readFileSync(file, 'utf8').replace(`${root}/state`, other))
    expect((await check(['--config', path, '--json'])).json().lastProof.state).toBe('proved')
    await execa('chown', ['65534', join(other, 'proof.json')])
    expect((await check(['--config', path, '--json'])).json().lastProof.state).toBe('never')
  })
})

testAsRootInTheOpen('an ordinary user is told what is lost, and none of it is called broken', async () => {
  const uid = newTenantUids().first
  const home = join(root, 'home')
  await execa('chmod', ['711', root])
  await execa('install', ['-d', '-o', String(uid), '-g', String(uid), '-m', '700', home])
  const ran = await check(['--attack', '--isolation', 'none', '--json'], {
    uid,
    env: { HOME: home, XDG_STATE_HOME: join(home, 'state'), PATH: process.env.PATH ?? '' },
  })
  const [report] = ran.json().adapters
  expect(brokenIn(report)).toEqual([])
  expect(report.lost.map(({ capability }: { capability: string }) => capability)).toContain('user.perTenantUid')
  const row4 = report.rows.find(({ row }: { row: string }) => row === '4')
  expect(row4).toMatchObject({ outcome: 'allowed', because: ['lost here: user.perTenantUid'] })
  expect(ran.code).toBe(0)
})
