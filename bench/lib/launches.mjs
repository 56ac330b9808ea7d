// The launches that the adapters themselves make for the server in C, and what starting one of them by hand takes: the very
// arguments and descriptors, without launcher, gate, cgroup, limits or anybody who looks whether it is confined.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chownSync, closeSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createCgroups } from '../../dist/cgroups/cgroups.js'
import { namespace } from '../../dist/isolation/namespace/index.js'
import { none } from '../../dist/isolation/none/index.js'
import { reachEnvironment } from '../../dist/isolation/reach.js'
import { sandbox } from '../../dist/isolation/sandbox/index.js'
import { openDescriptors } from '../../dist/launcher/descriptors.js'
import { signalIf } from '../../dist/launcher/libc.js'
import { descendantOf } from '../../dist/launcher/processes.js'
import { compileProfile } from '../../dist/seccomp/compileProfile.js'
import { readProfile } from '../../dist/seccomp/find.js'
import { firstByte } from './client.mjs'
import { newTenantUids } from './place.mjs'

const adapters = { none, namespace, sandbox }

const filters = {}
for (const { defaults } of Object.values(adapters)) {
  if (defaults.seccomp === undefined) continue
  const { text, file } = await readProfile(defaults.seccomp, '/')
  filters[defaults.seccomp] = compileProfile(text, { file })
}

/** What a launcher that runs in this process would have: a policy, its directories, and cgroups, which `close` removes. */
export const makeGround = ({ root, app }) => {
  const runDir = join(root, 'hand')
  for (const path of [runDir, join(runDir, 's'), join(runDir, 'launcher'), join(root, 'hand-data')])
    mkdirSync(path, { mode: 0o711, recursive: true })
  const tenantUids = newTenantUids()
  const policy = {
    runDir,
    logDir: join(root, 'hand-log'),
    stateDir: join(root, 'hand-state'),
    dataRoots: [join(root, 'hand-data')],
    codeDirs: [{ path: app }],
    grants: {},
    ...(tenantUids === undefined ? {} : { tenantUids }),
    log: { maxBytes: 1_000_000, files: 2, bytesPerSecond: 100_000 },
  }
  const cgroups = createCgroups({ runDir, signalIf })
  return { policy, app, root, cgroups, close: cgroups.close }
}

let tenants = 0

/** The launch of a new instance, reached by an inherited socket, as one of the adapters prepares it. */
export const prepareLaunch = async ({ policy, app }, isolation) => {
  const adapter = adapters[isolation]
  const run = randomBytes(6).toString('hex')
  const id = `i${tenants}`
  const uid = (policy.tenantUids?.first ?? 0) + (tenants % 1_000)
  tenants += 1
  const identity = policy.tenantUids === undefined ? undefined : { uid, gid: uid }
  const reach = { kind: 'fd', socket: join(policy.runDir, 's', `${run}.sock`) }
  const launch = await adapter.prepare({
    instance: `bench:${id}`,
    argv: [join(app, 'hello')],
    env: { PATH: '/usr/bin:/bin', ...reachEnvironment(reach) },
    cwd: app,
    dataDir: join(policy.dataRoots[0], id),
    identity,
    reach,
    network: adapter.defaults.network,
    read: [],
    write: [],
    secrets: [],
    filter: filters[adapter.defaults.seccomp],
    limits: adapter.defaults.limits,
    options: adapter.options === undefined ? {} : { nested: false },
  })
  return { type: 'launch', run, service: 'bench', id, launch, watch: false, note: null }
}

/** The same program without the gate at which a launcher would hold it. */
const withoutGate = (launch) => {
  const gate = launch.descriptors.find(({ kind }) => kind === 'gate')
  if (gate === undefined) return launch
  const strip = ({ content, ...rest }) => {
    const list = Buffer.from(content).toString().split('\0')
    const at = list.indexOf('--block-fd')
    return { ...rest, content: Buffer.from(list.toSpliced(at, 2).join('\0')) }
  }
  const named = launch.argv[launch.argv.indexOf('--args') + 1]
  const descriptors = launch.descriptors
    .filter((each) => each !== gate)
    .map((each) => (String(each.fd) === named ? strip(each) : each))
  return { ...launch, descriptors }
}

const hasEnded = (child) => child.exitCode !== null || child.signalCode !== null

/** Ends the namespace whole, through its first process where there is one. */
const endWhole = async (child, depth) => {
  const ended = hasEnded(child) ? undefined : new Promise((resolve) => void child.once('exit', resolve))
  const first = depth > 0 ? descendantOf(child.pid, depth - 1) : undefined
  process.kill(first ?? child.pid, 'SIGKILL')
  await ended
}

/** Starts a launch by hand and asks it; resolves with the milliseconds to its first byte. It is ended then. */
export const startByHand = async (
  { policy, cgroups },
  { run, service, launch: whole },
  { argv, isIdentityKept = true } = {},
) => {
  const launch = withoutGate(whole)
  const opened = []
  const keep = (fd) => {
    opened.push(fd)
    return fd
  }
  mkdirSync(launch.directories[0].path, { recursive: true, mode: 0o700 })
  if (launch.identity !== undefined) chownSync(launch.directories[0].path, launch.identity.uid, launch.identity.gid)
  // Made only to be shown, as some arguments ask for: what is started by hand joins none.
  const isShown = launch.descriptors.some(({ kind }) => kind === 'cgroup')
  const cgroup = isShown ? cgroups.make(run, launch.resources) : undefined
  const { inherited, release } = openDescriptors({ policy, service, launch, cgroup, keep })
  const [program, ...args] = argv ?? launch.argv
  try {
    const begun = performance.now()
    const child = spawn(program, args, {
      cwd: launch.cwd,
      env: launch.env,
      stdio: ['ignore', 'ignore', process.env.BENCH_DEBUG ? 'inherit' : 'ignore', ...inherited],
      ...(isIdentityKept ? launch.identity : {}),
    })
    const answered = firstByte({ socketPath: launch.reach.socket })
    const early = new Promise((_, reject) => {
      child.once('error', reject)
      child.once('exit', (code, signal) => reject(new Error(`${program} ended early: ${code ?? signal}`)))
    })
    early.catch(() => undefined)
    const { at } = await Promise.race([answered, early, delay(30_000, undefined, { ref: false })])
    answered.catch(() => undefined)
    return {
      tookMs: at - begun,
      end: async () => {
        await endWhole(child, launch.depth)
        await cgroup?.remove()
      },
    }
  } finally {
    for (const fd of opened) closeSync(fd)
    release()
  }
}
