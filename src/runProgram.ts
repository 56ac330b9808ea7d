// Runs a program to its end and tells what it said: for the short ones that are asked about this machine. By hand, since the
// package that does it well takes longer to load than all else that `tenement serve` does before it starts the launcher.
import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { messageOf } from './errors.ts'

export interface ProgramOptions {
  /** All of it; the caller's own when not given. */
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Whom it runs as, where that is not the caller. */
  readonly identity?: { readonly uid: number; readonly gid: number } | undefined
  /** It is killed when it takes longer. */
  readonly timeoutMs?: number
  /** What it reads from descriptor 3 and those after it; undefined leaves one closed. */
  readonly inputs?: readonly (Uint8Array | undefined)[]
}

export interface Ran {
  readonly failed: boolean
  readonly timedOut: boolean
  /** Null where a signal ended it or it never began. */
  readonly exitCode: number | null
  /** Without the newline at the end. */
  readonly stdout: string
  readonly stderr: string
  /** Why it failed, for where it wrote nothing about that; empty where it did not fail. */
  readonly problem: string
}

/** Never rejects: a program that cannot be started has failed too. */
export const runProgram = async (
  program: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<Ran> => {
  try {
    return await ended(program, start(program, args, options), options)
  } catch (error) {
    const problem = `${program} cannot be started: ${messageOf(error)}`
    return { failed: true, timedOut: false, exitCode: null, stdout: '', stderr: '', problem }
  }
}

const start = (
  program: string,
  args: readonly string[],
  { env, cwd, identity, inputs = [] }: ProgramOptions,
): ChildProcess =>
  spawn(program, args, {
    ...{ env, cwd, ...identity },
    stdio: ['ignore', 'pipe', 'pipe', ...inputs.map((input) => (input === undefined ? 'ignore' : 'pipe'))],
  })

const ended = (program: string, child: ChildProcess, { timeoutMs, inputs = [] }: ProgramOptions): Promise<Ran> =>
  new Promise((resolve, reject) => {
    const [, out, err, ...given] = child.stdio
    const stdout = collect(out as Readable)
    const stderr = collect(err as Readable)
    inputs.forEach((input, index) => {
      if (input !== undefined) give(given[index] as Writable, input)
    })
    let timedOut = false
    const kill = (): void => {
      timedOut = child.kill('SIGKILL')
    }
    const timer = timeoutMs === undefined ? undefined : setTimeout(kill, timeoutMs)
    child.once('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
    child.once('close', (exitCode, signal) => {
      clearTimeout(timer)
      const failed = exitCode !== 0
      const how = timedOut ? `within ${timeoutMs} ms it did not end` : `it ended with ${exitCode ?? signal}`
      const problem = failed ? `${program}: ${how}` : ''
      resolve({ failed, timedOut, exitCode, stdout: stdout(), stderr: stderr(), problem })
    })
  })

const collect = (stream: Readable): (() => string) => {
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  return () => Buffer.concat(chunks).toString().replace(/\n$/, '')
}

/** A program may end without having read all: that is its own affair, and its exit tells of it. */
const give = (stream: Writable, input: Uint8Array): void => {
  stream.on('error', () => undefined)
  stream.end(input)
}
