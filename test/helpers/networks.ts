// Networks that stand for a machine and for what lies around it, made of namespaces and of cables between them. They go with the
// process that holds each; nothing of the real machine's network is touched.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { waitUntil } from './waitUntil.ts'

export interface TestNetwork {
  readonly pid: number
  /** Runs ip(8) in it; returns what that prints. */
  ip(...args: string[]): string
  /** Starts a server there that says `greeting` on every address of it, on this port; resolves when it listens. */
  listen(port: number, greeting: string): Promise<void>
  close(): void
}

/** A command that executes the next one in the network of a process. */
export const inNetworkOf = (pid: number): string[] => ['/usr/bin/nsenter', `--net=/proc/${pid}/ns/net`]

/** Runs ip(8) in the network of a process. */
export const ipIn = (pid: number, ...args: string[]): string => {
  const [program = '', ...rest] = [...inNetworkOf(pid), 'ip', ...args]
  return execFileSync(program, rest, { encoding: 'utf8', env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } })
}

const serverScript = (port: number, greeting: string): string =>
  `require('net').createServer((c) => c.on('error', () => {}).end('${greeting}')).listen({ port: ${port}, host: '::', ipv6Only: false }, () => console.log('up'))`

export const makeNetwork = async (): Promise<TestNetwork> => {
  const holder = spawn('/usr/bin/unshare', ['--net', 'sh', '-c', 'echo up; exec sleep 600'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const children: ChildProcess[] = [holder]
  if (holder.stdout !== null) await once(holder.stdout, 'data')
  const pid = holder.pid ?? 0
  const ip = (...args: string[]): string => ipIn(pid, ...args)
  ip('link', 'set', 'lo', 'up')
  return {
    pid,
    ip,
    listen: async (port, greeting) => {
      const [program = '', ...args] = [...inNetworkOf(pid), process.execPath, '-e', serverScript(port, greeting)]
      const server = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
      children.push(server)
      if (server.stdout !== null) await once(server.stdout, 'data')
    },
    close: () => {
      for (const child of children) child.kill('SIGKILL')
    },
  }
}

/** A cable between two networks: an interface of the given name with the given addresses at each end; resolves when it carries. */
export const connectNetworks = async (
  ...ends: readonly { readonly pid: number; readonly name: string; readonly addresses: readonly string[] }[]
): Promise<void> => {
  const [one, other] = ends
  if (one === undefined || other === undefined) throw new Error('a cable has two ends')
  ipIn(one.pid, 'link', 'add', one.name, 'type', 'veth', 'peer', 'name', other.name, 'netns', String(other.pid))
  for (const { pid, name, addresses } of ends) {
    for (const address of addresses)
      ipIn(pid, 'address', 'add', address, 'dev', name, ...(address.includes(':') ? ['nodad'] : []))
    ipIn(pid, 'link', 'set', name, 'up')
  }
  // A link-local address cannot be used before nobody else was found to have it (RFC 4862 section 5.4).
  const isSettled = ({ pid, name }: { pid: number; name: string }): boolean => {
    const shown = ipIn(pid, '-6', 'address', 'show', 'dev', name)
    return shown.includes('fe80') && !shown.includes('tentative')
  }
  if (existsSync('/proc/net/if_inet6')) await waitUntil(() => ends.every(isSettled))
}

/** The link-local address of an interface. */
export const linkLocalOf = (pid: number, name: string): string =>
  /fe80[0-9a-f:]*/.exec(ipIn(pid, '-6', 'address', 'show', 'dev', name))?.[0] ?? ''
