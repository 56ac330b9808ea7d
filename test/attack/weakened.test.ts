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
import type { IsolationAdapter, LaunchPlan } from '../../src/isolation/adapter.ts'
import { namespace } from '../../src/isolation/namespace/index.ts'
import { none } from '../../src/isolation/none/index.ts'
import { sandbox } from '../../src/isolation/sandbox/index.ts'
import { type Canaries, plantCanaries } from '../../src/proof/canaries.ts'
import { makeStage } from '../../src/proof/stage.ts'
import { type Message, newRunName, startTestLauncher, type TestLauncher } from '../helpers/launcher.ts'
import { isRoot } from '../helpers/root.ts'
import { newTenantUids } from '../helpers/tenantUids.ts'
import { makeRoot } from './harness.ts'
import { type Weakening, weakenings, withProfile } from './weakenings.ts'

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
  const changed = await changePlan(plan)
  const launch = changeLaunch(await adapter.prepare(changed), changed)
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
