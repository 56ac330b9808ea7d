// What is asked of every adapter, whatever it promises: its instances start, are reached, stop whole, leave nothing and live on when
// the server is started again. Each proof looks at the machine's side; what an instance says of itself is not enough.
import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { whyHarmful } from '../proof/uids.ts'
import type { Ground, Listen } from './ground.ts'
import { leftSince } from './traces.ts'

/** What was found instead of what a proof says. */
export class NotHeld extends Error {
  override readonly name = 'NotHeld'
}

/** There is nothing here to try it on. */
export class NotRun extends Error {
  override readonly name = 'NotRun'
}

export interface LifecycleProof {
  /** Completes "an instance …". */
  readonly sentence: string
  /** The promise it belongs to; absent where it is asked of every adapter. */
  readonly capability?: string
  /** Whether an instance of which it does not hold could harm the machine by attacks. */
  readonly isBeforeAttacks?: true
  /** Throws NotHeld, NotRun, or whatever went wrong on the way. */
  run(ground: Ground): Promise<void>
}

const demand = (isSo: boolean, otherwise: string): void => {
  if (!isSo) throw new NotHeld(otherwise)
}

const ways: Readonly<Record<Listen, string>> = {
  port: 'is reached on the port it listens on',
  fd: 'is reached by the socket it inherits',
  unix: 'is reached by the unix socket it makes',
}

const reached = (listen: Listen): LifecycleProof => ({
  sentence: ways[listen],
  run: async (ground) => {
    if (!ground.listens.includes(listen))
      throw new NotRun(`the adapter has no instances with listen = "${listen}" here`)
    const told = await about(ground, listen)
    demand(told.instance === `${listen}:one`, `what answers for ${listen}:one calls itself ${told.instance}`)
  },
})

/** The way that the other proofs use. */
const anyOf = ({ listens }: Ground): Listen => {
  const [first] = listens
  if (first === undefined) throw new NotRun('its instances cannot be reached in any way here')
  return first
}

interface Told {
  readonly life: string
  readonly instance: string
  readonly cwd: string
  readonly uid: number
  readonly environment: readonly string[]
}

const ask = async ({ tenement }: Ground, listen: Listen, path: string, id = 'one'): Promise<string> => {
  const { status, body } = await tenement.ask(`${id}.${listen}.test`, path)
  demand(
    status === 200,
    `${listen}:${id} answered ${status} to ${path}: ${body.trim()}\n${reasonIn(tenement.output(), `${listen}:${id}`)}`,
  )
  return body
}

const about = async (ground: Ground, listen: Listen): Promise<Told> => JSON.parse(await ask(ground, listen, '/'))

/** The last line of the log that says why an instance failed, or else the last warning of it: a client is told nothing of why. */
const reasonIn = (output: string, instance: string): string => {
  const lines = output.split('\n').filter((line) => line.includes(instance) && /"level":(40|50)/.test(line))
  return lines.findLast((line) => line.includes('"why":')) ?? lines.at(-1) ?? ''
}

const dataOf = ({ place }: Ground, listen: Listen): string => join(place.policy.dataRoots[0] ?? '', listen, 'one')

const stop = ({ tenement }: Ground, listen: Listen): Promise<void> => tenement.stop(`${listen}:one`)

const linesIn = (file: string): readonly string[] =>
  existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
    : []

/** Resolves false when the condition does not come true in time. */
const becomes = async (isSo: () => boolean | Promise<boolean>, timeoutMs: number): Promise<boolean> => {
  for (const deadline = performance.now() + timeoutMs; !(await isSo()); await delay(20))
    if (performance.now() > deadline) return false
  return true
}

/** Whether nobody holds the FIFO open for writing any more: a read finds its end then, and waits otherwise (fifo(7)). */
const isAbandoned = (fd: number): boolean => {
  try {
    while (readSync(fd, Buffer.alloc(64)) > 0);
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return false
    throw error
  }
}

const openForReading = 0x800 // O_RDONLY | O_NONBLOCK: a writer need not be there (open(2))

const serverOf = (launcher: number): number => {
  const children = readFileSync(`/proc/${launcher}/task/${launcher}/children`, 'utf8').trim().split(' ')
  const server = children.find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('serve.js'))
  if (server === undefined) throw new Error(`launcher ${launcher} has no server`)
  return Number(server)
}

export const lifecycle: readonly LifecycleProof[] = [
  ...(['port', 'fd', 'unix'] as const).map(reached),
  {
    sentence: 'starts in its folder',
    run: async (ground) => {
      const listen = anyOf(ground)
      const { cwd } = await about(ground, listen)
      demand(cwd === join(ground.place.root, 'app'), `it starts in ${cwd}`)
    },
  },
  {
    sentence: 'runs as its own uid where tenement is root',
    isBeforeAttacks: true,
    run: async (ground) => {
      const listen = anyOf(ground)
      const { tenantUids } = ground.place.policy
      await ask(ground, listen, '/note')
      const { uid } = statSync(join(dataOf(ground, listen), 'notes'))
      const isOwn =
        tenantUids === undefined ? uid === process.getuid?.() : uid >= tenantUids.first && uid <= tenantUids.last
      demand(isOwn, `what it writes to its data directory belongs to uid ${uid}`)
      const harmful = whyHarmful(dataOf(ground, listen))
      demand(harmful === undefined, `${harmful}`)
    },
  },
  {
    sentence: 'finds what is declared in its environment, and nothing else',
    capability: 'env.clean',
    run: async (ground) => {
      const declared = [
        'PATH',
        'HOME',
        'LANG',
        'TENEMENT_INSTANCE',
        'PORT',
        'SOCKET_PATH',
        'LISTEN_FDS',
        'LISTEN_FDNAMES',
        'LISTEN_PID',
        // By which instances are known that have no uid of their own.
        'TENEMENT_RUN',
      ]
      // What shells add of their own accord, without which no program can be started through one.
      const { environment } = await about(ground, anyOf(ground))
      const others = environment.filter((name) => ![...declared, 'PWD', 'SHLVL', '_', 'OLDPWD'].includes(name))
      demand(others.length === 0, `it also finds ${others.join(', ')}`)
    },
  },
  {
    sentence: 'hears its stop signal and ends in order',
    run: async (ground) => {
      const listen = anyOf(ground)
      const { life } = await about(ground, listen)
      await stop(ground, listen)
      demand(linesIn(join(dataOf(ground, listen), 'ended')).includes(life), 'it was ended without having heard SIGTERM')
    },
  },
  {
    sentence: 'is stopped whole, with processes that left it and heed no signal',
    run: async (ground) => {
      const listen = anyOf(ground)
      await ask(ground, listen, '/leave')
      const fd = openSync(join(dataOf(ground, listen), 'alive'), openForReading)
      try {
        demand(!isAbandoned(fd), 'the process it was to leave behind is not there')
        await stop(ground, listen)
        demand(
          await becomes(() => isAbandoned(fd), 1_000 * ground.patience),
          'a process it had started is still there after it was stopped',
        )
      } finally {
        closeSync(fd)
      }
    },
  },
  {
    sentence: 'finds its data again, and is another process, when it is started again',
    run: async (ground) => {
      const listen = anyOf(ground)
      const { life } = await about(ground, listen)
      await ask(ground, listen, '/note')
      await stop(ground, listen)
      await ask(ground, listen, '/note')
      const notes = linesIn(join(dataOf(ground, listen), 'notes'))
      demand(notes.includes(life), 'what it had written is gone')
      demand(notes.at(-1) !== life, 'the process that was stopped has answered again')
    },
  },
  {
    sentence: 'lives on, and is reached, when the server is killed and started again',
    capability: 'restart.survives',
    run: async (ground) => {
      const { tenement, patience } = ground
      const listen = anyOf(ground)
      const { life } = await about(ground, listen)
      const server = serverOf(tenement.launcher)
      process.kill(server, 'SIGKILL')
      const isNew = await becomes(() => serverIsAnother(tenement.launcher, server), 10_000 * patience)
      if (!isNew) throw new Error('no other server was started')
      const after = await about(ground, listen)
      demand(after.life === life, 'it was started anew')
    },
  },
  {
    sentence: 'leaves no process, mount, cgroup or socket behind',
    run: async (ground) => {
      const { listens, before, watched, patience } = ground
      for (const listen of listens) {
        await ask(ground, listen, '/')
        await stop(ground, listen)
      }
      const left = await leftSince(before, watched, 5_000 * patience)
      demand(left.length === 0, `left behind: ${left.slice(0, 5).join('; ')}`)
    },
  },
]

const serverIsAnother = (launcher: number, earlier: number): boolean => {
  try {
    return serverOf(launcher) !== earlier
  } catch {
    return false // it is about to come
  }
}
