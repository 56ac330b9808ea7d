// A tenement of its own to prove an adapter in, started by the very command line a person has and ordered about as that does. It
// shares neither directories nor uids with one that serves on this machine.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { connectControl } from '../control/client.ts'
import { instanceNamed } from '../control/named.ts'
import { controlSocketPath } from '../control/socketPath.ts'
import { TenementError } from '../errors.ts'
import type { Place } from '../proof/place.ts'

const main = fileURLToPath(new URL('../cli/main.js', import.meta.url))

export interface Answer {
  readonly status: number
  readonly body: string
}

export interface OwnTenement {
  readonly launcher: number
  ask(host: string, path?: string): Promise<Answer>
  /** Resolves when the instance has ended. A program to give this one order would take longer than all that it is about. */
  stop(instance: string): Promise<void>
  /** What it has printed so far. */
  readonly output: () => string
  /** Resolves when it has stopped everything. */
  close(): Promise<void>
}

/** Longest a whole tenement may take to be there on a usual machine, in milliseconds. */
const startTimeoutMs = 30_000

/** Resolves when it serves; rejects with what it printed where it does not. */
export const startTenement = async (
  { root, policy }: Pick<Place, 'root' | 'policy'>,
  config: string,
  patience: number,
): Promise<OwnTenement> => {
  const file = join(root, 'tenement.toml')
  writeFileSync(file, config)
  const child = spawn(process.execPath, [main, 'serve', '--config', file], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH ?? '/usr/bin:/bin',
      NO_COLOR: '1',
      // Asked for where the user has no account (os.homedir()).
      ...(process.env.HOME === undefined ? {} : { HOME: process.env.HOME }),
    },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk
    })
  const end = (): void => void child.kill('SIGTERM')
  process.once('exit', end)
  const port = await untilServing(child, () => output, startTimeoutMs * patience)
  const control = connectControl(controlSocketPath(policy.runDir))
  return {
    launcher: child.pid ?? 0,
    ask: (host, path = '/') => ask(port, host, path),
    stop: async (instance) => void (await control.stop(instanceNamed(instance))),
    output: () => output,
    close: async () => {
      if (isRunning(child)) {
        end()
        await once(child, 'exit')
      }
      process.off('exit', end)
    },
  }
}

const isRunning = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode === null && signalCode === null

/** Its server has the same output and ends with it, but not at once: meanwhile it would write to what the caller removes. */
const killWhole = async (child: ChildProcess): Promise<void> => {
  child.kill('SIGKILL')
  await Promise.race([once(child, 'close'), delay(10_000, undefined, { ref: false })])
}

const untilServing = async (child: ChildProcess, output: () => string, timeoutMs: number): Promise<number> => {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const port = Number(/ serves .* on \S+:(\d+)\n/.exec(output())?.[1])
    if (port > 0) return port
    const isLate = performance.now() > deadline
    if (isLate) await killWhole(child)
    if (isLate || !isRunning(child))
      throw new TenementError('start_failed', `a tenement to prove it in does not serve: ${output().trim()}`)
    await delay(20)
  }
}

const ask = (port: number, host: string, path: string): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, headers: { host }, agent: false }, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject)
    })
    sent.once('error', reject).end()
  })
