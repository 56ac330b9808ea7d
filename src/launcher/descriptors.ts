// What a program finds open from descriptor 3 on, opened afresh for every start. Whether a launch may have it is policy.ts.
// The launcher keeps the other end of two of them: the gate the program is held at, and the mark that it is prepared.
import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import { Socket } from 'node:net'
import type { RunCgroup } from '../cgroups/runCgroup.ts'
import { messageOf } from '../errors.ts'
import type { Descriptor, Launch } from '../isolation/adapter.ts'
import { duplicateAbove, openFlags, openMemoryFile, openPath, openPipe, openSocketPair } from './libc.ts'
import { listenUnix, removeSocket } from './listeners.ts'
import { codePlaces, grantAt, Refused } from './policy.ts'
import type { Policy } from './protocol.ts'
import { openBelow, openTrusted, rootOf } from './safePath.ts'

export type Inherited = 'ignore' | number

/** The launcher's end of what a program is held at. */
export interface Gate {
  /** Number of the descriptor in the program. */
  readonly number: number
  /** Lets the program go on. */
  open(): void
  close(): void
}

export interface Opened {
  /** For the child's stdio, from number 3 on; a number that the launch does not name stays closed. */
  readonly inherited: Inherited[]
  /** The launcher's own copy of a listening socket that the application inherits. */
  readonly listener: number | undefined
  readonly gate: Gate | undefined
  /** Ends when the program has closed its end. */
  readonly prepared: Socket | undefined
  /** Closes what the launcher keeps, and removes the socket file. */
  release(): void
}

interface Place {
  readonly policy: Policy
  readonly service: string
  readonly launch: Launch
  readonly cgroup: RunCgroup | undefined
  /** Takes a descriptor that is to be closed once the child exists. */
  readonly keep: (fd: number) => number
}

/** Throws what the first that cannot be opened throws, with everything kept open until then released. */
export const openDescriptors = (place: Place): Opened => {
  const inherited: Inherited[] = []
  const releases: (() => void)[] = []
  const release = (): void => {
    for (const each of releases.splice(0)) each()
  }
  const kept: { listener?: number; gate?: Gate; prepared?: Socket } = {}
  const opened: { readonly [K in Descriptor['kind']]: (descriptor: Extract<Descriptor, { kind: K }>) => number } = {
    content: ({ content }) => openContent(content),
    path: ({ path }) => openGiven(place, path),
    cgroup: ({ bound }) => openOwnCgroup(place, bound),
    secret: ({ name }) => openContent(readSecret(place, name)),
    listener: ({ socket }) => {
      const fd = listenUnix(socket, place.policy.serverIdentity ?? self(), 0o600)
      const copy = duplicateAbove(fd, 3)
      kept.listener = copy
      releases.push(() => {
        closeSync(copy)
        removeSocket(socket)
      })
      return fd
    },
    gate: ({ fd }) => {
      const { gate, programEnd } = openGate(fd)
      kept.gate = gate
      releases.push(gate.close)
      return programEnd
    },
    prepared: () => {
      const { mark, programEnd } = openMark()
      kept.prepared = mark
      releases.push(() => mark.destroy())
      return programEnd
    },
  }
  try {
    for (const descriptor of place.launch.descriptors) {
      const open = opened[descriptor.kind] as (descriptor: Descriptor) => number
      while (inherited.length <= descriptor.fd - 3) inherited.push('ignore')
      inherited[descriptor.fd - 3] = place.keep(open(descriptor))
    }
  } catch (error) {
    release()
    throw error
  }
  return { inherited, listener: kept.listener, gate: kept.gate, prepared: kept.prepared, release }
}

const self = (): { uid: number; gid: number } => ({ uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 })

const openContent = (content: Uint8Array): number => {
  const fd = openMemoryFile('tenement')
  // Written at offset 0 each, so that the reader finds the offset where it expects it.
  for (let written = 0; written < content.length; )
    written += writeSync(fd, content, written, content.length - written, written)
  return fd
}

/** Below its code and data every step refuses symlinks; a grant lies anywhere, so every step must also be out of tenants' reach. */
const openGiven = ({ policy, service }: Place, path: string): number => {
  const grant = grantAt(policy, service, path)
  // One that is bound was opened as carefully when the launcher bound it.
  if (grant !== undefined) return grant.boundAt === undefined ? openTrusted(path) : openBelow(path, path)
  return openBelow(rootOf([...policy.dataRoots, ...codePlaces(policy), policy.runDir], path), path)
}

const openOwnCgroup = ({ cgroup }: Place, bound: 'memory' | 'cpu' | 'processes'): number => {
  const directory = cgroup?.directoryFor(bound)
  if (directory === undefined) throw new Refused(`the launch has no bound on ${bound} whose cgroup it could be shown`)
  return openPath(directory, openFlags.path | openFlags.directory)
}

/** Most a secret may hold, in bytes. */
const longestSecret = 1_048_576

const readSecret = ({ policy, service }: Place, name: string): Uint8Array => {
  const secrets = policy.grants[service]?.secrets ?? {}
  const file = Object.hasOwn(secrets, name) ? secrets[name] : undefined
  if (file === undefined) throw new Refused(`service ${service} has no secret "${name}"`)
  const path = openTrusted(file)
  try {
    if (!fstatSync(path).isFile()) throw new Error(`secret "${name}", "${file}", is not a file`)
    // A descriptor opened O_PATH cannot be read; its name in /proc leads to this very file.
    // Without O_NONBLOCK a lease that somebody holds on the file would keep the launcher waiting (fcntl(2), F_SETLEASE).
    return readWhole(openSync(`/proc/self/fd/${path}`, constants.O_RDONLY | constants.O_NONBLOCK), name, file)
  } finally {
    closeSync(path)
  }
}

const readWhole = (fd: number, name: string, file: string): Uint8Array => {
  try {
    const { size } = fstatSync(fd)
    if (size > longestSecret) throw new Error(`secret "${name}", "${file}", is larger than ${longestSecret} bytes`)
    const content = Buffer.alloc(size)
    return content.subarray(0, readSync(fd, content, 0, size, 0))
  } finally {
    closeSync(fd)
  }
}

/**
 * A pipe whose end for the program is open for writing too: nobody but the program itself need hold it, so it never reads an
 * end of file. Should the launcher die, the program stays held until the next one ends it; it never runs unattended.
 */
const openGate = (number: number): { readonly gate: Gate; readonly programEnd: number } => {
  const { readEnd, writeEnd: waiting } = openPipe()
  const programEnd = openSync(`/proc/self/fd/${readEnd}`, constants.O_RDWR)
  closeSync(readEnd)
  // The program can write too: one that has filled the pipe must not keep the launcher waiting (pipe(7)).
  const writeEnd = openSync(`/proc/self/fd/${waiting}`, constants.O_WRONLY | constants.O_NONBLOCK)
  closeSync(waiting)
  let isOpen = true
  return {
    programEnd,
    gate: {
      number,
      open: () => openOrTell(writeEnd),
      close: () => {
        if (isOpen) closeSync(writeEnd)
        isOpen = false
      },
    },
  }
}

const openOrTell = (writeEnd: number): void => {
  try {
    writeSync(writeEnd, 'x')
  } catch (error) {
    throw new Error(`the gate cannot be opened: ${messageOf(error)}`, { cause: error })
  }
}

const openMark = (): { readonly mark: Socket; readonly programEnd: number } => {
  const [ours, programEnd] = openSocketPair()
  const mark = new Socket({ fd: ours, readable: true, writable: true, allowHalfOpen: true })
  mark.on('error', () => undefined) // a program that ends before it has read it; its exit says more
  mark.end('prepared\n')
  mark.resume()
  return { mark, programEnd }
}
