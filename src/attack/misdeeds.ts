// What a hostile instance does to outlive its stop, to be two at once, and to lead tenement elsewhere by its socket or its
// data. Whether it got anywhere is to be seen on the machine's side alone.
import { spawn, spawnSync } from 'node:child_process'
import { linkSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { call } from './kernel.ts'
import { ownData } from './targets.ts'

type Parameters = URLSearchParams

const shell = (script: string, ...args: readonly string[]): void => {
  spawn('/bin/sh', ['-c', script, 'sh', ...args], { detached: true, stdio: 'ignore' }).unref()
}

const required = (parameters: Parameters, name: string): string => {
  const value = parameters.get(name)
  if (value === null) throw new Error(`"${name}" is missing`)
  return value
}

const ownSocket = (): string => process.env.SOCKET_PATH ?? ''

const replacements: Readonly<Record<string, (at: string, target: string) => void>> = {
  symlink: (at, target) => symlinkSync(target, at),
  'hard link': (at, target) => linkSync(target, at),
  FIFO: (at) => void spawnSync('/usr/bin/mkfifo', [at]),
  'regular file': (at) => writeFileSync(at, ''),
  directory: (at) => mkdirSync(at),
}

const deeds: Readonly<Record<string, (parameters: Parameters) => unknown>> = {
  /** A process in a session of its own that has left every parent and heeds nothing. */
  daemon: (parameters) =>
    shell(
      `trap '' TERM HUP INT; (setsid sh -c 'trap "" TERM HUP INT; while :; do sleep 0.2; done' "$1" &) &`,
      required(parameters, 'mark'),
    ),
  /** The same, with the listener: it would answer in the place of the next start. */
  'daemon with the listener': (parameters) => {
    const file = fileURLToPath(new URL('stale.js', import.meta.url))
    spawn(process.execPath, [file, required(parameters, 'mark')], {
      detached: true,
      stdio: ['ignore', 'ignore', 'ignore', 3],
    }).unref()
  },
  exit: () => void setImmediate(() => process.exit(0)),
  /** Chains of processes each of which lives only until it has started the next, so that a list of them is always old. */
  storm: (parameters) => {
    const file = join(ownData(), 'storm.sh')
    writeFileSync(file, `trap '' TERM\n/bin/sh "$0" "$1" &\n`)
    for (let chain = 0; chain < 4; chain += 1) shell('exec /bin/sh "$@"', file, required(parameters, 'mark'))
  },
  /** prctl(PR_SET_PDEATHSIG, 0). */
  'outlive its parent': () => call('prctl', 1, 0, 0, 0, 0),
  /** Stops all of its own, itself last: it answers no signal but SIGKILL and SIGCONT from then on. */
  'stop itself': () => void setImmediate(() => call('kill', 0, 19)),
  'kill everything': () => call('kill', -1, 9),
  'replace its socket': (parameters) => {
    rmSync(ownSocket(), { force: true })
    replacements[required(parameters, 'by')]?.(ownSocket(), required(parameters, 'target'))
  },
  /** Swaps its socket for a symlink and back, as fast as it can. */
  'swap its socket': (parameters) => {
    const script = `ln -s "$2" "$1.link"; while :; do mv -T "$1" "$1.real"; mv -T "$1.link" "$1"; mv -T "$1" "$1.link"; mv -T "$1.real" "$1"; done`
    shell(script, ownSocket(), required(parameters, 'target'))
  },
  /** Symlinks where tenement, bubblewrap or a cleaner might follow one. */
  plant: (parameters) => {
    const target = required(parameters, 'target')
    const here = (name: string): string => join(ownData(), name)
    for (const name of ['sub', '.cache', 'tmp']) symlinkSync(`/oldroot${target}`, here(name))
    symlinkSync(target, here('directory'))
    symlinkSync(join(target, 'file'), here('file-link'))
    mkdirSync(here('deep'))
    symlinkSync(target, here('deep/directory'))
  },
  'replace a directory by a symlink': (parameters) => {
    const path = required(parameters, 'path')
    renameSync(path, `${path}.before`)
    symlinkSync(required(parameters, 'target'), path)
  },
}

export const misdeeds = (what: string, parameters: Parameters): string => {
  const deed = Object.hasOwn(deeds, what) ? deeds[what] : undefined
  if (deed === undefined) throw new Error(`no misdeed "${what}"`)
  deed(parameters)
  return 'done'
}
