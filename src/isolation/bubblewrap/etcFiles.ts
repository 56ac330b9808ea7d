// The files of /etc that are written for an instance instead of being the machine's: who there is, and how names are looked
// up. Without hosts Node cannot resolve "localhost" in a network of its own; without passwd Python cannot tell its home.
// Pure: the machine's own resolv.conf and hosts come as text.
import { instanceId } from './instanceId.ts'

/** The one uid and gid there is inside. The tenant's own on the machine is not shown. */
export const innerUid = 1_000

export interface EtcFile {
  readonly path: string
  readonly content: string
}

export interface Names {
  /** 'notes:alice' */
  readonly instance: string
  readonly home: string
  /** The machine's own files, where its network is used; undefined in a network of the instance's own. */
  readonly machine: { readonly resolvConf: string; readonly hosts: string } | undefined
  /** Where names are looked up in a network of the instance's own; empty where nothing can be. */
  readonly resolvers: readonly string[]
}

export const etcFiles = (names: Names): readonly EtcFile[] => [
  { path: '/etc/passwd', content: passwd(names.home) },
  { path: '/etc/group', content: `root:x:0:\ntenant:x:${innerUid}:\nnogroup:x:65534:\n` },
  { path: '/etc/nsswitch.conf', content: nsswitch },
  { path: '/etc/hostname', content: `${instanceId(names.instance)}\n` },
  { path: '/etc/hosts', content: hosts(names) },
  { path: '/etc/resolv.conf', content: resolvConf(names) },
]

/** A colon or a line break in the home would begin another field or another account (passwd(5)). */
const passwd = (home: string): string => {
  const written = /[:\n]/.test(home) ? '/' : home
  return [
    'root:x:0:0:root:/root:/usr/sbin/nologin',
    `tenant:x:${innerUid}:${innerUid}:tenant:${written}:/bin/sh`,
    'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin',
    '',
  ].join('\n')
}

const nsswitch = [
  ...['passwd', 'group', 'shadow', 'gshadow'].map((database) => `${database}: files`),
  'hosts: files dns',
  ...['networks', 'protocols', 'services', 'ethers', 'rpc'].map((database) => `${database}: files`),
  '',
].join('\n')

const localhost = '127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n'

/** Its own name too: Java asks for the address of the name of the host it runs on. */
const hosts = ({ instance, machine }: Names): string => {
  const base = machine === undefined ? localhost : machine.hosts
  return `${base}${base.endsWith('\n') || base === '' ? '' : '\n'}127.0.1.1 ${instanceId(instance)}\n`
}

/** Without a nameserver libraries ask 127.0.0.1 (resolv.conf(5)), where the instance's own network refuses at once. */
const resolvConf = ({ machine, resolvers }: Names): string => {
  if (machine !== undefined) return machine.resolvConf
  if (resolvers.length === 0) return '# this network leads nowhere\n'
  return resolvers.map((address) => `nameserver ${address}\n`).join('')
}
