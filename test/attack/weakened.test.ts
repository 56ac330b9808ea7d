// Each proof fails where what it proves is taken away: one thing is left out of a launch, and the row that is about it gets
// through. Where the launcher looks at a launch itself, it is shown to refuse the weakened one before it runs as well.
import { chownSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Tried } from '../../src/attack/attempt.ts'
import { judge } from '../../src/attack/judge.ts'
import { rows } from '../../src/attack/rows.ts'
import type { Targets } from '../../src/attack/targets.ts'
import type { IsolationAdapter, Launch, LaunchPlan } from '../../src/isolation/adapter.ts'
import { namespace } from '../../src/isolation/namespace/index.ts'
import { none } from '../../src/isolation/none/index.ts'
import { sandbox } from '../../src/isolation/sandbox/index.ts'
import { type Canaries, plantCanaries } from '../../src/proof/canaries.ts'
import { makeStage } from '../../src/proof/stage.ts'
import { compileProfile } from '../../src/seccomp/compileProfile.ts'
import { readProfile } from '../../src/seccomp/find.ts'
import { type Message, newRunName, startTestLauncher, type TestLauncher } from '../helpers/launcher.ts'
import { isRoot } from '../helpers/root.ts'
import { newTenantUids } from '../helpers/tenantUids.ts'
import { makeRoot } from './harness.ts'

let root: string
let stage: string
let canaries: Canaries
let launcher: TestLauncher
let neighbour: Targets['neighbour']
let neighbourRun: string
let tenant = 0

beforeAll(async () => {
  root = makeRoot()
  stage = makeStage(root)
  canaries = await plantCanaries(root, stage)
  launcher = await startTestLauncher({
    root,
    policy: { codeDirs: [{ path: stage }], ...(isRoot ? { tenantUids: newTenantUids(200) } : {}) },
  })
  neighbour = await startNeighbour()
}, 60_000)
afterAll(async () => {
  // It removes what outlives every process.
  await launcher.ask({ type: 'stop', run: neighbourRun, signal: 'SIGTERM', timeoutMs: 5_000 })
  await launcher.close()
  canaries.close()
  rmSync(root, { recursive: true, force: true })
})

/** A level, the change to its plan or launch, and how the rows that prove what was taken away are numbered. */
interface Weakening {
  readonly what: string
  readonly adapter: IsolationAdapter
  readonly rows: readonly string[]
  readonly plan?: (plan: LaunchPlan) => Promise<LaunchPlan> | LaunchPlan
  readonly launch?: (launch: Launch) => Launch
  /** The capability that the launcher names when it looks at the weakened launch. */
  readonly attested?: string
}

const without =
  (...options: readonly string[]) =>
  (launch: Launch): Launch =>
    withOptions(launch, (list) => {
      const at = list.findIndex((_, index) => options.every((option, offset) => list[index + offset] === option))
      if (at < 0) throw new Error(`there is no ${options.join(' ')} to leave out`)
      return [...list.slice(0, at), ...list.slice(at + options.length)]
    })

/** Further options, behind all mounts and before the root is sealed. */
const withFurther =
  (...options: readonly string[]) =>
  (launch: Launch): Launch =>
    withOptions(launch, (list) => {
      const seal = list.findIndex((each, index) => each === '--remount-ro' && list[index + 1] === '/')
      return [...list.slice(0, seal), ...options, ...list.slice(seal)]
    })

/** bubblewrap reads them from the descriptor behind --args, each ended by a NUL. */
const withOptions = (launch: Launch, change: (list: readonly string[]) => readonly string[]): Launch => ({
  ...launch,
  descriptors: launch.descriptors.map((each) =>
    each.kind === 'content' && each.fd === argsDescriptor(launch)
      ? {
          ...each,
          content: Buffer.from(
            change(optionsOf(each.content))
              .map((option) => `${option}\0`)
              .join(''),
          ),
        }
      : each,
  ),
})

const argsDescriptor = ({ argv }: Launch): number => Number(argv[argv.indexOf('--args') + 1])
const optionsOf = (content: Uint8Array): readonly string[] =>
  Buffer.from(content).toString('utf8').split('\0').slice(0, -1)

/** The same options where everybody on the machine can read them. */
const onCommandLine = (launch: Launch): Launch => {
  const content = launch.descriptors.find(({ fd }) => fd === argsDescriptor(launch))
  if (content?.kind !== 'content') throw new Error('there are no options')
  const [program, , , ...rest] = launch.argv
  return { ...launch, argv: [program, ...optionsOf(content.content), ...rest] }
}

/**
 * The profile with a call taken out of its refusals, where what it does not name is allowed: an ancient call that nobody makes
 * takes its place. In the text, since its numbers are larger than those of JavaScript.
 */
const permitting =
  (call: string) =>
  async (plan: LaunchPlan): Promise<LaunchPlan> => {
    const { file, text: profile } = await readProfile('permissive', '/')
    if (!profile.includes(`"${call}"`) || profile.includes('"sysfs"')) throw new Error(`${call} is not refused`)
    return { ...plan, filter: await compileProfile(profile.replaceAll(`"${call}"`, '"sysfs"'), { file }) }
  }

/** Lets every call through: BPF_RET with SECCOMP_RET_ALLOW (seccomp(2)). */
const permittingAll = (plan: LaunchPlan): LaunchPlan => ({
  ...plan,
  filter: Buffer.from([0x06, 0, 0, 0, 0, 0, 0xff, 0x7f]),
})

const weakenings: readonly Weakening[] = [
  {
    what: 'with the processes of the machine in /proc',
    adapter: sandbox,
    rows: ['6.seen'],
    launch: withFurther('--ro-bind', '/proc', '/proc'),
    attested: 'fs.readOnlyRoot',
  },
  {
    what: 'without a process namespace',
    adapter: sandbox,
    rows: [],
    launch: without('--unshare-pid'),
    attested: 'pid.private',
  },
  {
    what: 'without a network of its own',
    adapter: sandbox,
    rows: ['12', '14.port', '15'],
    launch: without('--unshare-net'),
    attested: 'net.private',
  },
  {
    what: 'without an IPC namespace',
    adapter: sandbox,
    rows: ['66.seen'],
    launch: without('--unshare-ipc'),
    attested: 'ipc.private',
  },
  {
    what: 'with the shared memory of the machine',
    adapter: sandbox,
    rows: ['66.seen'],
    launch: withFurther('--bind', '/dev/shm', '/dev/shm'),
  },
  {
    what: 'with /proc/sys as the kernel has it',
    adapter: sandbox,
    rows: ['2'],
    launch: without('--ro-bind', '/proc/sys', '/proc/sys'),
    attested: 'fs.readOnlyRoot',
  },
  {
    what: 'with the addresses of the kernel',
    adapter: sandbox,
    rows: ['3'],
    launch: without('--ro-bind', '/dev/null', '/proc/kallsyms'),
    attested: 'fs.readOnlyRoot',
  },
  {
    what: 'with a directory of the machine',
    adapter: sandbox,
    rows: ['5.seen'],
    launch: withFurther('--ro-bind', '/var/log', '/var/log'),
    attested: 'fs.readOnlyRoot',
  },
  {
    what: 'with a root that can be written',
    adapter: sandbox,
    rows: ['74'],
    launch: without('--remount-ro', '/'),
    attested: 'fs.readOnlyRoot',
  },
  {
    what: 'with the devices of the machine',
    adapter: sandbox,
    rows: ['43.seen'],
    launch: withFurther('--dev-bind', '/dev', '/dev'),
    attested: 'fs.readOnlyRoot',
  },
  {
    what: 'with an environment for bubblewrap',
    adapter: sandbox,
    rows: ['8'],
    launch: (launch) => ({ ...launch, env: { LAUNCHER: 'not for tenants' } }),
  },
  { what: 'with its options on the command line', adapter: sandbox, rows: ['8'], launch: onCommandLine },
  {
    what: 'with a directory left open',
    adapter: sandbox,
    rows: ['10'],
    launch: (launch) => ({ ...launch, descriptors: [...launch.descriptors, { fd: 40, kind: 'path', path: stage }] }),
    attested: 'fd.clean',
  },
  {
    what: 'with a filter that lets all through',
    adapter: sandbox,
    rows: ['25.own', '26.parent', '32', '33', '34', '34.read', '35', '37'],
    plan: permittingAll,
  },
  { what: 'with io_uring', adapter: namespace, rows: ['32'], plan: permitting('io_uring_setup') },
  { what: 'with keyctl', adapter: namespace, rows: ['34', '34.read'], plan: permitting('keyctl') },
  { what: 'with ptrace', adapter: namespace, rows: ['26.parent'], plan: permitting('ptrace') },
  { what: 'with perf', adapter: namespace, rows: ['33'], plan: permitting('perf_event_open') },
  { what: 'with sockets of every family', adapter: namespace, rows: ['35'], plan: permitting('socket') },
  { what: 'with ioctl whole', adapter: namespace, rows: ['25.own'], plan: permitting('ioctl') },
  {
    what: 'with namespaces of its own, as "nested" asks',
    adapter: namespace,
    rows: ['28'],
    plan: async (plan) => ({ ...(await withProfile('nested', plan)), options: { nested: true } }),
  },
]

describe('a launch', () => {
  const promised = (adapter: IsolationAdapter, row: string) => {
    const found = rows.find((each) => each.row === row)
    if (found === undefined) throw new Error(`there is no row ${row}`)
    const level = adapter.name
    if (level !== 'none' && level !== 'namespace' && level !== 'sandbox') throw new Error(`no level ${level}`)
    return { row: found, promised: found[level] }
  }

  const whole = [sandbox, namespace].map(
    (adapter) =>
      [
        adapter.name,
        {
          what: 'whole',
          adapter,
          rows: [...new Set(weakenings.filter((each) => each.adapter === adapter).flatMap((each) => each.rows))],
        },
      ] as const,
  )
  test.for(whole)('of "%s" that is whole keeps what each weakening takes', async ([, weakening]) => {
    const tried = await attackThrough(weakening)
    for (const row of weakening.rows) {
      const { because, isKept } = judge(promised(weakening.adapter, row).row, triedRow(tried, row), {
        promised: 'blocked',
        hasOwnUid: isRoot,
      })
      expect({ row, because, isKept }).toEqual({ row, because: [], isKept: true })
    }
  })

  test.for(
    weakenings.filter((each) => each.rows.length > 0).map((each) => [each.what, each.rows.join(', '), each] as const),
  )('%s lets row %s through', async ([, , weakening]) => {
    const tried = await attackThrough(weakening)
    for (const row of weakening.rows) {
      const verdict = judge(promised(weakening.adapter, row).row, triedRow(tried, row), {
        promised: 'blocked',
        hasOwnUid: isRoot,
      })
      expect({ row, isKept: verdict.isKept, found: verdict.found }).toEqual({
        row,
        isKept: false,
        found: 'got through',
      })
    }
  })

  test.for(
    weakenings.flatMap(({ attested, ...each }) =>
      attested === undefined ? [] : [[each.what, attested, each] as const],
    ),
  )('%s is refused for want of "%s" before it runs', async ([, capability, weakening]) => {
    const { answer } = await start(weakening, true)
    expect(answer).toMatchObject({ type: 'failed', message: expect.stringContaining(`"${capability}"`) })
  })

  test('of "none" under a uid that owns files of the machine lets rows 4, 16 and 23 through', async ({ skip }) => {
    if (!isRoot) skip('without root it is so anyway')
    const tried = await attackThrough({
      what: '',
      adapter: none,
      rows: ['4', '16', '23'],
      plan: (plan) => {
        for (const path of [canaries.file, canaries.socket])
          chownSync(path, plan.identity?.uid ?? 0, plan.identity?.gid ?? 0)
        return plan
      },
    })
    for (const row of ['4', '16', '23']) {
      const verdict = judge(promised(none, row).row, triedRow(tried, row), { promised: 'blocked', hasOwnUid: true })
      expect({ row, found: verdict.found }).toEqual({ row, found: 'got through' })
    }
  })
})

const triedRow = (tried: ReadonlyMap<string, Tried>, row: string): Tried => {
  const found = tried.get(row)
  if (found === undefined) throw new Error(`the attacks told nothing of row ${row}`)
  return found
}

const withProfile = async (name: string, plan: LaunchPlan): Promise<LaunchPlan> => {
  const { file, text: profile } = await readProfile(name, '/')
  return { ...plan, filter: await compileProfile(profile, { file }) }
}

interface Started {
  readonly answer: Message
  readonly socket: string
  readonly run: string
}

/** Launches the attacker, with what the launcher is to look at taken away unless `isAttested`. */
const start = async (
  weakening: Pick<Weakening, 'adapter' | 'plan' | 'launch'>,
  isAttested: boolean,
): Promise<Started> => {
  const { adapter, plan: changePlan = (plan) => plan, launch: changeLaunch = (launch) => launch } = weakening
  const run = newRunName()
  const { plan, socket } = await planFor(adapter, run)
  const launch = changeLaunch(await adapter.prepare(await changePlan(plan)))
  const { expect: _, ...unseen } = launch
  const id = plan.instance.split(':')[1]
  const launched = { ...(isAttested ? launch : unseen), resources: {} }
  const answer = await launcher.ask({
    type: 'launch',
    run,
    service: 'api',
    id,
    launch: launched,
    watch: true,
    note: null,
  })
  return { answer, socket, run }
}

const planFor = async (adapter: IsolationAdapter, run: string): Promise<{ plan: LaunchPlan; socket: string }> => {
  tenant += 1
  const id = `tenant${tenant}`
  const uid = (launcher.policy.tenantUids?.first ?? 0) + tenant
  const socket = join(launcher.policy.runDir, 's', `${run}.sock`)
  const dataDir = join(launcher.policy.dataRoots[0] ?? '', id)
  const plan: LaunchPlan = {
    instance: `api:${id}`,
    argv: ['/usr/bin/node', 'attack/instance.js'],
    env: { PATH: '/usr/bin:/bin', HOME: dataDir, LISTEN_FDS: '1', TOKEN: 'secret-of-the-environment' },
    cwd: stage,
    dataDir,
    identity: isRoot ? { uid, gid: uid } : undefined,
    reach: { kind: 'fd', socket },
    network: adapter.defaults.network,
    read: [],
    write: [],
    secrets: [],
    filter: undefined,
    limits: {},
    options: {},
  }
  return {
    plan: adapter.defaults.seccomp === undefined ? plan : await withProfile(adapter.defaults.seccomp, plan),
    socket,
  }
}

const post = (socketPath: string, path: string, body: unknown): Promise<string> =>
  new Promise((resolve, reject) => {
    const sent = request({ socketPath, path, method: 'POST', agent: false }, (response) => {
      text(response).then(
        (answer) => (response.statusCode === 200 ? resolve(answer) : reject(new Error(answer))),
        reject,
      )
    })
    sent.once('error', reject)
    sent.end(JSON.stringify(body))
  })

const attackThrough = async (weakening: Weakening): Promise<ReadonlyMap<string, Tried>> => {
  const { answer, socket, run } = await start(weakening, false)
  if (answer.type !== 'reply') throw new Error(answer.message)
  try {
    const topics = new Set(rows.filter(({ row }) => weakening.rows.includes(row)).map(({ topic }) => topic))
    const tried: [string, Tried][] = []
    for (const topic of topics)
      for (const line of (await post(socket, `/attack?topic=${topic}`, targets()))
        .split('\n')
        .filter((each) => each !== ''))
        tried.push([JSON.parse(line).row, JSON.parse(line)])
    return new Map(tried)
  } finally {
    await launcher.ask({ type: 'stop', run, signal: 'SIGKILL', timeoutMs: 0 })
    await launcher.next((message) => message.type === 'exited' && message.run === run)
  }
}

const startNeighbour = async (): Promise<Targets['neighbour']> => {
  const { answer, socket, run } = await start({ adapter: none }, false)
  neighbourRun = run
  const shared = { key: 0x7d_0000 + (process.pid % 60_000), name: `tenement-weakened-${process.pid}` }
  const told = JSON.parse(await post(socket, '/neighbour', shared))
  return { pid: answer.value.pid, dataDir: join(launcher.policy.dataRoots[0] ?? '', 'tenant1'), ...told, shared }
}

const targets = (): Targets => {
  const { file, socket, abstractSocket, addresses, key } = canaries
  return {
    machine: {
      file,
      directories: [launcher.policy.stateDir, launcher.policy.logDir],
      sockets: [socket],
      abstractSocket,
      addresses,
      processes: [launcher.process.pid ?? 0],
      secret: 'not for tenants',
      cgroups: [],
      ...(key === undefined ? {} : { key }),
    },
    neighbour,
  }
}
