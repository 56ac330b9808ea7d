// A real launcher with a server that a test speaks through: what it sends is what a server that was taken over could send.
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Launch } from '../../src/isolation/adapter.ts'
import type { LauncherSettings, Policy } from '../../src/launcher/protocol.ts'
import { endWithTests } from './endWithTests.ts'
import { isRoot } from './root.ts'
import { newTenantUids } from './tenantUids.ts'
import { slowness } from './waitUntil.ts'

const fixture = (path: string): string => fileURLToPath(new URL(`../fixtures/${path}`, import.meta.url))

/** A directory that tenants can pass through, removed by `remove`. */
export const makeTemporaryDirectory = (): string => {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'tenement-test-')))
  chmodSync(path, 0o711)
  return path
}

// biome-ignore lint/suspicious/noExplicitAny: a message is whatever came over the wire; each test looks at what it expects
export type Message = Readonly<Record<string, any>>

export interface TestLauncher {
  readonly root: string
  readonly code: string
  readonly policy: Policy
  readonly process: ChildProcess
  readonly stderr: () => string
  /** A launch that sleeps, changed by what is given. `tenant` chooses one of ten uids. */
  launchOf(over?: Partial<Launch> & { readonly tenant?: number }): Launch
  /** What the launcher said to the server that is there now, greeting first. */
  readonly messages: Message[]
  send(message: unknown): void
  /** Resolves with the first message, already there or still to come, that is meant. */
  next(isMeant: (message: Message) => boolean): Promise<Message>
  /** Sends a request and resolves with its answer. */
  ask(request: Record<string, unknown>): Promise<Message>
  /** Resolves with the greeting of the next server. */
  nextServer(): Promise<Message>
  close(): Promise<void>
}

const serverUid = 699_999

/** As in life, nobody else's: a launcher ends every process of the machine that has the name of its run in the environment. */
export const newRunName = (): string => randomBytes(6).toString('hex')

/** `within`: a command that executes the one after it, such as one that enters another network. */
export const startTestLauncher = async (
  change: {
    readonly policy?: Partial<Policy>
    readonly root?: string
    readonly endTimeoutMs?: number
    readonly within?: readonly string[]
  } = {},
): Promise<TestLauncher> => {
  const root = change.root ?? makeTemporaryDirectory()
  const code = join(root, 'code')
  mkdirSync(code, { recursive: true, mode: 0o755 })
  const policy: Policy = {
    runDir: join(root, 'run'),
    logDir: join(root, 'log'),
    stateDir: join(root, 'state'),
    dataRoots: [join(root, 'data')],
    dataDirs: { api: [join(root, 'data', '/'), ''] },
    codeDirs: [{ path: code }],
    grants: {},
    floors: { api: {} },
    ...(isRoot ? { tenantUids: newTenantUids(), serverIdentity: { uid: serverUid, gid: serverUid } } : {}),
    log: { maxBytes: 200_000, files: 3, bytesPerSecond: 50_000 },
    ...change.policy,
  }
  const relay = join(root, 'relay.sock')
  const servers: { messages: Message[]; socket: Socket }[] = []
  const waiters = new Set<() => void>()
  const notify = (): void => {
    for (const waiter of [...waiters]) waiter()
  }
  const relayServer: Server = createServer((socket) => {
    const server = { messages: [] as Message[], socket }
    servers.push(server)
    socket.on('error', () => undefined)
    const lines = createInterface({ input: socket })
    // It passes on what befalls the socket: a server is killed here, and its end of it with it.
    lines.on('error', () => undefined)
    lines.on('line', (line) => {
      server.messages.push(JSON.parse(line) as Message)
      notify()
    })
  })
  rmSync(relay, { force: true })
  relayServer.listen(relay)
  await once(relayServer, 'listening')
  chmodSync(relay, 0o777)

  const settings: LauncherSettings = {
    policy,
    listen: [],
    endTimeoutMs: change.endTimeoutMs ?? 60_000,
    serverFile: fixture('servers/relay.mjs'),
    server: { relay, uid: isRoot ? serverUid : undefined },
  }
  const file = join(root, 'settings.json')
  writeFileSync(file, JSON.stringify(settings))
  const fd = openSync(file, 'r')
  const main = fileURLToPath(new URL('../../dist/launcher/main.js', import.meta.url))
  const [program = process.execPath, ...args] = [...(change.within ?? []), process.execPath, main, '3']
  const child = spawn(program, args, {
    stdio: ['ignore', 'inherit', 'pipe', fd],
    env: { PATH: '/usr/bin:/bin', SECRET_OF_LAUNCHER: 'yes' },
  })
  closeSync(fd)
  endWithTests(child)
  let stderr = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
    notify()
  })
  child.once('exit', notify)

  const until = <T>(look: () => T | undefined, what: string): Promise<T> =>
    new Promise((resolve, reject) => {
      const give = (act: () => void): void => {
        waiters.delete(check)
        clearTimeout(timer)
        act()
      }
      const check = (): void => {
        const found = look()
        if (found !== undefined) give(() => resolve(found))
        else if (child.exitCode !== null)
          give(() => reject(new Error(`the launcher exited with ${child.exitCode}: ${stderr}`)))
      }
      const timer = setTimeout(() => give(() => reject(new Error(`no ${what} came: ${stderr}`))), 15_000 * slowness)
      waiters.add(check)
      check()
    })

  const current = (): { messages: Message[]; socket: Socket } => {
    const server = servers.at(-1)
    if (server === undefined) throw new Error('no server has come up yet')
    return server
  }
  let lastRequest = 0
  const launcher: TestLauncher = {
    root,
    code,
    policy,
    process: child,
    stderr: () => stderr,
    launchOf: ({ tenant = 1, ...over } = {}) => {
      const uid = (policy.tenantUids?.first ?? 0) + tenant
      return {
        argv: ['/bin/sleep', '60'],
        env: { PATH: '/usr/bin:/bin' },
        cwd: code,
        identity: isRoot ? { uid, gid: uid } : undefined,
        umask: 0o077,
        directories: [],
        descriptors: [],
        limits: {},
        resources: {},
        depth: 0,
        reach: { kind: 'port', port: 20_001, network: 'host' },
        ...over,
      }
    },
    get messages() {
      return current().messages
    },
    send: (message) => current().socket.write(`${JSON.stringify(message)}\n`),
    next: (isMeant) => until(() => servers.at(-1)?.messages.find(isMeant), 'such message'),
    ask: async (request) => {
      lastRequest += 1
      const number = lastRequest
      launcher.send({ ...request, request: number })
      return launcher.next((message) => message.request === number && ['reply', 'failed'].includes(message.type))
    },
    nextServer: () => {
      const before = servers.length
      return until(() => servers[before]?.messages[0], 'further server')
    },
    close: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM')
        // Asked again and again: a launcher that does not get to run for a while hears of two as of one (signal(7)).
        const again = setInterval(() => child.kill('SIGTERM'), 50)
        await once(child, 'exit')
        clearInterval(again)
      }
      if (policy.tenantUids !== undefined)
        rmSync(`/run/tenement-uids/${policy.tenantUids.first}-${policy.tenantUids.last}`, { force: true })
      for (const { socket } of servers) socket.destroy()
      relayServer.close()
      rmSync(root, { recursive: true, force: true })
    },
  }
  await until(() => servers[0]?.messages[0], 'server')
  return launcher
}
