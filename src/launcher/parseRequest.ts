// Messages of the server → requests, field by field. Written out because the launcher uses no library that could do it,
// and because what is not named here does not pass: unknown fields are left behind, wrong types are refused.
import type {
  Descriptor,
  Directory,
  Expectation,
  Identity,
  Launch,
  NamespaceKind,
  Reach,
  Resources,
  Storage,
} from '../isolation/adapter.ts'
import { limitNames } from './limits.ts'
import type { Request, ToLauncher } from './protocol.ts'

/** A message that is no request. */
export class Malformed extends Error {
  override readonly name = 'Malformed'
}

type Fields = Readonly<Record<string, unknown>>

const fieldsOf = (value: unknown, what: string): Fields => {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Malformed(`${what} is not an object`)
  return value as Fields
}

/** Longest argument that the kernel takes (MAX_ARG_STRLEN, execve(2)); no other text of a launch is longer. */
const longestText = 131_072
/** No launch has as many arguments, variables or mounts. */
const longestList = 4_096
/** A filter takes 32 KiB at most (BPF_MAXINSNS), the options of bubblewrap some tens; each is written to memory that no cgroup bounds. */
const longestContent = 4 * 1024 ** 2

const text = (value: unknown, what: string): string => {
  if (typeof value !== 'string') throw new Malformed(`${what} is not a text`)
  if (value.length > longestText) throw new Malformed(`${what} is longer than ${longestText} characters`)
  return value
}

const number = (value: unknown, what: string): number => {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new Malformed(`${what} is not a number`)
  return value
}

const boolean = (value: unknown, what: string): boolean => {
  if (typeof value !== 'boolean') throw new Malformed(`${what} is not true or false`)
  return value
}

const list = <T>(value: unknown, what: string, each: (item: unknown, what: string) => T): T[] => {
  if (!Array.isArray(value)) throw new Malformed(`${what} is not a list`)
  if (value.length > longestList) throw new Malformed(`${what} has more than ${longestList} items`)
  return value.map((item) => each(item, `an item of ${what}`))
}

const oneOf = <T extends string>(value: unknown, what: string, allowed: readonly T[]): T => {
  const found = allowed.find((each) => each === value)
  if (found === undefined) throw new Malformed(`${what} is none of ${allowed.join(', ')}`)
  return found
}

const record = <T>(value: unknown, what: string, each: (item: unknown, what: string) => T): Record<string, T> =>
  Object.fromEntries(
    list(Object.entries(fieldsOf(value, what)), what, (entry) => {
      const [key, item] = entry as [string, unknown]
      return [text(key, `a name in ${what}`), each(item, `${what}.${key}`)] as const
    }),
  )

const identity = (value: unknown): Identity | undefined => {
  if (value === undefined) return undefined
  const { uid, gid } = fieldsOf(value, 'identity')
  return { uid: number(uid, 'uid'), gid: number(gid, 'gid') }
}

const reach = (value: unknown): Reach => {
  const fields = fieldsOf(value, 'reach')
  const kind = oneOf(fields.kind, 'reach.kind', ['port', 'fd', 'unix'])
  return kind === 'port'
    ? {
        kind,
        port: number(fields.port, 'reach.port'),
        network: oneOf(fields.network, 'reach.network', ['host', 'own']),
      }
    : { kind, socket: text(fields.socket, 'reach.socket') }
}

const directory = (value: unknown, what: string): Directory => {
  const { path, mode, owner } = fieldsOf(value, what)
  return { path: text(path, 'path'), mode: number(mode, 'mode'), owner: oneOf(owner, 'owner', ['tenant', 'launcher']) }
}

const descriptor = (value: unknown, what: string): Descriptor => {
  const fields = fieldsOf(value, what)
  const fd = number(fields.fd, 'fd')
  const kind = oneOf(fields.kind, 'kind', ['listener', 'content', 'path', 'secret', 'cgroup', 'gate', 'prepared'])
  if (kind === 'listener') return { fd, kind, socket: text(fields.socket, 'socket') }
  if (kind === 'path') return { fd, kind, path: text(fields.path, 'path') }
  if (kind === 'cgroup') return { fd, kind, bound: oneOf(fields.bound, 'bound', ['memory', 'cpu', 'processes']) }
  if (kind === 'secret') return { fd, kind, name: text(fields.name, 'name') }
  if (kind === 'gate' || kind === 'prepared') return { fd, kind }
  if (!(fields.content instanceof Uint8Array)) throw new Malformed('content is not bytes')
  if (fields.content.length > longestContent) throw new Malformed(`content is longer than ${longestContent} bytes`)
  return { fd, kind, content: fields.content }
}

const limits = (value: unknown): Launch['limits'] => {
  const given = record(value, 'limits', number)
  for (const name of Object.keys(given)) oneOf(name, 'a limit', limitNames)
  return given
}

const resourceNames = ['memoryBytes', 'cpus', 'cpuWeight', 'processes'] as const

const resources = (value: unknown): Resources => {
  const given = record(value, 'resources', number)
  for (const name of Object.keys(given)) oneOf(name, 'a resource', resourceNames)
  return given
}

const storage = (value: unknown): Storage => {
  const { bytes, files } = fieldsOf(value, 'storage')
  return { bytes: number(bytes, 'storage.bytes'), files: number(files, 'storage.files') }
}

const depth = (value: unknown): Launch['depth'] => {
  const found = ([0, 2, 3] as const).find((each) => each === value)
  if (found === undefined) throw new Malformed('depth is none of 0, 2, 3')
  return found
}

const namespaceKinds: readonly NamespaceKind[] = ['user', 'pid', 'mnt', 'ipc', 'uts', 'cgroup', 'net']

const expectation = (value: unknown): Expectation => {
  const fields = fieldsOf(value, 'expect')
  return {
    namespaces: list(fields.namespaces, 'namespaces', (each, what) => oneOf(each, what, namespaceKinds)),
    innerUid: number(fields.innerUid, 'innerUid'),
    innerGid: number(fields.innerGid, 'innerGid'),
    mounts: record(fields.mounts, 'mounts', boolean),
    ...(fields.sources === undefined ? {} : { sources: record(fields.sources, 'sources', text) }),
    isFiltered: boolean(fields.isFiltered, 'isFiltered'),
    descriptors: list(fields.descriptors, 'descriptors', number),
  }
}

const command = (value: unknown, what: string): readonly [string, ...string[]] => {
  const [program, ...rest] = list(value, what, text)
  if (program === undefined) throw new Malformed(`${what} is empty`)
  return [program, ...rest]
}

const privileged = (value: unknown): Pick<Launch, 'privileged'> => {
  if (value === undefined) return {}
  if (value !== true) throw new Malformed('privileged is not true')
  return { privileged: true }
}

/** Throws Malformed. */
export const parseLaunch = (value: unknown): Launch => {
  const fields = fieldsOf(value, 'launch')
  return {
    argv: command(fields.argv, 'argv'),
    env: record(fields.env, 'env', text),
    cwd: text(fields.cwd, 'cwd'),
    identity: identity(fields.identity),
    ...privileged(fields.privileged),
    umask: number(fields.umask, 'umask'),
    directories: list(fields.directories, 'directories', directory),
    descriptors: list(fields.descriptors, 'descriptors', descriptor),
    limits: limits(fields.limits),
    resources: resources(fields.resources),
    ...(fields.storage === undefined ? {} : { storage: storage(fields.storage) }),
    depth: depth(fields.depth),
    ...(fields.expect === undefined ? {} : { expect: expectation(fields.expect) }),
    ...(fields.unreachable === undefined ? {} : { unreachable: list(fields.unreachable, 'unreachable', text) }),
    ...(fields.resolvers === undefined ? {} : { resolvers: list(fields.resolvers, 'resolvers', text) }),
    ...(fields.uplink === undefined ? {} : { uplink: command(fields.uplink, 'uplink') }),
    reach: reach(fields.reach),
  }
}

/** Most a note may hold, in characters of its JSON: it stays in the launcher's memory for as long as the run lasts. */
const longestNote = 1_024

/** A plain copy: what JSON leaves out, such as the content of a Map, would be kept unseen and count for nothing. */
const note = (value: unknown): unknown => {
  const written = JSON.stringify(value) ?? 'null'
  if (written.length > longestNote) throw new Malformed(`a note is longer than ${longestNote} characters`)
  return JSON.parse(written)
}

type Parsers = { readonly [T in Request['type']]: (fields: Fields) => Extract<Request, { type: T }> }

const run = (fields: Fields): string => text(fields.run, 'run')

const parsers: Parsers = {
  launch: (fields) => ({
    type: 'launch',
    run: run(fields),
    service: text(fields.service, 'service'),
    id: text(fields.id, 'id'),
    launch: parseLaunch(fields.launch),
    watch: boolean(fields.watch, 'watch'),
    note: note(fields.note),
    ...(fields.isTraced === undefined ? {} : { isTraced: boolean(fields.isTraced, 'isTraced') }),
    ...(fields.isFreezable === undefined ? {} : { isFreezable: boolean(fields.isFreezable, 'isFreezable') }),
  }),
  stop: (fields) => ({
    type: 'stop',
    run: run(fields),
    signal: text(fields.signal, 'signal'),
    timeoutMs: number(fields.timeoutMs, 'timeoutMs'),
  }),
  freeze: (fields) => ({ type: 'freeze', run: run(fields), on: boolean(fields.on, 'on') }),
  note: (fields) => ({ type: 'note', run: run(fields), note: note(fields.note) }),
  accepting: (fields) => ({ type: 'accepting', run: run(fields) }),
  watch: (fields) => ({ type: 'watch', run: run(fields), on: boolean(fields.on, 'on') }),
  connect: (fields) => ({ type: 'connect', run: run(fields) }),
  purge: (fields) => ({ type: 'purge', path: text(fields.path, 'path'), identity: identity(fields.identity) }),
  up: () => ({ type: 'up' }),
}

/** The number by which the server awaits its answer; undefined when even that is missing. */
export const requestNumberOf = (message: unknown): number | undefined => {
  const value = typeof message === 'object' && message !== null ? (message as Fields).request : undefined
  return typeof value === 'number' ? value : undefined
}

/** Throws Malformed. */
export const parseRequest = (message: unknown): ToLauncher => {
  const fields = fieldsOf(message, 'a message')
  const type = oneOf(fields.type, 'type', Object.keys(parsers) as Request['type'][])
  return { ...parsers[type](fields), request: number(fields.request, 'request') }
}
