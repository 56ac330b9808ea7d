// The command line as a real process: what is built in dist, as it is published. It has nothing of this process's environment.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'

const main = resolve(import.meta.dirname, '../../dist/cli/main.js')

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

interface RunOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

export interface Tenement {
  /** The built program. */
  readonly main: string
  /** An empty folder: its home, and where it runs unless told otherwise. */
  readonly home: string
  /** Runs it to its end with nothing on stdin. */
  run(args: readonly string[], options?: RunOptions): Promise<Ended>
  /** Starts it; whoever does ends it. */
  start(args: readonly string[], options?: RunOptions): ChildProcess
  /** Runs a line of shell with $tenement as the command, to its end. */
  shell(line: string, options?: RunOptions): Promise<Ended>
  /** Runs it on a terminal of its own, with this typed; stdout is what the terminal got, both streams in one. */
  onTerminal(args: readonly string[], typed?: string, options?: RunOptions): Promise<Ended>
  /** The same for another command, a line of shell. */
  inTerminal(command: string, typed: string, options?: RunOptions): Promise<Ended>
  remove(): Promise<void>
}

export const openCommandLine = async (): Promise<Tenement> => {
  // Not below this checkout, however deep that lies: a home decides the run directory, whose sockets need short paths.
  const home = await mkdtemp(join(tmpdir(), 'tenement-home-'))

  const spawnHere = (program: string, args: readonly string[], { cwd = home, env = {} }: RunOptions = {}) =>
    spawn(program, args, {
      cwd,
      // Nothing else of this process's environment: neither its colours nor its directories.
      env: { PATH: process.env.PATH ?? '', HOME: home, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
  const start: Tenement['start'] = (args, options) => spawnHere(process.execPath, [main, ...args], options)
  const command = [process.execPath, main].map(quote).join(' ')
  const inTerminal: Tenement['inTerminal'] = (line, typed, options = {}) =>
    endOf(
      // script(1) gives the command a terminal, and returns its exit code with -e.
      spawnHere('script', ['-qec', line, '/dev/null'], {
        ...options,
        env: { TERM: 'xterm', SHELL: '/bin/sh', ...options.env },
      }),
      typed,
    )

  return {
    main,
    home,
    start,
    run: (args, options) => endOf(start(args, options)),
    shell: (line, options) => endOf(spawnHere('sh', ['-c', line.replaceAll('$tenement', command)], options)),
    onTerminal: (args, typed = '', options = {}) =>
      inTerminal(`${command} ${args.map(quote).join(' ')}`, typed, options),
    inTerminal,
    remove: () => rm(home, { recursive: true, force: true }),
  }
}

const quote = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`

const endOf = async (child: ChildProcess, typed = ''): Promise<Ended> => {
  const closed = new Promise<Pick<Ended, 'code' | 'signal'>>((resolve, reject) => {
    child.once('error', reject).once('close', (code, signal) => resolve({ code, signal }))
  })
  // It may end without having read what is typed.
  child.stdin?.on('error', () => {}).end(typed)
  const [stdout, stderr] = await Promise.all([read(child.stdout), read(child.stderr)])
  return { ...(await closed), stdout, stderr }
}

const read = async (stream: ChildProcess['stdout']): Promise<string> => (stream === null ? '' : text(stream))
