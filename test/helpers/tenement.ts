// A whole tenement as a person starts it: `tenement serve` on a config of the test, in directories of its own, asked over real
// sockets and ordered about with the real command line.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { type ControlClient, connectControl } from '../../src/control/client.ts'
import { instanceNamed } from '../../src/control/named.ts'
import { endWithTests } from './endWithTests.ts'
import { makeTemporaryDirectory } from './launcher.ts'
import { isRoot } from './root.ts'
import { newTenantUids } from './tenantUids.ts'
import { waitUntil } from './waitUntil.ts'

const repository = fileURLToPath(new URL('../..', import.meta.url))
export const examples = fileURLToPath(new URL('../../examples', import.meta.url))
export const apps = fileURLToPath(new URL('../fixtures/apps', import.meta.url))

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface AskOptions {
  readonly method?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface CommandResult {
  readonly exitCode: number | undefined
  readonly stdout: string
  readonly stderr: string
}

export interface Tenement {
  readonly root: string
  readonly tenantUids: { readonly first: number; readonly last: number }
  readonly port: number
  readonly process: ChildProcess
  readonly output: () => string
  /** Sends one request on a connection of its own. */
  ask(host: string, options?: AskOptions): Promise<Answer>
  /** Runs a command of the command line against this server. */
  command(...args: string[]): Promise<CommandResult>
  /** What the command line asks a server with; a program to start for each of many orders would take longer than they do. */
  readonly control: ControlClient
  /** The instance as `status --json` shows it, asked for without the command line. */
  // biome-ignore lint/suspicious/noExplicitAny: the JSON of a command; each test looks at what it expects
  status(instance: string): Promise<any>
  /** The pid of the server process, which is not the launcher. */
  serverPid(): Promise<number>
  /** Orders it to end; resolves with its exit code. */
  stop(): Promise<number | null>
}

export interface StartOptions {
  /** What the config holds beside [settings]. */
  readonly config: string
  readonly settings?: string
  /** Where it listens; a port that the kernel chooses when not given. */
  readonly listen?: string
  readonly args?: readonly string[]
  /** How long it may take to serve. */
  readonly startTimeoutMs?: number
  /** A command that ends by becoming the one it is given, so that the pid stays the same. */
  readonly around?: readonly string[]
  /** A copy of the program to run instead of this one: the folder that holds its dist. */
  readonly program?: string
  /** Directories of an earlier one, which is kept then. */
  readonly root?: string
  readonly tenantUids?: { readonly first: number; readonly last: number }
}

const configFor = (
  root: string,
  { config, settings = '', listen = '127.0.0.1:0' }: StartOptions,
  uids: { first: number; last: number },
): string => `
[settings]
listen = "${listen}"
domain = "test"
data_dir = "${root}/data"
state_dir = "${root}/state"
run_dir = "${root}/run"
log_dir = "${root}/log"
${isRoot ? `tenant_uids = "${uids.first}-${uids.last}"` : ''}
${settings}
${config}
`

const askPort = (port: number, host: string, options: AskOptions = {}): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const { method = 'GET', path = '/', headers = {}, body } = options
    const req = httpRequest({ port, host: '127.0.0.1', method, path, headers: { host, ...headers }, agent: false })
    req.once('error', reject)
    req.once('response', (res) => {
      const chunks: Buffer[] = []
      res.on('data', (chunk: Buffer) => chunks.push(chunk))
      res.once('error', reject)
      res.once('end', () =>
        resolve({ status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(chunks).toString() }),
      )
    })
    req.end(body)
  })

/** Resolves when it serves; rejects with what it printed when it ends instead. */
export const startTenement = async (options: StartOptions): Promise<Tenement> => {
  const main = join(options.program ?? repository, 'dist', 'cli', 'main.js')
  const root = options.root ?? makeTemporaryDirectory()
  const uids = options.tenantUids ?? newTenantUids()
  const file = join(root, 'tenement.toml')
  mkdirSync(root, { recursive: true })
  writeFileSync(file, configFor(root, options, uids))
  const started = [
    ...(options.around ?? []),
    process.execPath,
    main,
    'serve',
    '--config',
    file,
    ...(options.args ?? []),
  ]
  const [program = '', ...args] = started
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      SECRET_OF_LAUNCHER: 'not for tenants',
      NODE_EXTRA_CA_CERTS: '/etc/ssl/certs/ca-certificates.crt',
    },
  })
  endWithTests(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
  const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null
  await waitUntil(() => isOver() || /serves .* on \S+:\d+\n/.test(output), options.startTimeoutMs ?? 20_000)
  const port = Number(/serves .* on \S+:(\d+)\n/.exec(output)?.[1])
  if (isOver() || Number.isNaN(port)) {
    if (options.root === undefined) rmSync(root, { recursive: true, force: true })
    throw new Error(`tenement ended with ${child.exitCode ?? child.signalCode}: ${output}`)
  }

  const command = async (...args: string[]): Promise<CommandResult> => {
    const { exitCode, stdout, stderr } = await execa(process.execPath, [main, ...args, '--config', file], {
      reject: false,
    })
    return { exitCode, stdout, stderr }
  }
  const control = connectControl(join(root, 'run', 'control.sock'))
  return {
    root,
    tenantUids: uids,
    port,
    process: child,
    output: () => output,
    ask: (host, ask) => askPort(port, host, ask),
    command,
    control,
    status: (instance) => control.status(instanceNamed(instance)),
    serverPid: async () => {
      const { stdout } = await execa('pgrep', ['-P', String(child.pid), '-f', 'serve.js'])
      return Number(stdout.split('\n')[0])
    },
    stop: async () => {
      if (!isOver()) {
        child.kill('SIGTERM')
        await once(child, 'exit')
      }
      if (isRoot) rmSync(`/run/tenement-uids/${uids.first}-${uids.last}`, { force: true })
      if (options.root === undefined) rmSync(root, { recursive: true, force: true })
      return child.exitCode
    },
  }
}
