// A machine and plans that do not depend on where the tests run, and a launch as text that a person can read.
import type { Descriptor, Launch, LaunchPlan } from '../../../../src/isolation/adapter.ts'
import type { Layout } from '../../../../src/isolation/bubblewrap/layout.ts'

export const layout: Layout = {
  roots: [
    { path: '/bin', target: 'usr/bin' },
    { path: '/lib', target: 'usr/lib' },
  ],
  etc: [{ path: '/etc/ssl' }, { path: '/etc/localtime', target: '/usr/share/zoneinfo/Europe/Berlin' }],
  procReadOnly: ['/proc/sys'],
  procMaskedFiles: ['/proc/kcore'],
  procMaskedDirectories: ['/proc/acpi'],
  resolvConf: 'nameserver 192.0.2.53\n',
  hosts: '127.0.0.1 localhost\n192.0.2.7 database\n',
  resolvers: ['192.0.2.53', '2001:db8::53'],
  unreachable: ['10.0.0.0/8', '192.0.2.1/32'],
  cgroups: { memory: '/sys/fs/cgroup/memory', cpu: '/sys/fs/cgroup/cpu', processes: '/sys/fs/cgroup/pids' },
  mounts: [
    { path: '/', isWritable: true },
    { path: '/proc', isWritable: true },
    { path: '/proc/sys/fs/binfmt_misc', isWritable: true },
    { path: '/usr/local', isWritable: true },
    { path: '/usr2', isWritable: true },
  ],
}

const filter = Buffer.from([0x06, 0, 0, 0, 0, 0, 0xff, 0x7f])

export const plan: LaunchPlan = {
  instance: 'notes:alice',
  argv: ['/usr/bin/python3', 'app.py', '--title', 'two words; $(not a shell)'],
  env: { PATH: '/usr/bin', HOME: '/data/alice', PORT: '8080', EMPTY: '' },
  cwd: '/srv/notes',
  dataDir: '/data/alice',
  identity: { uid: 700_001, gid: 700_001 },
  reach: { kind: 'port', port: 8_080, network: 'own' },
  network: 'private',
  read: [{ path: '/srv/fonts', source: '/srv/fonts' }],
  write: [{ path: '/srv/outbox', source: '/run/tenement/grants/1' }],
  secrets: ['key'],
  filter,
  limits: { memoryBytes: 512 * 1024 ** 2, cpus: 1, processes: 64, openFiles: 1_024 },
  options: {},
}

/** The arguments behind --args. */
export const optionsOf = (launch: Launch): readonly string[] => {
  const fd = Number(launch.argv[launch.argv.indexOf('--args') + 1])
  const content = contentOf(launch.descriptors.find((each) => each.fd === fd))
  return content.split('\0').slice(0, -1)
}

const contentOf = (descriptor: Descriptor | undefined): string => {
  if (descriptor?.kind !== 'content') throw new Error('no such content')
  return Buffer.from(descriptor.content).toString('utf8')
}

/** Where an option begins a line, and what a descriptor holds stands beside its number. */
export const textOf = (launch: Launch): string => {
  const options = optionsOf(launch).reduce(
    (text, each) => `${text}${each.startsWith('--') ? '\n    ' : ' '}${JSON.stringify(each)}`,
    '',
  )
  const { descriptors, expect, ...rest } = launch
  return [
    ...Object.entries(rest).map(([key, value]) => `${key}: ${JSON.stringify(value)}`),
    `options:${options}`,
    'descriptors:',
    ...descriptors.map((each) => `    ${describe(each, launch)}`),
    'expect:',
    ...Object.entries(expect ?? {}).map(([key, value]) => `    ${key}: ${JSON.stringify(value, null, 6)}`),
    '',
  ].join('\n')
}

const describe = (descriptor: Descriptor, launch: Launch): string => {
  const { fd, kind, ...rest } = descriptor
  if (kind !== 'content') return `${fd} ${kind} ${JSON.stringify(rest)}`
  if (fd === Number(launch.argv[2])) return `${fd} the options`
  const content = contentOf(descriptor)
  return content === filter.toString('utf8') ? `${fd} the filter` : `${fd} ${JSON.stringify(content)}`
}
