// A real browser, ordered about over the DevTools protocol. Tests with it are skipped where there is none, with the reason, and fail
// instead where it is known to be installed: in continuous integration as root.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'vitest'
import { WebSocket } from 'ws'
import { endWithTests } from './endWithTests.ts'
import { isRoot } from './root.ts'
import { waitUntil } from './waitUntil.ts'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'headless_shell']

/** The path of the browser; undefined where there is none. */
export const browser = (process.env.PATH ?? '')
  .split(delimiter)
  .flatMap((folder) => names.map((name) => join(folder, name)))
  .find((path) => existsSync(path))

/** Beside the others of its file: what they do most is wait. */
export const testInBrowser = (name: string, run: () => Promise<void>): void =>
  test.concurrent(name, async ({ skip }) => {
    const reason = `none of ${names.join(', ')} is on the PATH`
    if (browser === undefined && process.env.CI === 'true' && isRoot) throw new Error(reason)
    if (browser === undefined) skip(reason)
    await run()
  }, 120_000)

/** Keeps a picture for people to look at. */
const keepPicture = (name: string, png: Buffer): void => {
  const file = fileURLToPath(new URL(`../artefacts/${name}.png`, import.meta.url))
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, png)
}

type Result = Readonly<Record<string, unknown>>

export interface Page {
  /** Sends one command of the protocol. */
  send(method: string, params?: object): Promise<Result>
  /** Goes there; resolves when the answer's document is being read. */
  open(url: string): Promise<void>
  /** The value of an expression in the page; undefined while it is between two documents. */
  evaluate(expression: string): Promise<unknown>
  picture(name: string): Promise<void>
  on(method: string, listener: (params: Result) => void): void
  /** Addresses of the documents it has had, in order. */
  readonly documents: readonly string[]
  /** What the browser complained of: refused by a policy, failed, thrown. */
  readonly complaints: readonly string[]
}

export interface Chromium {
  /** A page without history or cookies of the others. */
  newPage(): Promise<Page>
  close(): Promise<void>
}

// Its own sandbox refuses root; what it opens are pages of this machine.
const usual = [
  ...['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-proxy-server'],
  ...['--remote-debugging-port=0', '--host-resolver-rules=MAP * 127.0.0.1'],
]

export const startChromium = async (): Promise<Chromium> => {
  const folder = mkdtempSync(join(tmpdir(), 'tenement-chromium-'))
  const child = spawn(browser ?? '', [...usual, `--user-data-dir=${folder}`], { stdio: ['ignore', 'ignore', 'pipe'] })
  endWithTests(child)
  let output = ''
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  const address = (): string | undefined => /DevTools listening on (ws:\S+)/.exec(output)?.[1]
  await waitUntil(() => address() !== undefined, 60_000)
  const wire = await connect(address() ?? '')
  return {
    newPage: () => newPage(wire),
    close: async () => {
      const exited = once(child, 'exit')
      await wire.send('Browser.close')
      await exited
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

interface Message {
  readonly id?: number
  readonly sessionId?: string
  readonly method?: string
  readonly params?: Result
  readonly result?: Result
  readonly error?: { readonly message: string }
}

interface Wire {
  send(method: string, params?: object, sessionId?: string): Promise<Result>
  onEvent(listener: (message: Message) => void): void
}

const connect = async (address: string): Promise<Wire> => {
  const socket = new WebSocket(address, { perMessageDeflate: false })
  await once(socket, 'open')
  const asked = new Map<number, (message: Message) => void>()
  const listeners: ((message: Message) => void)[] = []
  socket.on('message', (data) => {
    const message: Message = JSON.parse(String(data))
    if (message.id === undefined) for (const listener of listeners) listener(message)
    else asked.get(message.id)?.(message)
  })
  let last = 0
  return {
    send: (method, params = {}, sessionId) =>
      new Promise((resolve, reject) => {
        last += 1
        asked.set(last, ({ result, error }) => {
          if (error === undefined) resolve(result ?? {})
          else reject(new Error(`${method}: ${error.message}`))
        })
        socket.send(JSON.stringify({ id: last, method, params, ...(sessionId === undefined ? {} : { sessionId }) }))
      }),
    onEvent: (listener) => void listeners.push(listener),
  }
}

const newPage = async (wire: Wire): Promise<Page> => {
  const { browserContextId } = await wire.send('Target.createBrowserContext')
  const { targetId } = await wire.send('Target.createTarget', { url: 'about:blank', browserContextId })
  const { sessionId } = await wire.send('Target.attachToTarget', { targetId, flatten: true })
  const send = (method: string, params?: object): Promise<Result> => wire.send(method, params, String(sessionId))
  const documents: string[] = []
  const complaints: string[] = []
  wire.onEvent((message) => {
    if (message.sessionId !== sessionId) return
    const { method, params } = message
    if (method === 'Page.frameNavigated') documents.push(urlOf(params))
    if (method === 'Log.entryAdded' || method === 'Runtime.exceptionThrown') complaints.push(JSON.stringify(params))
  })
  for (const domain of ['Page', 'Runtime', 'Log']) await send(`${domain}.enable`)
  return {
    send,
    on: (method, listener) =>
      wire.onEvent((message) => {
        if (message.sessionId === sessionId && message.method === method) listener(message.params ?? {})
      }),
    documents,
    complaints,
    open: async (url) => {
      const { errorText } = await send('Page.navigate', { url })
      if (errorText !== undefined) throw new Error(`${url} could not be opened: ${errorText}`)
    },
    evaluate: async (expression) => {
      // Between two documents there is nothing to evaluate it in.
      const { result } = await send('Runtime.evaluate', { expression }).catch((): Result => ({}))
      return isResult(result) ? result.value : undefined
    },
    picture: async (name) => {
      const { data } = await send('Page.captureScreenshot')
      keepPicture(name, Buffer.from(String(data), 'base64'))
    },
  }
}

const isResult = (value: unknown): value is Result => typeof value === 'object' && value !== null

/** Only the main frame has no parent. */
const urlOf = (params: Result | undefined): string => {
  const frame = params?.frame
  return isResult(frame) ? String(frame.url) : ''
}
