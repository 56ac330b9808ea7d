// A launch that the policy allowed → a process. Everything it finds open is opened here, afresh for every start; every path
// below a directory of a tenant is walked without following symlinks; nothing is left behind when a step fails.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, fchownSync, rmdirSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import type { RunCgroup } from '../cgroups/runCgroup.ts'
import { messageOf } from '../errors.ts'
import type { Directory, Launch } from '../isolation/adapter.ts'
import { type Gate, type Inherited, openDescriptors } from './descriptors.ts'
import { withCgroup } from './inCgroup.ts'
import { withLateVariables } from './lateVariables.ts'
import { duplicateAbove, mountSocketPlace, openPipe, unmount } from './libc.ts'
import { canLimit, withTenantScore } from './limits.ts'
import { codePlaces, ownSocketDir } from './policy.ts'
import { runMarker } from './processes.ts'
import type { Policy, Request } from './protocol.ts'
import { ensureDirectory, openDirectoryBelow, rootOf } from './safePath.ts'

export interface Spawned {
  readonly child: ChildProcess
  readonly pid: number
  /** What it writes to its standard output and error. */
  readonly stdout: Readable
  readonly stderr: Readable
  /** The launcher's own copy of a listening socket that the application inherited. */
  readonly listener: number | undefined
  readonly gate: Gate | undefined
  /** Ends when the program has done what it was told to do before the gate. */
  readonly prepared: Socket | undefined
  /** Closes what the launcher keeps of its descriptors, and removes the socket file. */
  release(): void
}

const self = (): { uid: number; gid: number } => ({ uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 })

/** Where a launch takes place. */
export interface Ground {
  readonly policy: Policy
  readonly canMount: boolean
  /** Undefined for a run without bounds. */
  readonly cgroup: RunCgroup | undefined
}

/** Room for a socket, its lock and what else belongs to it: a tenant cannot fill the machine's run directory. */
const socketPlace = 'size=65536,nr_inodes=32'

/** Each of `undo` takes back one step, the last first; a directory for data stays, whatever becomes of the launch. */
const makeDirectory = (
  { policy, canMount }: Pick<Ground, 'policy' | 'canMount'>,
  run: string,
  launch: Launch,
  { path, mode, owner }: Directory,
  undo: (() => void)[],
): void => {
  const isSocketDir = path === ownSocketDir(policy, run)
  const root = isSocketDir ? policy.runDir : rootOf(policy.dataRoots, path)
  const tenant = launch.identity ?? self()
  // The set-group-id bit of a socket directory gives what the tenant makes in it to the server's group (inode(7)).
  const group = isSocketDir ? (policy.serverIdentity?.gid ?? tenant.gid) : tenant.gid
  const person = owner === 'tenant' ? { uid: tenant.uid, gid: group } : self()
  ensureDirectory(root, path, mode, person)
  if (!isSocketDir) return
  undo.push(() => rmdirSync(path))
  if (!canMount) return
  mountSocketPlace(path, `${socketPlace},mode=${mode.toString(8)},uid=${person.uid},gid=${person.gid}`)
  undo.push(() => unmount(path))
}

/** The directory as /proc names an open descriptor of it: the child enters what was checked, whatever the path names by then. */
const openWorkingDirectory = (policy: Policy, cwd: string): number => {
  const roots = [...policy.dataRoots, ...codePlaces(policy)]
  const fd = openDirectoryBelow(rootOf(roots, cwd), cwd)
  try {
    // Above every number that the child's descriptors get, so that none of them replaces it before the child has entered it.
    return duplicateAbove(fd, 100)
  } finally {
    closeSync(fd)
  }
}

/** A program that is held gets its limits while it is, where that can be done; any other passes through one that sets them. */
const withLimits = ({ argv, limits, depth, identity }: Launch): readonly [string, ...string[]] => {
  if (depth > 0 && canLimit(identity)) return argv
  const options = Object.entries(limits).map(([name, value]) => `--${name}=${value}`)
  return options.length === 0 ? argv : ['/usr/bin/prlimit', ...options, '--', ...argv]
}

/**
 * A pipe for the application to write to, given to its uid so that it can open /dev/stdout too. Node's own 'pipe' is a pair of
 * sockets: opening /dev/stdout fails there, and a socket of the launcher's would be in a tenant's hands.
 */
const openOutput = (
  identity: Launch['identity'],
  keep: (fd: number) => number,
): { writeEnd: number; stream: Readable } => {
  const { readEnd, writeEnd } = openPipe()
  keep(writeEnd)
  if (identity !== undefined) fchownSync(writeEnd, identity.uid, identity.gid)
  return { writeEnd, stream: new Socket({ fd: readEnd, readable: true, writable: false }) }
}

/** Starts the process in a session of its own; rejects with what the step that failed threw. */
export const spawnLaunch = async (
  ground: Ground,
  { run, service, launch }: Extract<Request, { type: 'launch' }>,
): Promise<Spawned> => {
  const { policy, cgroup } = ground
  const opened: number[] = []
  const undo: (() => void)[] = []
  const keep = (fd: number): number => {
    opened.push(fd)
    return fd
  }
  try {
    for (const directory of launch.directories) makeDirectory(ground, run, launch, directory, undo)
    const cwd = keep(openWorkingDirectory(policy, launch.cwd))
    const stdout = openOutput(launch.identity, keep)
    undo.push(() => stdout.stream.destroy())
    const stderr = openOutput(launch.identity, keep)
    undo.push(() => stderr.stream.destroy())
    const { inherited, listener, gate, prepared, release } = openDescriptors({ policy, service, launch, cgroup, keep })
    undo.push(release)
    const late = withLateVariables(launch)
    const argv = withCgroup(withLimits({ ...launch, ...late }), cgroup, inherited, keep, late.env)
    const child = startChild(run, { ...launch, env: late.env }, argv, {
      cwd: `/proc/self/fd/${cwd}`,
      stdio: ['ignore', stdout.writeEnd, stderr.writeEnd, ...inherited],
    })
    const pid = await pidOf(child, launch)
    return { child, pid, stdout: stdout.stream, stderr: stderr.stream, listener, gate, prepared, release }
  } catch (error) {
    for (const step of undo.reverse()) step()
    throw error
  } finally {
    for (const fd of opened) closeSync(fd)
  }
}

/** Why the kernel would not execute a program, in words. */
const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such program, or no such interpreter as its first line names',
  EACCES: 'it is not executable for the uid it would run as, or the folder it starts in is closed to that uid',
  ENOEXEC: 'it is no program of this machine',
  EAGAIN: 'the kernel allows no more processes for this uid',
  E2BIG: 'its arguments and environment are too long',
}

const pidOf = async (child: ChildProcess, { argv: [program], identity }: Launch): Promise<number> => {
  try {
    await once(child, 'spawn')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? ''
    const who = identity === undefined ? '' : ` as uid ${identity.uid}`
    throw new Error(`cannot execute "${program}"${who}: ${reasons[code] ?? messageOf(error)}`, { cause: error })
  }
  if (child.pid === undefined) throw new Error(`cannot execute "${program}": it has no pid`)
  return child.pid
}

/** By which the processes of a plain program are known where it has no uid of its own, or begins as root; a sandbox is known by its namespace. */
const environmentOf = (run: string, { env, identity, depth, privileged }: Launch): Record<string, string> =>
  (identity === undefined && depth === 0) || privileged ? { ...env, [runMarker]: run } : { ...env }

/** What began as root becomes its identity itself. */
const startIdentity = ({ identity, privileged }: Launch): Launch['identity'] => (privileged ? undefined : identity)

const startChild = (
  run: string,
  launch: Launch,
  [program, ...args]: readonly [string, ...string[]],
  given: { readonly cwd: string; readonly stdio: Inherited[] },
): ChildProcess => {
  // umask belongs to the whole process; nothing else runs between these lines.
  const umask = process.umask(launch.umask)
  try {
    // libuv enters the directory before it gives up its uid, and empties the list of further groups with the change of uid.
    return withTenantScore(() =>
      spawn(program, args, { ...given, detached: true, env: environmentOf(run, launch), ...startIdentity(launch) }),
    )
  } finally {
    process.umask(umask)
  }
}
