// The isolation seam: a plan in, a launch out. Plain data both ways, so that every adapter's output can be compared with a
// file and a plugin is one module. When, where and how long is tenement's business; how it is confined is the adapter's.
import type { OptionsSchema } from './options.ts'

/** What is to be started, before anybody has decided how it is confined. Paths are absolute. */
export interface LaunchPlan<Options = unknown> {
  /** 'notes:alice' */
  readonly instance: string
  /** The program and its arguments; the program is an absolute path. */
  readonly argv: readonly [string, ...string[]]
  /** Everything the application's environment holds. */
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  /** The instance's own data directory: the one place it may write that outlives it. */
  readonly dataDir: string
  /** The host uid and gid of this tenant alone; undefined where tenement may not change uid. */
  readonly identity: Identity | undefined
  readonly reach: Reach
  readonly network: Network
  /** Paths beyond cwd and dataDir that the service was granted. */
  readonly read: readonly Grant[]
  readonly write: readonly Grant[]
  /** Names of the files it finds in /run/secrets; what is in them only the launcher reads. */
  readonly secrets: readonly string[]
  /** The compiled seccomp filter (struct sock_filter[], as bubblewrap takes it); undefined where neither service nor adapter names a profile. */
  readonly filter: Uint8Array | undefined
  readonly limits: Limits
  readonly options: Options
}

export type Network = 'host' | 'private' | 'internet'

/** A path an instance may use: what it is called inside, and where the launcher finds it, which differs where tenants could not open it in its place. */
export interface Grant {
  readonly path: string
  readonly source: string
}

export interface Identity {
  readonly uid: number
  readonly gid: number
}

/** Where the application listens. A listening TCP socket is never inherited: it would leak the machine's network namespace. */
export type Reach =
  /** 'own': on the loopback of a network namespace of the instance's, in which the launcher opens the connections. */
  | { readonly kind: 'port'; readonly port: number; readonly network: 'host' | 'own' }
  /** The launcher makes a listening unix socket at `socket` and passes it as descriptor 3. */
  | { readonly kind: 'fd'; readonly socket: string }
  /** The application makes the unix socket `socket` itself; its directory is the application's to write. */
  | { readonly kind: 'unix'; readonly socket: string }

/** Bounds asked for in the config; an absent one is unlimited. */
export interface Limits {
  readonly memoryBytes?: number
  readonly cpus?: number
  readonly cpuWeight?: number
  readonly processes?: number
  readonly openFiles?: number
  readonly tmpBytes?: number
  /** What the data directory may hold. */
  readonly storageBytes?: number
}

/** A file costs an inode however small it is, so both are bounded. */
export interface Storage {
  readonly bytes: number
  readonly files: number
}

/** Bounds on all processes of an instance together, which a cgroup keeps. */
export type Resources = Pick<Limits, 'memoryBytes' | 'cpus' | 'cpuWeight' | 'processes'>

/** What the launcher executes. It adds nothing to it and refuses what its own policy forbids. */
export interface Launch {
  readonly argv: readonly [string, ...string[]]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  /** Runs as this uid and gid with no further groups; undefined runs as the launcher's own, which must then not be root. */
  readonly identity: Identity | undefined
  /**
   * Starts it as root, where it has to become `identity` itself or confine without. Refused unless the service's isolation is a
   * plug-in for which the config says `privileged = true`. Directories and output are the identity's all the same.
   */
  readonly privileged?: true
  /** File mode bits taken from what it creates. */
  readonly umask: number
  /** Directories that must exist before it starts, made in this order. */
  readonly directories: readonly Directory[]
  /** Open descriptors it finds beyond 0, 1 and 2, and no others. */
  readonly descriptors: readonly Descriptor[]
  /** Soft and hard resource limits by their prlimit(1) names. */
  readonly limits: Readonly<Partial<Record<LimitName, number>>>
  /** Joined before the application's first instruction; a launch whose bounds cannot be kept is not made. */
  readonly resources: Resources
  /** Most that its own directories may hold; looked at while it runs, and it is ended where they hold more. */
  readonly storage?: Storage
  /**
   * How many processes lie between the one started and the application, each the first child of the one before it: none, or
   * a monitor and the first process of a namespace (2), or a network helper before those (3). The last of them but one is the
   * namespace's first process: all others in it end with it.
   */
  readonly depth: 0 | 2 | 3
  /** What the kernel must report of the launch before the application may run. Needs a `gate` and a `prepared` descriptor. */
  readonly expect?: Expectation
  /**
   * Networks that must be unreachable from its own, such as '10.0.0.0/8', by rules set before the application runs; the launcher
   * adds the machine's own addresses of that moment. Undefined: nothing to be set.
   */
  readonly unreachable?: readonly string[]
  /** Addresses of the machine's resolvers: their port for DNS, and that alone, is reached also where they are unreachable. */
  readonly resolvers?: readonly string[]
  /**
   * A program that connects its own network with the machine's: started with its identity, outside of its namespaces, while it
   * is held. Finds the network namespace as descriptor 3, the user namespace that owns it as 4, and writes a line to 5 when
   * everything is in place. It lives as long as the instance, and the instance as long as it.
   */
  readonly uplink?: readonly [string, ...string[]]
  readonly reach: Reach
}

export type NamespaceKind = 'user' | 'pid' | 'mnt' | 'ipc' | 'uts' | 'cgroup' | 'net'

/** What the launcher compares with /proc while the application is held, and again when it has been executed. */
export interface Expectation {
  /** Kinds of namespace it must not share with the launcher. */
  readonly namespaces: readonly NamespaceKind[]
  /** The one uid and gid there is inside. */
  readonly innerUid: number
  readonly innerGid: number
  /** Every mount point inside; `true` where it may be written. */
  readonly mounts: Readonly<Record<string, boolean>>
  /**
   * What is mounted at each of these points: a path of the machine where the launcher finds it, or the type of a file system of its
   * own ('tmpfs', 'proc', 'devpts', 'cgroup'). A point that is left out may show anything.
   */
  readonly sources?: Readonly<Record<string, string>>
  /** Whether a seccomp filter is in force once the application is executed. */
  readonly isFiltered: boolean
  /** Descriptors open in the application right after it was executed, in order. */
  readonly descriptors: readonly number[]
}

/**
 * The least that every launch of a service comes with: fixed when tenement starts, and kept by the launcher against a server
 * that was taken over. What is left out here such a server may choose.
 */
export interface Floor {
  /** Bounds a launch must have, each at most this. */
  readonly resources?: Resources
  /** Limits a launch must have, each at most this. */
  readonly limits?: Launch['limits']
  readonly storage?: Storage
  /** Absent where instances are plain processes. */
  readonly confined?: ConfinedFloor
}

/** A launch is held, attested for at least this, and only then let go. */
export interface ConfinedFloor {
  /** The program that confines: an absolute path, started with an empty environment. */
  readonly program: string
  readonly depth: 2 | 3
  /** Kinds of namespace it must have of its own. Without 'net' it may have the machine's network. */
  readonly namespaces: readonly NamespaceKind[]
  readonly isFiltered: boolean
  /** Paths of the machine that it may be shown, with what is below them, beside its code, its grants and its own directories. */
  readonly shown: readonly string[]
  /** Device nodes it may be given to write. */
  readonly devices: readonly string[]
  /** The one uplink it may have, word for word; absent: none. */
  readonly uplink?: NonNullable<Launch['uplink']>
  /** Networks that must be unreachable where it has an uplink. */
  readonly unreachable?: readonly string[]
}

/** What a floor is made of: what is true of every instance of a service, or of one tenant whose config differs. */
export type FloorInputs<Options = unknown> = Pick<LaunchPlan<Options>, 'network' | 'limits' | 'options'>

/** What was found of one launch, by capability: 'pid.private' → 'pid:[4026532301]'. */
export interface Attestation {
  readonly atMs: number
  readonly found: Readonly<Record<string, string>>
}

export type LimitName = 'nofile' | 'fsize' | 'nproc' | 'memlock' | 'msgqueue' | 'nice' | 'rtprio'

/** A directory below one the launcher's policy allows. `owner: 'tenant'` gives it to the launch's identity. */
export interface Directory {
  readonly path: string
  readonly mode: number
  readonly owner: 'tenant' | 'launcher'
}

/** What a descriptor is. Each is opened by the launcher, afresh for every start. */
export type Descriptor =
  | { readonly fd: number; readonly kind: 'listener'; readonly socket: string }
  | { readonly fd: number; readonly kind: 'content'; readonly content: Uint8Array }
  | { readonly fd: number; readonly kind: 'path'; readonly path: string }
  /** The secret of this name from the service's own table, read by the launcher alone. */
  | { readonly fd: number; readonly kind: 'secret'; readonly name: string }
  /** The directory of its own cgroup that keeps one of its bounds: what a runtime reads to size itself. */
  | { readonly fd: number; readonly kind: 'cgroup'; readonly bound: 'memory' | 'cpu' | 'processes' }
  /** The program waits here for one byte before it executes the application. No end of file ever comes, also when the launcher dies. */
  | { readonly fd: number; readonly kind: 'gate' }
  /** Reads as one line and an end of file; once the program has closed it, all it was told to do before that is done. */
  | { readonly fd: number; readonly kind: 'prepared' }

/** How far a promise goes: kept by the kernel, or kept unless the tenant works against it. */
export type Strength = 'enforced' | 'best-effort'

/** What an adapter may know about the machine when it is asked whether it can run there. */
export interface Machine {
  readonly isRoot: boolean
  readonly hasTenantUids: boolean
  /**
   * Whom a probe must run programs as: a uid of the tenants' that no process has. What root may do says nothing about what a
   * tenant may, above all about user namespaces. Absent where instances run as the caller.
   */
  readonly probeIdentity?: Identity
}

export interface Probe {
  readonly usable: boolean
  /** Promises that this machine does not let the adapter keep, each with the reason. */
  readonly lost: readonly {
    readonly capability: string
    readonly reason: string
    readonly fix?: string
    /** Lost only to services whose options hold all of these. */
    readonly onlyWith?: Readonly<Record<string, unknown>>
  }[]
  /** Why it cannot run here at all, and the narrowest fix. */
  readonly problem?: { readonly reason: string; readonly fix: string }
}

export interface Defaults {
  readonly network: Network
  /** Name of a shipped seccomp profile. */
  readonly seccomp?: string
  readonly limits: Limits
}

/** What an adapter shows of the machine, where it does not show all of it. Paths are absolute. */
export interface Sight {
  /** Folders that every instance finds at their own place. */
  readonly shown: readonly string[]
  /** Places an instance has of its own: nothing of the machine can be shown there or around them. */
  readonly own: readonly string[]
  /** Places below which nothing can be shown either. */
  readonly closed: readonly string[]
}

/** Turns a plan into a launch that meets the whole plan, or rejects, leaving nothing behind. Never falls back to less. */
export interface IsolationAdapter<Options = unknown> {
  /** As in `isolation = "name"`. */
  readonly name: string
  readonly apiVersion: 1
  /** Whether the programs it starts begin as root, which a config must allow. */
  readonly privileged?: boolean
  /** What it promises on every machine; what is not listed is absent. */
  readonly capabilities: Readonly<Partial<Record<string, Strength>>>
  /** What a service that says nothing gets. */
  readonly defaults: Defaults
  /** The same for a service with these options, where they change what a silent one gets. */
  defaultsFor?(options: Options): Defaults
  /** Promises without which a service does not run at all on a machine that cannot keep them, unless its config accepts the loss. */
  readonly needs: readonly string[]
  /** The networks a service may have; absent: all that its capabilities allow. */
  readonly networks?: readonly Network[]
  /** How its instances can be reached; absent: in every way. */
  readonly listens?: readonly Reach['kind'][]
  /** Absent where instances see the machine's files as they are. */
  readonly sight?: Sight
  /** Reads [service.X.options]; absent where there are none. */
  readonly options?: OptionsSchema<Options>
  /**
   * The least that `prepare` gives a service, whatever its plan says beyond this. Without it nothing holds a server that was taken
   * over to this isolation, and `check` warns of that. Pure.
   */
  floorFor?(inputs: FloorInputs<Options>): Floor | Promise<Floor>
  probe(machine: Machine): Promise<Probe>
  prepare(plan: LaunchPlan<Options>): Promise<Launch>
}
