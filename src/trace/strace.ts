// strace as the one who watches: it is attached to the held process from outside, writes numbers alone, and lets everything go
// on untraced when it is ended. It runs as whoever gave the order, never as a tenant, and outside of the instance's namespaces:
// the instance can neither signal it nor touch what it writes, which goes through a pipe and into no file.
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { TenementError } from '../errors.ts'
import { installFix } from '../isolation/bubblewrap/program.ts'

/** Places only root writes to: whoever is root should not run what PATH finds. */
const places = ['/usr/bin/strace', '/bin/strace', '/usr/local/bin/strace']

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Rejects with a TenementError where strace is not installed. */
export const findStrace = async (candidates: readonly string[] = places): Promise<string> => {
  const found = candidates.find(isExecutable)
  if (found !== undefined) return found
  throw new TenementError('unsupported_machine', 'strace, which tells what an instance calls, is not installed', {
    fix: await installFix('strace'),
  })
}

export interface Tracer {
  /** Lets go of the instance, which runs on untraced. */
  end(): void
  /** Resolves when nothing is traced any more and every line has been read; rejects when it could not be begun or broke off. */
  readonly over: Promise<void>
}

/**
 * -f follows children and threads; -n prints numbers of calls; raw=all prints arguments as numbers and reads no memory for them;
 * signals and strace's own remarks are left out. A pipe of strace's own, since only with -o does each line begin with a pid.
 */
const options = ['-f', '-n', '-qqq', '-e', 'raw=all', '-e', 'signal=none', '-o', '|exec /bin/cat']

/** Attaches to a process; `onLine` is called for each line, and the instance waits where lines come faster than they are read. */
export const traceProcess = (strace: string, pid: number, onLine: (line: string) => void): Tracer => {
  const child = spawn(strace, [...options, '-p', String(pid)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // A session of its own: ctrl-C ends the wait, and what the instance does while it is stopped is still to be seen.
    detached: true,
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
  })
  let isOrdered = false
  let words = ''
  child.stderr.on('data', (chunk: Buffer) => {
    words = `${words}${chunk.toString()}`.slice(0, 1_000)
  })
  const lines = createInterface({ input: child.stdout })
  lines.on('line', onLine)
  const over = Promise.all([ended(child), once(lines, 'close')]).then(([code]) => {
    if (code !== 0 && !isOrdered) throw failed(pid, words.trim())
  })
  return {
    over,
    end: () => {
      isOrdered = true
      child.kill('SIGTERM')
    },
  }
}

const ended = async (child: ChildProcessByStdio<null, Readable, Readable>): Promise<number | null> => {
  const [code] = await once(child, 'close')
  return typeof code === 'number' ? code : null
}

const failed = (pid: number, words: string): TenementError =>
  new TenementError(
    'start_failed',
    `strace could not trace process ${pid}: ${words === '' ? 'it does not say why' : words}`,
    {
      fix: 'trace as root; where root is refused too, the machine forbids ptrace(2): see kernel.yama.ptrace_scope, or CAP_SYS_PTRACE of a container',
    },
  )
