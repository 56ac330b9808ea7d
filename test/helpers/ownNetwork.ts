// Launches through bubblewrap with a network of their own, as an adapter would make them, cut down to what the tests need.
import type { Launch } from '../../src/isolation/adapter.ts'
import type { TestLauncher } from './launcher.ts'

const gate = 10
const prepared = 11

export const ownPort = 8_080

const options = [
  ...['--unshare-user', '--unshare-pid', '--unshare-ipc', '--unshare-net', '--disable-userns', '--cap-drop', 'ALL'],
  ...['--uid', '1000', '--gid', '1000', '--ro-bind', '/', '/', '--proc', '/proc', '--dev', '/dev'],
  ...['--tmpfs', '/tmp', '--ro-bind-data', String(prepared), '/tmp/prepared', '--block-fd', String(gate)],
]

/** A program, by its argv, in a network of its own; `over` changes the launch. */
export const ownNetworkLaunch = (
  launcher: TestLauncher,
  argv: readonly string[],
  over: Partial<Launch> & { readonly tenant?: number } = {},
): Launch =>
  launcher.launchOf({
    argv: ['/usr/bin/bwrap', ...options, '--', ...argv],
    env: {},
    depth: 2,
    descriptors: [
      { fd: gate, kind: 'gate' },
      { fd: prepared, kind: 'prepared' },
    ],
    reach: { kind: 'port', port: ownPort, network: 'own' },
    ...over,
  })

/** A program of Node's own, in one argument. */
export const node = (script: string): string[] => [process.execPath, '-e', script]

/** Says its greeting to whoever connects, and closes. */
export const greeter = (greeting: string): string[] =>
  node(
    `require('net').createServer((c) => c.on('error', () => {}).end('${greeting}')).listen(${ownPort}, '127.0.0.1', () => console.log('up'))`,
  )

/** Listens and never takes a connection: its queue is soon full. */
export const neverAccepts = (): string[] =>
  node(
    `require('net').createServer().listen({ port: ${ownPort}, host: '127.0.0.1', backlog: 1 }, () => { console.log('up'); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0) })`,
  )

/** Tries a connection for whoever asks ("host port"), and says what it heard or the code of the error. */
export const prober = (): string[] =>
  node(
    `require('net').createServer((asked) => asked.once('data', (line) => {
      const [host, port] = String(line).trim().split(' ')
      const say = (text) => asked.end(text)
      const tried = require('net').connect(Number(port), host).setTimeout(3_000)
      tried.on('data', (text) => say('heard ' + text)).on('error', (error) => say(error.code)).on('timeout', () => say('no answer'))
    })).listen(${ownPort}, '127.0.0.1', () => console.log('up'))`,
  )
