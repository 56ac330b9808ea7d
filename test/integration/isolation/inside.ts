// Runs a script as a confined instance through a real launcher, and tells what it wrote and what the launcher answered.
// The script's words count as the hostile tenant's; what the tests look at from outside is read from the machine's side.
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Attestation, IsolationAdapter, Launch, LaunchPlan } from '../../../src/isolation/adapter.ts'
import { compileProfile } from '../../../src/seccomp/compileProfile.ts'
import { readProfile } from '../../../src/seccomp/find.ts'
import { type Message, newRunName, type TestLauncher } from '../../helpers/launcher.ts'
import { isRoot } from '../../helpers/root.ts'

/** Lets every system call through (one BPF_RET of SECCOMP_RET_ALLOW, seccomp(2)), to see what holds without any filter. */
export const allowAll = Buffer.from([0x06, 0, 0, 0, 0, 0, 0xff, 0x7f])

/** A profile that comes with tenement, compiled for this machine. */
export const shippedFilter = async (name: string): Promise<Uint8Array> => {
  const { file, text } = await readProfile(name, '/')
  return compileProfile(text, { file })
}

export interface Outcome {
  readonly out: string
  readonly exit: Message
  readonly found: Attestation['found']
  readonly plan: LaunchPlan
}

export interface Inside {
  planFor(argv: LaunchPlan['argv'], over?: Partial<LaunchPlan>): LaunchPlan
  launch(plan: LaunchPlan, run?: string): Promise<Message>
  /** What `sh -c script` wrote to its standard output and error until it ended. */
  run(script: string, over?: Partial<LaunchPlan>, run?: string): Promise<Outcome>
  newRun(): string
}

export const insideOf = (launcher: TestLauncher, adapter: IsolationAdapter, filter: Uint8Array): Inside => {
  let last = 0
  const planFor: Inside['planFor'] = (argv, over = {}) => {
    last += 1
    const id = `tenant${last}`
    const uid = (launcher.policy.tenantUids?.first ?? 0) + last
    const dataDir = join(launcher.policy.dataRoots[0] ?? '', id)
    return {
      instance: `api:${id}`,
      argv,
      env: { PATH: '/usr/bin:/bin', HOME: dataDir },
      cwd: launcher.code,
      dataDir,
      identity: isRoot ? { uid, gid: uid } : undefined,
      // Only root opens connections in a network of an instance's own; most of what runs here is never connected to.
      reach: { kind: 'port', port: 8_080, network: isRoot ? 'own' : 'host' },
      network: 'private',
      read: [],
      write: [],
      secrets: [],
      filter,
      limits: {},
      options: {},
      ...over,
    }
  }
  const launch: Inside['launch'] = async (plan, run = newRunName()) => {
    const prepared: Launch = await adapter.prepare(plan)
    const id = plan.instance.split(':')[1]
    // Bounds that need a cgroup are others' to test.
    return launcher.ask({
      type: 'launch',
      run,
      service: 'api',
      id,
      launch: prepared,
      watch: false,
      note: null,
    })
  }
  return {
    planFor,
    launch,
    newRun: newRunName,
    run: async (script, over, run = newRunName()) => {
      const plan = planFor(['/bin/sh', '-c', `exec >"$HOME/out" 2>&1; ${script}`], over)
      const answer = await launch(plan, run)
      if (answer.type !== 'reply') throw new Error(answer.message)
      const { exit } = await launcher.next((message) => message.type === 'exited' && message.run === run)
      const file = join(plan.dataDir, 'out')
      const out = existsSync(file) ? readFileSync(file, 'utf8') : ''
      return { out, exit, found: answer.value.attestation.found, plan }
    },
  }
}

export const makeDirectory = (path: string, mode = 0o755): string => {
  mkdirSync(path, { recursive: true, mode })
  return path
}
