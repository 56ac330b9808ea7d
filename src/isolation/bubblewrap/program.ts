// Whether bubblewrap is there and knows every option a launch uses. Versions say little: distributions carry options back
// into old ones (Debian 12 has --bind-fd in 0.8.0), so what it lists of itself is what counts.
// The fault of old versions that lets a tenant write outside (CVE-2026-87766) cannot be reached: see places.ts.
import { constants } from 'node:fs'
import { access, readFile } from 'node:fs/promises'
import { execa } from 'execa'
import type { Probe } from '../adapter.ts'
import { restrictionFor } from './hostRestrictions.ts'

/** Every option that options.ts and operations.ts write. */
export const usedOptions = [
  ...[
    '--args',
    '--unshare-user',
    '--unshare-pid',
    '--unshare-ipc',
    '--unshare-uts',
    '--unshare-cgroup',
    '--unshare-net',
  ],
  ...['--disable-userns', '--uid', '--gid', '--hostname', '--new-session', '--cap-drop', '--clearenv', '--setenv'],
  ...[
    '--ro-bind',
    '--bind-fd',
    '--ro-bind-fd',
    '--tmpfs',
    '--size',
    '--perms',
    '--file',
    '--symlink',
    '--proc',
    '--dev',
  ],
  ...['--remount-ro', '--chdir', '--seccomp', '--block-fd'],
]

type Problem = NonNullable<Probe['problem']>

/** Undefined when the program can be used. */
export const problemWithProgram = async (program: string): Promise<Problem | undefined> => {
  const isThere = await access(program, constants.X_OK).then(
    () => true,
    () => false,
  )
  if (!isThere)
    return {
      reason: `bubblewrap is not installed: there is no program ${program}`,
      fix: await installFix('bubblewrap'),
    }
  const help = await execa(program, ['--help'], { env: {}, extendEnv: false, reject: false, all: true, timeout: 5_000 })
  // It looks at /proc before it looks at its arguments, so the machine may keep it from even this.
  if (help.failed) return restrictionFor(help.stderr || help.shortMessage || 'it does not say why')
  const missing = missingOptions(help.all)
  if (missing.length === 0) return undefined
  const { stdout: version } = await execa(program, ['--version'], { env: {}, extendEnv: false, reject: false })
  return {
    reason: `${version} at ${program} is too old: it has no ${missing.join(', ')}`,
    fix: `upgrade it to 0.11 or later, or to a build of the distribution that has them: ${await installFix('bubblewrap')}`,
  }
}

/** Options that a text of `bwrap --help` does not list. */
export const missingOptions = (help: string): readonly string[] => {
  const listed = new Set(help.match(/--[a-z-]+/g))
  return usedOptions.filter((option) => !listed.has(option))
}

/** How packages are installed, by ID and ID_LIKE of os-release(5); the first that is named counts. */
const installers: Readonly<Record<string, string>> = {
  alpine: 'apk add',
  arch: 'pacman -S',
  debian: 'apt-get install',
  ubuntu: 'apt-get install',
  fedora: 'dnf install',
  rhel: 'dnf install',
  suse: 'zypper install',
  opensuse: 'zypper install',
}

/** What to type on this machine to get a package, whose name is the same everywhere. */
export const installFix = async (name: string): Promise<string> =>
  installCommand(await readFile('/etc/os-release', 'utf8').catch(() => ''), name)

export const installCommand = (osRelease: string, name: string): string => {
  const fieldOf = (key: string): string => new RegExp(`^${key}="?([^"\n]*)`, 'm').exec(osRelease)?.[1] ?? ''
  const distributions = `${fieldOf('ID')} ${fieldOf('ID_LIKE')}`.split(' ')
  const known = distributions.find((each) => Object.hasOwn(installers, each))
  return known === undefined ? `install the package ${name} of your distribution` : `${installers[known]} ${name}`
}
