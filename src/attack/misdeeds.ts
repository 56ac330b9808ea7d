// What a hostile instance does to outlive its stop, to be two at once, and to lead tenement elsewhere by its socket or its
// data. Whether it got anywhere is to be seen on the machine's side alone. All of it ends by itself in a minute, should
// nobody end it.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, linkSync, mkdirSync, openSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bombs } from './bombs.ts'
import { call } from './kernel.ts'
import { ownData } from './targets.ts'

type Parameters = URLSearchParams

/**
 * Starts what is to outlive this process. Descriptor 3 is a FIFO in the data directory that all of it inherits: whoever reads
 * it finds its end exactly when the last of them is gone, which no list of processes tells (fifo(7)).
 */
const startLasting = (command: string, args: readonly string[]): void => {
  const fifo = join(ownData(), 'alive')
  rmSync(fifo, { force: true })
  spawnSync('/usr/bin/mkfifo', [fifo])
  const fd = openSync(fifo, 'r+') // for writing alone it would wait for a reader
  spawn(command, args, { detached: true, stdio: ['ignore', 'ignore', 'ignore', fd] }).unref()
  closeSync(fd)
}

const required = (parameters: Parameters, name: string): string => {
  const value = parameters.get(name)
  if (value === null) throw new Error(`"${name}" is missing`)
  return value
}

const ownSocket = (): string => process.env.SOCKET_PATH ?? ''

const replacements: Readonly<Record<string, (at: string, target: string) => void>> = {
  symlink: (at, target) => symlinkSync(target, at),
  'hard-link': (at, target) => linkSync(target, at),
  fifo: (at) => void spawnSync('/usr/bin/mkfifo', [at]),
  file: (at) => writeFileSync(at, ''),
  directory: (at) => mkdirSync(at),
}

const deeds: Readonly<Record<string, (parameters: Parameters) => unknown>> = {
  ...bombs,
  /** A process in a session of its own that has left every parent and heeds nothing. */
  daemon: () => {
    const inner = `trap "" TERM HUP INT; echo x >&3; for n in $(seq 300); do sleep 0.2; done`
    startLasting('/bin/sh', ['-c', `trap '' TERM HUP INT; (setsid sh -c '${inner}' &) &`])
  },
  /** The same, with the listener: it would answer in the place of the next start. */
  'daemon with the listener': (parameters) => {
    const file = fileURLToPath(new URL('stale.js', import.meta.url))
    spawn(process.execPath, [file, required(parameters, 'mark')], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore', 3],
    }).unref()
  },
  exit: () => void setTimeout(() => process.exit(0), 50),
  /** Chains of processes each of which lives only until it has started the next, so that a list of them is always old. */
  storm: () => {
    const file = join(ownData(), 'storm.sh')
    writeFileSync(file, `trap '' TERM\necho x >&3\n[ "$1" -gt 0 ] && /bin/sh "$0" $(($1 - 1)) &\n`)
    startLasting('/bin/sh', ['-c', 'for chain in 1 2 3 4; do /bin/sh "$0" 5000 & done', file])
  },
  /** prctl(PR_SET_PDEATHSIG, 0). */
  'outlive its parent': () => void call('prctl', 1, 0, 0, 0, 0),
  /** Stops all of its own, itself last: it answers no signal but SIGKILL and SIGCONT from then on. */
  'stop itself': () => void setTimeout(() => call('kill', 0, 19), 50),
  /** Listens on a port that the machine, or a neighbour, may mean for somebody else. */
  'take a port': async (parameters) => {
    const server = createServer((socket) => socket.end('attacker'))
    server.listen({ host: '0.0.0.0', port: Number(required(parameters, 'port')) })
    await once(server, 'listening')
  },
  'kill everything': () => void call('kill', -1, 9),
  'replace its socket': (parameters) => {
    rmSync(ownSocket(), { force: true })
    replacements[required(parameters, 'by')]?.(ownSocket(), required(parameters, 'target'))
  },
  /** Exchanges its socket with a symlink, again and again. */
  'swap its socket': (parameters) => {
    symlinkSync(required(parameters, 'target'), `${ownSocket()}.link`)
    const file = fileURLToPath(new URL('swap.js', import.meta.url))
    startLasting(process.execPath, [file, ownSocket(), `${ownSocket()}.link`])
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

/** Resolves with what the deed tells, or with 'done'. */
export const misdeeds = async (what: string, parameters: Parameters): Promise<string> => {
  const deed = Object.hasOwn(deeds, what) ? deeds[what] : undefined
  if (deed === undefined) throw new Error(`no misdeed "${what}"`)
  return String((await deed(parameters)) ?? 'done')
}
