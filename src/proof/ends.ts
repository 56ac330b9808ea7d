// Attacks on how an instance is started, seen and ended (rows 9, 19, 21, 56 to 63, 68, 79). All evidence is what the machine shows of
// processes and files.

import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { messageOf, TenementError } from '../errors.ts'
import type { Launch } from '../isolation/adapter.ts'
import { newRun } from '../launcher/client.ts'
import { type Actor, tokenOf } from './scene.ts'
import { becomesTrue, processesOf, type Seen, type Trial, type TrialGround, tell } from './trial.ts'

const seen = (...against: readonly (string | undefined)[]): Seen => ({
  against: against.filter((each) => each !== undefined),
})

/** What a stop takes at most beyond the time it grants. */
const stopGraceMs = 300
const stoppedWithinMs = 10_000

const left = async (actor: Actor, { conductor }: TrialGround): Promise<string | undefined> =>
  (await becomesTrue(() => processesOf(actor).length === 0, stoppedWithinMs * conductor.patience))
    ? undefined
    : `${processesOf(actor).length} of its processes are left`

const isStopped = async (actor: Actor, ground: TrialGround): Promise<Seen> => {
  const startedAt = performance.now()
  await actor.stop('SIGTERM', stopGraceMs)
  const tookMs = Math.round(performance.now() - startedAt)
  const isLate = tookMs > stoppedWithinMs * ground.conductor.patience
  return seen(await left(actor, ground), isLate ? `its stop took ${tookMs} ms` : undefined)
}

const commandLinesWith = (text: string): readonly string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text)
      } catch {
        return false // it has ended
      }
    })

/** A directory of the machine with a file, that nobody may be led to. */
const plantPlace = (root: string, name: string): string => {
  const path = join(root, `canary-of-${name}`)
  mkdirSync(path, { mode: 0o755 })
  writeFileSync(join(path, 'file'), 'a file of the machine')
  return path
}

const touched = (path: string): string | undefined => {
  const names = readdirSync(path)
  const isWhole = names.join() === 'file' && readFileSync(join(path, 'file'), 'utf8') === 'a file of the machine'
  return isWhole ? undefined : `a directory of the machine holds ${names.join(', ')} now`
}

/** Launches that no server may ask for; each must be refused as forbidden, and not fail by accident. */
const forbidden = (launch: Launch): Readonly<Record<string, { readonly id?: string; readonly launch: Launch }>> => ({
  'an id that leads out of its directory': { id: '../x', launch },
  'an id with a line break': { id: 'a\nb', launch },
  'an id that looks like an option': { id: '--bind', launch },
  'the uid of root': { launch: { ...launch, identity: { uid: 0, gid: 0 } } },
  'a variable whose name holds "="': { launch: { ...launch, env: { 'A=B': 'c' } } },
  'an argument with a NUL': { launch: { ...launch, argv: ['/bin/true', 'a\0b'] } },
  'a directory of the machine': { launch: { ...launch, cwd: '/etc' } },
})

const plain = (cwd: string, uid: number | undefined): Launch => ({
  argv: ['/bin/true'],
  env: {},
  cwd,
  identity: uid === undefined ? undefined : { uid, gid: uid },
  umask: 0o077,
  directories: [],
  descriptors: [],
  limits: {},
  resources: {},
  depth: 0,
  reach: { kind: 'port', port: 1, network: 'host' },
})

const asksForbidden = async (_: Actor, { conductor, place }: TrialGround): Promise<Seen> => {
  const launch = plain(join(place.root, 'stage'), place.policy.tenantUids?.last)
  const found: string[] = []
  for (const [what, asked] of Object.entries(forbidden(launch))) {
    const request = {
      type: 'launch',
      run: newRun(),
      service: 'neighbour',
      id: 'x',
      watch: false,
      note: null,
      ...asked,
    } as const
    const answer = await conductor.ask<'launch'>(request).then(
      () => 'it was launched',
      (error: unknown) =>
        error instanceof TenementError && error.code === 'launcher_refused' ? undefined : messageOf(error),
    )
    if (answer !== undefined) found.push(`${what}: ${answer}`)
  }
  return seen(...found)
}

const freePort = async (): Promise<number> => {
  const server = createServer().listen({ host: '127.0.0.1', port: 0 })
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return address !== null && typeof address === 'object' ? address.port : 0
}

const takesPort = async (actor: Actor): Promise<Seen> => {
  const port = await freePort()
  await tell(actor, 'take a port', { port })
  const socket = connect({ host: '127.0.0.1', port })
  const isReached = await once(socket, 'connect').then(
    () => true,
    () => false,
  )
  socket.destroy()
  return isReached ? seen('whoever asks for that port on this machine reaches it') : seen()
}

const plantsAndComesBack = async (actor: Actor, ground: TrialGround): Promise<Seen> => {
  const canary = plantPlace(ground.place.root, actor.service)
  await tell(actor, 'plant', { target: canary })
  await actor.stop('SIGTERM', stopGraceMs)
  const again = await ground.scene.start({ name: actor.service })
  await again.post('/who', {})
  await again.end()
  return seen(touched(canary))
}

const plantsAndIsRemoved = async (actor: Actor, { place, conductor }: TrialGround): Promise<Seen> => {
  const canary = plantPlace(place.root, actor.service)
  await tell(actor, 'plant', { target: canary })
  await actor.end()
  await conductor.ask<'purge'>({ type: 'purge', path: actor.dataDir, identity: actor.identity })
  return seen(touched(canary))
}

/** As one uid with everybody its processes are known by marks it can shed, and signals to them would be signals to all. */
const withoutUid = ({ place }: TrialGround): string | undefined =>
  place.policy.tenantUids === undefined ? 'without root its processes cannot be told from those of others' : undefined

export const ends: readonly Trial[] = [
  {
    row: '9',
    sentence: 'shows nobody its environment on a command line',
    run: async (actor, { place }) => {
      const found = commandLinesWith(tokenOf(actor.service, place))
      return seen(found.length > 0 ? `processes ${found.join(', ')} show it` : undefined)
    },
  },
  { row: '19', sentence: 'has nothing made on the machine by symlinks it left in its data', run: plantsAndComesBack },
  {
    row: '21',
    sentence: 'has nothing deleted on the machine by symlinks it left in its data',
    run: plantsAndIsRemoved,
  },
  {
    row: '56',
    sentence: 'leaves no daemon behind that heeds no signal',
    run: async (actor, ground) => {
      await tell(actor, 'daemon')
      return isStopped(actor, ground)
    },
  },
  {
    row: '57',
    sentence: 'leaves nothing behind that answers in its place',
    run: async (actor, ground) => {
      await tell(actor, 'daemon with the listener', { mark: actor.run })
      await tell(actor, 'exit').catch(() => undefined)
      return seen(await left(actor, ground))
    },
  },
  {
    row: '58',
    sentence: 'does not outrun its end by a storm of forks',
    whyNot: withoutUid,
    run: async (actor, ground) => {
      await tell(actor, 'storm')
      return isStopped(actor, ground)
    },
  },
  {
    row: '60.attested',
    sentence: 'is compared with what the kernel says of it before its first instruction',
    run: async ({ attestation }) =>
      seen(Object.keys(attestation?.found ?? {}).length > 0 ? undefined : 'the launcher looked at nothing'),
  },
  {
    row: '62',
    sentence: 'is ended whole when the process that confines it is killed',
    whyNot: ({ where }) => (where.claims.has('pid.private') ? undefined : 'it has no such process'),
    run: async (actor, ground) => {
      if (actor.applications().includes(actor.pid)) return { notRun: 'the program that was started is the application' }
      process.kill(actor.pid, 'SIGKILL')
      return seen(await left(actor, ground))
    },
  },
  {
    row: '63',
    sentence: 'does not stall its stop by stopping itself',
    run: async (actor, ground) => {
      await tell(actor, 'daemon')
      await tell(actor, 'stop itself')
      return isStopped(actor, ground)
    },
  },
  {
    row: '68',
    sentence: "takes no port of the machine's",
    run: takesPort,
  },
  {
    row: '79',
    sentence: 'has no name and no request by which the launcher would do more than it may',
    run: asksForbidden,
  },
]

/** Behind everything else, since the server it kills is the one that is asked. */
export const survival: Trial = {
  row: '59',
  sentence: 'lives on when the server is killed',
  run: async (actor, { conductor }) => {
    const before = actor.applications().join()
    const runs = await conductor.replaceServer()
    return seen(
      runs.includes(actor.run) ? undefined : 'the next server is not told of it',
      actor.applications().join() === before ? undefined : 'its processes are others now',
    )
  },
}
