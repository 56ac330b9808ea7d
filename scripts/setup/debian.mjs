// The programs that examples and tests need from the system, through apt where it may be used without asking: as root, or
// where sudo wants no password. Nothing here is fatal: what is missing is named, with the command that installs it, and
// everything that does not need it goes on.
import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { lastLines, say } from './report.mjs'

/** Where instances look for programs: a python3 only on the PATH of whoever runs this is of no use to them. */
const programDirs = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

/**
 * Where Debian puts a library, by the triplet of the machine, and where other distributions do.
 * @param {string} name
 */
const libraryPaths = (name) =>
  ['x86_64-linux-gnu', 'aarch64-linux-gnu']
    .map((triplet) => `/usr/lib/${triplet}/${name}`)
    .concat(`/usr/lib64/${name}`, `/usr/lib/${name}`)

/** @typedef {'start' | 'test' | 'vm'} Purpose */

/**
 * @typedef {object} Need
 * @property {string} package Its name on Debian and Ubuntu.
 * @property {readonly string[]} programs
 * @property {readonly string[]} [files] Any of these will do.
 * @property {Purpose} for The first purpose that needs it; those after it in `purposes` need it too.
 */

/** @type {readonly Need[]} */
const needs = [
  { package: 'python3', programs: ['python3'], for: 'start' },
  { package: 'gunicorn', programs: ['gunicorn'], for: 'start' },
  { package: 'bubblewrap', programs: ['bwrap'], for: 'start' },
  { package: 'libseccomp2', programs: [], files: libraryPaths('libseccomp.so.2'), for: 'start' },
  { package: 'passt', programs: ['pasta'], for: 'test' },
  { package: 'iproute2', programs: ['ip'], for: 'test' },
  { package: 'util-linux', programs: ['setpriv', 'prlimit', 'unshare', 'flock'], for: 'test' },
  { package: 'strace', programs: ['strace'], for: 'test' },
  { package: 'procps', programs: ['ps'], for: 'test' },
  { package: 'chromium', programs: ['chromium'], for: 'test' },
  { package: 'gcc', programs: ['cc'], for: 'test' },
  // Of example adapters, each of which is held to its promises where its program is.
  { package: 'runc', programs: ['runc'], for: 'test' },
  { package: 'crun', programs: ['crun'], for: 'test' },
  { package: 'firejail', programs: ['firejail'], for: 'test' },
  { package: 'libc6-dev', programs: [], files: ['/usr/include/stdio.h'], for: 'test' },
  { package: 'qemu-system-x86', programs: ['qemu-system-x86_64'], for: 'vm' },
  { package: 'busybox-static', programs: ['busybox'], for: 'vm' },
  { package: 'cpio', programs: ['cpio'], for: 'vm' },
  { package: 'xfsprogs', programs: ['mkfs.xfs'], for: 'vm' },
]

/** @type {readonly Purpose[]} */
const purposes = ['start', 'test', 'vm']

/** @param {Purpose} purpose */
export const installDebianPackages = (purpose) => {
  const wanted = needs.filter((need) => purposes.indexOf(need.for) <= purposes.indexOf(purpose))
  if (missing(wanted).length > 0) install(missing(wanted).map((need) => need.package))
  const left = missing(wanted).map((need) => need.package)
  if (left.length === 0) return
  say(`not on this machine, so what needs it is left out: ${left.join(', ')}`)
  say(
    hasAptGet()
      ? `to install: ${process.getuid?.() === 0 ? '' : 'sudo '}apt-get install --no-install-recommends ${left.join(' ')}`
      : 'these are the names of Debian and Ubuntu packages; install what holds them here',
  )
}

const hasAptGet = () => isThere({ package: 'apt', programs: ['apt-get'], for: 'start' })

/** @param {readonly Need[]} wanted */
const missing = (wanted) => wanted.filter((need) => !isThere(need))

/** @param {Need} need */
const isThere = ({ programs, files }) =>
  programs.every((program) => programDirs.some((dir) => isAllowed(`${dir}/${program}`, constants.X_OK))) &&
  (files === undefined || files.some((file) => isAllowed(file, constants.R_OK)))

/**
 * @param {string} path
 * @param {number} mode
 */
const isAllowed = (path, mode) => {
  try {
    accessSync(path, mode)
    return true
  } catch {
    return false
  }
}

const quietInstall = ['install', '--yes', '--no-install-recommends']

/** @param {readonly string[]} packages */
const install = (packages) => {
  const asRoot = rootCommand()
  if (asRoot === undefined || !hasAptGet()) return
  say(`installing ${packages.join(', ')} with apt-get`)
  aptGet(asRoot, ['update'])
  if (aptGet(asRoot, [...quietInstall, ...packages]) === undefined) return
  // One name that this release does not have must not cost the others.
  for (const name of packages) {
    const failure = aptGet(asRoot, [...quietInstall, name])
    if (failure !== undefined) say(`apt-get could not install ${name}:\n${failure}`)
  }
}

/**
 * What to put before a command to run it as root; undefined where that needs a password.
 * @returns {readonly string[] | undefined}
 */
const rootCommand = () => {
  if (process.getuid?.() === 0) return []
  return spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? ['sudo', '-n'] : undefined
}

/** Without a network an answer comes in seconds, not after apt's own two minutes for each source. */
const patience = ['-o', 'Acquire::Retries=0', '-o', 'Acquire::http::Timeout=15', '-o', 'Acquire::https::Timeout=15']

/**
 * Runs apt-get, waiting for another one that holds its lock; what it wrote when it failed.
 * @param {readonly string[]} asRoot
 * @param {readonly string[]} args
 * @returns {string | undefined}
 */
const aptGet = (asRoot, args) => {
  const environment = ['env', 'DEBIAN_FRONTEND=noninteractive']
  const words = [...asRoot, ...environment, 'apt-get', '-qq', ...patience, '-o', 'DPkg::Lock::Timeout=120', ...args]
  const [program = 'env', ...rest] = words
  const { error, status, stdout, stderr } = spawnSync(program, rest, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  if (status === 0) return undefined
  return lastLines(error?.message ?? `${stdout}${stderr}`, 5)
}
