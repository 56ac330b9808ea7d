// What attacks aim at, told by the machine's side: which file, which process, which port. A hostile tenant could guess all of
// it. What an instance calls its own it knows from its environment.

export interface Targets {
  readonly machine: {
    /** A file that only the user tenement was started as may read or write, on the file system of the data. */
    readonly file: string
    /** Directories of tenement's own, and the one that holds all data. */
    readonly directories: readonly string[]
    /** Listening unix sockets that no tenant may use, the control socket among them. */
    readonly sockets: readonly string[]
    /** Name of an abstract unix socket, without the NUL before it. */
    readonly abstractSocket: string
    /** Addresses of this machine with a port on which it listens. */
    readonly addresses: readonly (readonly [host: string, port: number])[]
    /** Launcher and server. */
    readonly processes: readonly number[]
    /** What the launcher's environment holds. */
    readonly secret: string
    /** A program with the set-user-id bit that belongs to root and prints its effective uid; absent where nobody could make one. */
    readonly setUidProgram?: string
    /** Directories of the cgroups that the instance is in, as the machine sees them. */
    readonly cgroups: readonly string[]
    /** The number of a key that everybody may read; absent where nobody could make one. */
    readonly key?: number
  }
  readonly neighbour: {
    /** As the machine sees it. */
    readonly pid: number
    readonly dataDir: string
    /** Unix sockets by path. */
    readonly sockets: readonly string[]
    readonly abstractSocket: string
    readonly port: number
    readonly shared: SharedNames
  }
}

/** Objects that processes of one machine find by name. */
export interface SharedNames {
  /** Key of a System V segment, a semaphore set and a message queue. */
  readonly key: number
  /** Name of a POSIX segment and of a POSIX message queue, without a slash. */
  readonly name: string
}

/** The instance's data directory. */
export const ownData = (): string => {
  const path = process.env.HOME
  if (path === undefined) throw new Error('an instance finds its data directory in HOME')
  return path
}
