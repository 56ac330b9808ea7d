// What attacks aim at on the machine's side, planted before they run: a file, sockets, ports, a key. Each tells afterwards
// whether anybody touched it, which is the evidence: what an instance says of itself is a tenant's word.
import { once } from 'node:events'
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer, type ListenOptions, type Server } from 'node:net'
import { hostname, networkInterfaces } from 'node:os'
import { basename, join } from 'node:path'
import { call } from '../attack/kernel.ts'

export interface Listener {
  readonly port: number
  /** How often somebody connected. */
  count(): Promise<number>
  close(): void
}

/** Listens, and counts who comes. */
export const listenAsCanary = async (options: ListenOptions): Promise<Listener> => {
  let connections = 0
  const server: Server = createServer((socket) => {
    connections += 1
    socket.on('error', () => undefined)
    socket.end()
  })
  server.listen(options)
  await once(server, 'listening')
  const address = server.address()
  const port = address !== null && typeof address === 'object' ? address.port : 0
  let own = 0
  return {
    port,
    // Connections are taken in the order in which they came: once one of our own is counted, so is every earlier one.
    count: async () => {
      const before = connections
      own += 1
      const target = options.path === undefined ? { port, host: '127.0.0.1' } : { path: options.path }
      const socket = connect(target)
      await once(socket.resume(), 'close')
      return Math.max(connections, before + 1) - own
    },
    close: () => server.close(),
  }
}

export interface Canaries {
  readonly file: string
  readonly socket: string
  readonly abstractSocket: string
  readonly addresses: readonly (readonly [string, number])[]
  readonly key: number | undefined
  readonly setUidProgram: string | undefined
  /** Puts the file in its place again, should an attack that was to get through have removed it. */
  replant(): void
  /** Everything that can be looked at, by the row that would change it. */
  look(): Promise<Readonly<Record<string, unknown>>>
  close(): void
}

export const plantCanaries = async (root: string, stage: string): Promise<Canaries> => {
  const file = join(root, 'canary')
  const plant = (): void => writeFileSync(file, 'a file of the machine', { mode: 0o600 })
  plant()
  const socket = join(root, 'machine.sock')
  const abstractSocket = `tenement-canary-${basename(root)}`
  const [port, path, abstract] = await Promise.all([
    listenAsCanary({ port: 0, host: '::', ipv6Only: false }),
    listenAsCanary({ path: socket }),
    listenAsCanary({ path: `\0${abstractSocket}` }),
  ])
  chmodSync(socket, 0o600)
  const hosts = ['127.0.0.1', '::1', '::ffff:127.0.0.1', ...ownAddresses()]
  return {
    file,
    socket,
    abstractSocket,
    addresses: hosts.map((host) => [host, port.port] as const),
    key: makeKey(`tenement-canary-${basename(root)}`),
    setUidProgram: process.getuid?.() === 0 ? makeSetUidProgram(stage) : undefined,
    replant: () => {
      if (!existsSync(file)) plant()
    },
    look: async () => ({
      '4': existsSync(file) ? [readFileSync(file, 'utf8'), statSync(file).mode] : 'gone',
      '12': await port.count(),
      '15': await abstract.count(),
      '16': await path.count(),
      '23': existsSync(file) ? statSync(file).nlink : 'gone',
      // Others may mount what they like meanwhile.
      '29': mountsBelow(root),
      '65': hostname(),
      '74': ['/usr/lib/planted', '/etc/planted', '/planted', '/dev/planted'].filter((each) => existsSync(each)),
    }),
    close: () => {
      for (const each of [port, path, abstract]) each.close()
    },
  }
}

const mountsBelow = (root: string): readonly string[] =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes(root))

/** Addresses of this machine beyond loopback; one of a link alone would need its name too. */
const ownAddresses = (): readonly string[] =>
  Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, address }) => !internal && !address.startsWith('fe80'))
    .map(({ address }) => address)

/** A key that ends with this process and that everybody may read (keyctl(2), KEYCTL_SETPERM; keyrings(7)). */
const makeKey = (name: string): number | undefined => {
  try {
    const key = call('add_key', 'user', name, Buffer.from('a key of the machine'), 20, -2)
    call('keyctl', 5, key, 0x3f3f_3f3f)
    return key
  } catch {
    return undefined // this kernel has no keyrings, or the machine lets nobody use them: there is nothing to read then
  }
}

const makeSetUidProgram = (stage: string): string => {
  const path = join(stage, 'bin', 'id')
  mkdirSync(join(stage, 'bin'))
  copyFileSync('/usr/bin/id', path)
  chmodSync(path, 0o4755)
  return path
}
