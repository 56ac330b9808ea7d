// What a launch may be, whatever the server asks: decided from the policy fixed at start and from the runs alive, before
// anything is opened or made. The server parses bytes from the network, so each request is taken as an attacker's.
import { dirname, join } from 'node:path'
import type { Launch } from '../isolation/adapter.ts'
import { isName } from '../names.ts'
import { wrongNumber } from './bounds.ts'
import { brokenRule, floorOf, type OwnPlaces } from './floor.ts'
import type { CodeDir, Policy, Request, RunRecord } from './protocol.ts'
import { isBelow } from './safePath.ts'

/** A request that the policy forbids; the message says which rule. */
export class Refused extends Error {
  override readonly name = 'Refused'
}

const require = (isAllowed: boolean, rule: string): void => {
  if (!isAllowed) throw new Refused(rule)
}

const isRun = (run: string): boolean => /^[0-9a-f]{12}$/.test(run)

/** Where the launcher listens for an instance that inherits its socket. */
const listenerPath = (policy: Policy, run: string): string => join(policy.runDir, 's', `${run}.sock`)

/** The directory in which an instance makes its own socket. */
export const ownSocketDir = (policy: Policy, run: string): string => join(policy.runDir, 'u', run)

type LaunchRequest = Extract<Request, { type: 'launch' }>

/** Throws Refused unless the policy allows this launch beside the runs alive. */
export const checkLaunch = (policy: Policy, request: LaunchRequest, alive: Iterable<RunRecord>): void => {
  const { run, service, id, launch } = request
  require(isRun(run), 'a run is named by twelve hexadecimal digits')
  require(isName(service) && isName(id), 'a service name or instance id is outside the grammar')
  const floor = floorOf(policy.floors, { service, id })
  if (floor === undefined) throw new Refused(`there is no service "${service}" that may be launched`)
  checkIdentity(policy, launch.identity)
  require(launch.privileged !== true ||
    (policy.privileged ?? []).includes(service), `${service} is no service whose instances may begin as root`)
  for (const other of alive) {
    require(other.run !== run, `run ${run} exists already`)
    require(other.service !== service || other.id !== id, `${service}:${id} is running already`)
    require(launch.identity === undefined ||
      other.launch.identity?.uid !==
        launch.identity.uid, `uid ${launch.identity?.uid} is in use by ${other.service}:${other.id}`)
  }
  require(request.isTraced !== true ||
    launch.descriptors.some(
      ({ kind }) => kind === 'gate',
    ), 'only a program that waits at a gate can be waited with for a tracer')
  checkProgram(launch)
  checkPlaces(policy, run, launch)
  checkReach(policy, run, launch)
  checkDescriptors(policy, run, service, launch)
  const broken = brokenRule(floor, launch, ownPlaces(policy, service, launch))
  require(broken === undefined, `${service}:${id} would be launched with less than its isolation gives: ${broken}`)
}

/** Tenants run as a uid of the tenant range and the gid of the same number when the launcher is root, and as its own uid otherwise. */
export const checkIdentity = ({ tenantUids }: Policy, identity: Launch['identity']): void => {
  if (tenantUids === undefined) {
    require(identity === undefined, 'without root no other uid can be taken')
    return
  }
  if (identity === undefined) throw new Refused('as root every instance needs a uid of its own')
  const { uid, gid } = identity
  require(Number.isInteger(uid) &&
    uid >= tenantUids.first &&
    uid <= tenantUids.last, `uid ${uid} is outside the tenant range ${tenantUids.first} to ${tenantUids.last}`)
  require(gid === uid, `gid ${gid} is not the tenant's own`)
}

const checkProgram = ({ argv, uplink, env, umask, limits, resources }: Launch): void => {
  for (const command of uplink === undefined ? [argv] : [argv, uplink]) {
    require(command[0].startsWith('/'), 'a program is named by an absolute path')
    require(!command.some((each) => each.includes('\0')), 'an argument holds a NUL byte')
  }
  for (const [name, value] of Object.entries(env)) {
    require(/^[A-Za-z_][A-Za-z0-9_]*$/.test(name), `"${name}" is not a name for an environment variable`)
    require(!value.includes('\0'), `environment variable ${name} holds a NUL byte`)
  }
  require(Number.isInteger(umask) && umask >= 0 && umask <= 0o777, 'a umask is between 0 and 0777')
  const wrong = wrongNumber({ limits, resources })
  require(wrong === undefined, `${wrong}`)
}

const checkPlaces = (policy: Policy, run: string, launch: Launch): void => {
  const { dataRoots } = policy
  require([...dataRoots, ...codePlaces(policy)].some((root) =>
    isBelow(root, launch.cwd),
  ), `"${launch.cwd}" is no directory that programs are started in`)
  for (const { path, mode } of launch.directories) {
    require((path === ownSocketDir(policy, run) && launch.reach.kind === 'unix') ||
      dataRoots.some(
        (root) => path !== root && isBelow(root, path),
      ), `"${path}" is not below ${dataRoots.map((root) => `"${root}"`).join(' or ')}`)
    // Set-user-id is never needed; set-group-id lets the server reach a socket that the tenant made.
    require(Number.isInteger(mode) && (mode & ~0o2777) === 0, 'a directory mode is between 0 and 02777')
  }
}

/** Later servers look for the instance where it is said to be reached, also those that come after one that was taken over. */
const checkReach = (policy: Policy, run: string, { reach }: Launch): void => {
  if (reach.kind === 'port') {
    const isPort = Number.isInteger(reach.port) && reach.port >= 1 && reach.port <= 65_535
    require(isPort, `${reach.port} is no port that an instance listens on`)
    return
  }
  const isOwn =
    reach.kind === 'fd'
      ? reach.socket === listenerPath(policy, run)
      : dirname(reach.socket) === ownSocketDir(policy, run)
  require(isOwn, `"${reach.socket}" is not the socket of this run`)
}

/** Highest descriptor number an application is given. */
const lastDescriptor = 63

const checkDescriptors = (policy: Policy, run: string, service: string, launch: Launch): void => {
  const numbers = launch.descriptors.map(({ fd }) => fd)
  require(new Set(numbers).size === numbers.length, 'a descriptor number is used twice')
  for (const descriptor of launch.descriptors) {
    const { fd, kind } = descriptor
    require(Number.isInteger(fd) &&
      fd >= 3 &&
      fd <= lastDescriptor, `descriptor ${fd} is not between 3 and ${lastDescriptor}`)
    if (kind === 'listener')
      require(descriptor.socket === listenerPath(policy, run), `"${descriptor.socket}" is not the socket of this run`)
    if (kind === 'path')
      require(isGiven(
        policy,
        service,
        launch,
        descriptor.path,
      ), `"${descriptor.path}" is no path that instances of ${service} are given`)
  }
  for (const kind of ['gate', 'prepared'] as const)
    require(launch.descriptors.filter((each) => each.kind === kind).length <= 1, `there is more than one ${kind}`)
  const isHeld = launch.descriptors.some(({ kind }) => kind === 'gate')
  require(isHeld ===
    launch.depth > 0, 'a program that starts another for the application, and no other, is held at a gate')
  const isNetworked = launch.unreachable !== undefined || launch.uplink !== undefined
  require(isHeld || !isNetworked, 'only a program that is held can be given a network')
  require(launch.uplink === undefined ||
    launch.unreachable !== undefined, 'a network that leads out needs networks that stay unreachable')
  require(isHeld || launch.expect === undefined, 'what is expected of a launch can be looked at only while it is held')
}

/** Where tenants find the code there is. */
export const codePlaces = ({ codeDirs }: Policy): string[] => codeDirs.map((each) => each.boundAt ?? each.path)

/** Below which everything lies that an instance is shown and that is not granted by its own path. */
export const rootsOf = (policy: Policy, instance: Pick<LaunchRequest, 'service' | 'id'>): readonly string[] => [
  ...policy.dataRoots,
  ...codePlaces(policy),
  policy.runDir,
  ...(floorOf(policy.floors, instance)?.confined?.shown ?? []),
]

/** What an instance of the service may be shown of its own, beside what its isolation shows everybody. */
const ownPlaces = (policy: Policy, service: string, { directories }: Launch): OwnPlaces => {
  const grants = Object.hasOwn(policy.grants, service) ? policy.grants[service] : undefined
  const placesOf = (all: readonly CodeDir[] = []): string[] => all.map((each) => each.boundAt ?? each.path)
  return {
    readable: [...codePlaces(policy), ...placesOf(grants?.read)],
    writable: placesOf(grants?.write),
    made: directories.filter(({ owner }) => owner === 'tenant').map(({ path }) => path),
  }
}

/** The grant of a service that is found at `path`. */
export const grantAt = ({ grants }: Policy, service: string, path: string): CodeDir | undefined => {
  const own = Object.hasOwn(grants, service) ? grants[service] : undefined
  return [...(own?.read ?? []), ...(own?.write ?? [])].find((each) => (each.boundAt ?? each.path) === path)
}

/** Whether a launch may be given this path: the code, its own directories, and what its service was granted. */
const isGiven = (policy: Policy, service: string, launch: Launch, path: string): boolean =>
  codePlaces(policy).some((place) => isBelow(place, path)) ||
  launch.directories.some((each) => each.owner === 'tenant' && each.path === path) ||
  grantAt(policy, service, path) !== undefined
