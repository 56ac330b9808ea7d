// Programs under bubblewrap with a compiled filter and little else: no capabilities, the machine's files read-only, one
// directory to write. The adapters add much to this; what a filter does must not depend on it.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { closeSync, openSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compileProfile } from '../../../src/seccomp/compileProfile.ts'
import { readProfile } from '../../../src/seccomp/find.ts'

export interface Room {
  /** Seen as /mnt inside. */
  readonly data: string
  /** Starts a program under the profile of this name, or under none. */
  start(
    profile: string | undefined,
    argv: readonly string[],
    env?: Readonly<Record<string, string>>,
  ): Promise<ChildProcess>
  remove(): Promise<void>
}

/** Seen as /srv inside. */
const fixtures = fileURLToPath(new URL('../../fixtures/seccomp', import.meta.url))

const options = [
  ...['--unshare-user', '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--uid', '1000', '--gid', '1000'],
  ...[
    '--cap-drop',
    'ALL',
    '--ro-bind',
    '/',
    '/',
    '--dev',
    '/dev',
    '--proc',
    '/proc',
    '--tmpfs',
    '/tmp',
    '--tmpfs',
    '/run',
  ],
  ...[
    '--die-with-parent',
    '--new-session',
    '--clearenv',
    '--setenv',
    'PATH',
    '/usr/bin:/bin',
    '--setenv',
    'HOME',
    '/mnt',
  ],
]

export const openRoom = async (): Promise<Room> => {
  const folder = await mkdtemp(join(tmpdir(), 'tenement-seccomp-'))
  const data = await mkdtemp(join(folder, 'data-'))
  let filters = 0
  return {
    data,
    start: async (profile, argv, env = {}) => {
      filters += 1
      const file = join(folder, `${filters}.bpf`)
      if (profile !== undefined) writeFileSync(file, await compiled(profile))
      return startUnder(profile === undefined ? undefined : file, data, argv, env)
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

const compiled = async (profile: string): Promise<Uint8Array> => {
  const { file, text } = await readProfile(profile, '/')
  return compileProfile(text, { file })
}

const startUnder = (
  filter: string | undefined,
  data: string,
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
): ChildProcess => {
  // The root of the machine is read-only inside, so the mount point of the data has to be somewhere that exists.
  const own = [
    ...['--ro-bind', fixtures, '/srv'],

    '--bind',
    data,
    '/mnt',
    '--chdir',
    '/mnt',
    ...Object.entries(env).flatMap(([name, value]) => ['--setenv', name, value]),
  ]
  // Bubblewrap reads the filter to its end, so each start opens it anew.
  const fd = filter === undefined ? undefined : openSync(filter, 'r')
  try {
    const args = [...options, ...own, ...(fd === undefined ? [] : ['--seccomp', '3']), '--', ...argv]
    return spawn('bwrap', args, { stdio: ['ignore', 'pipe', 'pipe', ...(fd === undefined ? [] : [fd])], env: {} })
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

/** Why programs cannot be confined here; undefined where they can. */
export const cannotConfine = (): string | undefined => {
  try {
    execFileSync('bwrap', ['--unshare-user', '--ro-bind', '/', '/', '--', 'true'], { stdio: 'pipe' })
    return undefined
  } catch (error) {
    return `bubblewrap cannot be used here: ${error instanceof Error ? error.message : error}`
  }
}
