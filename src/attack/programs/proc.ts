// What /proc tells of the machine and lets one write, and other processes through it.
import {
  closeSync,
  existsSync,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
} from 'node:fs'
import { type Attack, firstThatWorks, NotHere, requireThat } from '../attempt.ts'
import { ownData, type Targets } from '../targets.ts'
import { filesBelow, overwrite } from './open.ts'

export const proc = ({ machine, neighbour }: Targets): readonly Attack[] => [
  {
    row: '1',
    attempts: {
      'open core_pattern for writing': () => overwrite('/proc/sys/kernel/core_pattern'),
    },
    // Its neighbour: an isolation may hide core_pattern whole.
    twin: ['read a file beside it', () => void readFileSync('/proc/sys/kernel/ostype')],
  },
  {
    row: '2',
    attempts: Object.fromEntries(
      ['sys', 'sysrq-trigger', 'irq', 'bus', 'fs', 'acpi', 'scsi'].map((name) => [
        `open what is in /proc/${name} for writing`,
        () => openAny(`/proc/${name}`),
      ]),
    ),
    twin: ['read a file of /proc/sys', () => void readFileSync('/proc/sys/kernel/ostype')],
  },
  {
    row: '3',
    attempts: Object.fromEntries(
      ['kallsyms', 'keys', 'key-users', 'kcore', 'kmsg', 'timer_list', 'interrupts', 'sched_debug'].map((name) => [
        `read /proc/${name}`,
        () => readBeginning(`/proc/${name}`),
      ]),
    ),
    twin: ['read /proc/meminfo', () => readBeginning('/proc/meminfo')],
  },
  { row: '6', attempts: intoProcess(neighbour.pid), twin: ownProcess },
  {
    row: '6.seen',
    attempts: { "see its neighbour's process": () => void lstatSync(`/proc/${neighbour.pid}`) },
    twin: ['see its own', () => void lstatSync(`/proc/${process.pid}`)],
  },
  {
    row: '7',
    attempts: Object.assign({}, ...machine.processes.map(intoProcess)),
    twin: ownProcess,
  },
  {
    row: '8',
    attempts: {
      "find the launcher's environment in that of process 1": () => requireHidden('/proc/1/environ', machine.secret),
      'find any environment of process 1': () =>
        requireThat(!isOwnEnvironment(readFileSync('/proc/1/environ', 'latin1')), 'there is none but its own'),
      'find a path of the machine in the command line of process 1': () =>
        requireHidden('/proc/1/cmdline', machine.file.slice(0, machine.file.lastIndexOf('/'))),
      'find its own environment in the command line of process 1': () =>
        requireHidden('/proc/1/cmdline', process.env.TOKEN ?? 'TOKEN'),
    },
    twin: [
      'find its own environment in that of its own process',
      () => requireHidden('/proc/self/environ', `HOME=${ownData()}`),
    ],
  },
]

/** Where the application is process 1 itself, or that was given the same, it learns nothing. */
const isOwnEnvironment = (environment: string): boolean => {
  const own = new Set(readFileSync('/proc/self/environ', 'latin1').split('\0'))
  return environment.split('\0').every((variable) => own.has(variable))
}

/** Returns when the file holds the text. */
const requireHidden = (path: string, text: string): void =>
  requireThat(readFileSync(path, 'latin1').includes(text), 'it is not in there')

const intoProcess = (pid: number): Attack['attempts'] =>
  Object.fromEntries([
    ...['root', 'cwd', 'exe'].map((name) => [
      `follow /proc/${pid}/${name}`,
      () => readlinkSync(`/proc/${pid}/${name}`),
    ]),
    [`enter the root of process ${pid}`, () => readdirSync(`/proc/${pid}/root/`)],
    [`list the descriptors of process ${pid}`, () => readdirSync(`/proc/${pid}/fd`)],
    ...['environ', 'maps', 'mem'].map((name) => [
      `open /proc/${pid}/${name}`,
      () => closeSync(openSync(`/proc/${pid}/${name}`, 'r')),
    ]),
  ])

const ownProcess: Attack['twin'] = [
  'look into its own process',
  () => {
    readlinkSync('/proc/self/cwd')
    readdirSync('/proc/self/fd')
    closeSync(openSync('/proc/self/mem', 'r'))
  },
]

const readBeginning = (path: string): void => {
  if (!existsSync(path)) throw new NotHere(`there is no ${path}`)
  // Some of them wait for more to tell; the first bytes are enough, and kmsg is only opened: to read it takes it from others.
  const fd = openSync(path, 'r')
  try {
    requireThat(fstatSync(fd).isFile(), 'a device covers it') // as OCI runtimes do, by one that reads as empty
    if (!path.endsWith('kmsg')) requireThat(readSync(fd, Buffer.alloc(16), 0, 16, null) > 0, 'it is empty')
  } finally {
    closeSync(fd)
  }
}

const openAny = (root: string): string => {
  if (!existsSync(root)) throw new NotHere(`there is no ${root}`)
  return firstThatWorks(filesBelow([root], 10_000), overwrite)
}
