// Connections to an instance, and only to it: what answers at its address must be its own. A port may have been taken first by
// another tenant; a socket file may be a symlink to somebody else's. Both are looked at before a byte is sent.
import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import type { Identity, Reach } from '../isolation/adapter.ts'

/** Opens a connection once per call; rejects when nothing accepts, or what would accept is not the instance's own. */
export type Connect = () => Promise<Socket>

/** Uids of those who listen on a TCP port. */
export type ListenersOn = (port: number) => readonly number[]

export const connectTo = (
  reach: Reach,
  identity: Identity | undefined,
  { listenersOn, openInside }: { readonly listenersOn: ListenersOn; readonly openInside: Connect },
): Connect => {
  const uid = identity?.uid ?? process.getuid?.() ?? 0
  if (reach.kind === 'fd') return () => connected({ path: reach.socket })
  if (reach.kind === 'unix') return () => connectOwnSocket(reach.socket, uid)
  // Nobody but the instance is in its network, so whatever listens there is its own.
  if (reach.network === 'own') return openInside
  return connectPort(reach.port, identity?.uid, listenersOn)
}

const connected = (target: { path: string } | { port: number; host: string }): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ ...target, noDelay: true })
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      resolve(socket)
    })
  })

/**
 * The directory is the tenant's, so the name may lead anywhere. The file is opened without following a symlink and without
 * being read (O_PATH), looked at, and connected to through the descriptor, which names this very file whatever is swapped meanwhile.
 */
const connectOwnSocket = async (path: string, uid: number): Promise<Socket> => {
  const fd = openSync(path, 0o10000000 | constants.O_NOFOLLOW)
  try {
    const stat = fstatSync(fd)
    if (!stat.isSocket()) throw new Error(`"${path}" is not a socket`)
    if (stat.uid !== uid)
      throw new Error(`socket "${path}" belongs to uid ${stat.uid}, not to the instance's uid ${uid}`)
    return await connected({ path: `/proc/self/fd/${fd}` })
  } finally {
    closeSync(fd)
  }
}

/**
 * Without a uid of its own an instance's listener cannot be told from another's. With one, it is looked at around every
 * connection: an instance whose listener is gone leaves its port to whoever takes it, and one that listens for a moment only
 * must not be taken for nobody.
 */
const connectPort = (port: number, uid: number | undefined, listenersOn: ListenersOn): Connect => {
  const requireOwn = (): void => {
    const owners = uid === undefined ? [] : listenersOn(port)
    const other = owners.find((each) => each !== uid)
    if (other !== undefined) throw new Error(`port ${port} is held by uid ${other}, not by the instance's uid ${uid}`)
    if (uid !== undefined && owners.length === 0) throw new Error(`nobody listens on port ${port}`)
  }
  return async () => {
    requireOwn()
    const socket = await connected({ port, host: '127.0.0.1' })
    try {
      requireOwn()
      return socket
    } catch (error) {
      socket.destroy()
      throw error
    }
  }
}
