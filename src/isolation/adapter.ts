// The isolation seam: a plan in, a launch out. Plain data both ways, so that every adapter's output can be compared with a
// file and a plugin is one module. When, where and how long is tenement's business; how it is confined is the adapter's.

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
  readonly network: 'host' | 'private' | 'internet'
  /** Paths beyond cwd and dataDir that the service was granted. */
  readonly read: readonly string[]
  readonly write: readonly string[]
  readonly limits: Limits
  readonly options: Options
}

export interface Identity {
  readonly uid: number
  readonly gid: number
}

/** Where the application listens. A listening TCP socket is never inherited: it would leak the machine's network namespace. */
export type Reach =
  | { readonly kind: 'port'; readonly port: number }
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
}

/** What the launcher executes. It adds nothing to it and refuses what its own policy forbids. */
export interface Launch {
  readonly argv: readonly [string, ...string[]]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  /** Runs as this uid and gid with no further groups; undefined runs as the launcher's own, which must then not be root. */
  readonly identity: Identity | undefined
  /** File mode bits taken from what it creates. */
  readonly umask: number
  /** Directories that must exist before it starts, made in this order. */
  readonly directories: readonly Directory[]
  /** Open descriptors it finds beyond 0, 1 and 2, and no others. */
  readonly descriptors: readonly Descriptor[]
  /** Soft and hard resource limits by their prlimit(1) names. */
  readonly limits: Readonly<Partial<Record<LimitName, number>>>
  /** Which process gets the stop signal: the one started, or the application below a namespace's first process. */
  readonly signal: 'started' | 'application'
  readonly reach: Reach
}

export type LimitName = 'nofile' | 'fsize' | 'nproc' | 'memlock'

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

/** How far a promise goes: kept by the kernel, or kept unless the tenant works against it. */
export type Strength = 'enforced' | 'best-effort'

/** What an adapter may know about the machine when it is asked whether it can run there. */
export interface Machine {
  readonly isRoot: boolean
  readonly hasTenantUids: boolean
}

export interface Probe {
  readonly usable: boolean
  /** Promises that this machine does not let the adapter keep, each with the reason. */
  readonly lost: readonly { readonly capability: string; readonly reason: string; readonly fix?: string }[]
  /** Why it cannot run here at all, and the narrowest fix. */
  readonly problem?: { readonly reason: string; readonly fix: string }
}

/** Turns a plan into a launch that meets the whole plan, or rejects, leaving nothing behind. Never falls back to less. */
export interface IsolationAdapter<Options = unknown> {
  /** As in `isolation = "name"`. */
  readonly name: string
  readonly apiVersion: 1
  /** What it promises on every machine; what is not listed is absent. */
  readonly capabilities: Readonly<Partial<Record<string, Strength>>>
  probe(machine: Machine): Promise<Probe>
  prepare(plan: LaunchPlan<Options>): Promise<Launch>
}
