// Files that are not the instance's own: the machine's, tenement's, its neighbour's; and what it may make of its own.

import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type Attack, firstThatWorks, NotHere, requireThat } from '../attempt.ts'
import { call } from '../kernel.ts'
import { ownData, type Targets } from '../targets.ts'
import { filesBelow, overwrite } from './open.ts'

const atWorkingDirectory = -100

export const files = ({ machine, neighbour }: Targets): readonly Attack[] => {
  const own = (name: string): string => join(ownData(), name)
  return [
    // Before the next, which removes the file where it can.
    {
      row: '23',
      attempts: {
        'link a file of the machine into its data': () => linkInto(machine.file, own('linked')),
        'link the accounts of the machine into its data': () => linkInto('/etc/passwd', own('linked')),
      },
      twin: [
        'link a file of its own',
        () => {
          writeFileSync(own('one'), 'x')
          linkInto(own('one'), own('two'))
        },
      ],
    },
    {
      row: '4',
      attempts: {
        'read a file of the machine': () => void readFileSync(machine.file),
        'write to a file of the machine': () =>
          void writeFileSync(machine.file, 'overwritten by a tenant', { flag: 'r+' }),
        'change the mode of a file of the machine': () => chmodSync(machine.file, 0o666),
        'remove a file of the machine': () => rmSync(machine.file),
      },
      twin: [
        'write, change and remove a file of its own',
        () => {
          writeFileSync(own('file'), 'x')
          chmodSync(own('file'), 0o600)
          rmSync(own('file'))
        },
      ],
    },
    {
      row: '5',
      attempts: {
        'read /etc/shadow': () => void readFileSync('/etc/shadow'),
        'list the home of root': () => readdirSync('/root'),
        ...Object.fromEntries(machine.directories.map((path) => [`list ${path}`, () => readdirSync(path)])),
        "list its neighbour's data": () => readdirSync(neighbour.dataDir),
        "read its neighbour's data": () => readFileSync(join(neighbour.dataDir, 'secret')),
      },
      twin: [
        'list its own data and read /etc/passwd',
        () => {
          readdirSync(ownData())
          readFileSync('/etc/passwd')
        },
      ],
    },
    {
      row: '5.seen',
      attempts: Object.fromEntries(
        ['/root', '/boot', '/var/log', '/srv', '/mnt', '/etc/shadow', neighbour.dataDir].map((path) => [
          `find ${path}`,
          () => void lstatSync(path),
        ]),
      ),
      twin: ['find /usr and its own data', () => [lstatSync('/usr'), lstatSync(ownData())].length],
    },
    {
      row: '40',
      attempts: {
        'open the root directory by a forged handle': () => closeSync(openByHandle(own('.'), 2)),
        'open another file by a forged handle': () => closeSync(openByHandle(own('.'), 12)),
      },
      twin: ['open the same directory by name', () => closeSync(openSync(own('.'), 'r'))],
    },
    {
      row: '41',
      attempts: {
        'run a set-user-id program of root': () => {
          if (machine.setUidProgram === undefined) throw new NotHere('only root can make such a program')
          return requireRoot(machine.setUidProgram)
        },
        'run a copy of a set-user-id program from its data': () => {
          copyFileSync(machine.setUidProgram ?? '/usr/bin/id', own('id'))
          // The copy is its own: the bit gives whoever runs it the rights of the one who set it, and it is the same one.
          chmodSync(own('id'), 0o4755)
          return requireRoot(own('id'))
        },
      },
      twin: ['run the same program without the bit', () => void execFileSync('/usr/bin/id', ['-u'])],
    },
    {
      row: '42',
      attempts: {
        'set the set-user-id bit on a program of its own': () => {
          copyFileSync('/usr/bin/id', own('set-user-id'))
          chmodSync(own('set-user-id'), 0o4755)
          requireThat((statSync(own('set-user-id')).mode & 0o4000) !== 0, 'the bit was not set')
        },
      },
      twin: ['make a program of its own executable', () => chmodSync(own('set-user-id'), 0o755)],
    },
    {
      row: '74',
      attempts: {
        'write to its own program': () => overwrite(process.argv[1] ?? ''),
        'write to the interpreter': () => overwrite(process.execPath),
        'make a file beside the libraries': () => makeFile('/usr/lib/planted'),
        'make a file in /etc': () => makeFile('/etc/planted'),
        'make a file in /': () => makeFile('/planted'),
        'make a file in /dev': () => makeFile('/dev/planted'),
      },
      twin: ['make a file in /tmp and in its data', () => [makeFile('/tmp/made'), makeFile(own('made'))].length],
    },
    {
      row: '75',
      attempts: {
        'write to the program it runs as': () => overwrite('/proc/self/exe'),
        'write to the program of the first process': () => overwrite('/proc/1/exe'),
      },
      twin: ['read the program it runs as', () => closeSync(openSync('/proc/self/exe', 'r'))],
    },
    {
      row: '78',
      attempts: {
        'leave its memory behind when it crashes': () => {
          spawnSync('/bin/sh', ['-c', 'ulimit -c unlimited; kill -ABRT $$'], { cwd: ownData() })
          const cores = readdirSync(ownData()).filter((name) => name.startsWith('core'))
          requireThat(cores.length > 0, 'there is no core file')
        },
      },
      twin: [
        'crash',
        () => requireThat(spawnSync('/bin/sh', ['-c', 'kill -ABRT $$']).signal === 'SIGABRT', 'it did not'),
      ],
    },
    {
      row: '43',
      attempts: {
        'make a node of the disk in its data': () => makeNode(own('disk'), 0o60_000, diskNumber()),
        'make a node of the disk in /tmp': () => makeNode('/tmp/disk', 0o60_000, diskNumber()),
        'make a node of memory in its data': () => makeNode(own('memory'), 0o20_000, 0x101),
        ...Object.fromEntries(
          ['/dev/mem', '/dev/kmsg', '/dev/port', '/dev/sda', '/dev/vda', '/dev/loop0', '/dev/snapshot'].map((path) => [
            `open ${path}`,
            () => openDevice(path),
          ]),
        ),
      },
      twin: [
        'make a FIFO and open /dev/null',
        () => {
          makeNode(own('fifo'), 0o10_000, 0)
          overwrite('/dev/null')
        },
      ],
    },
    {
      row: '43.seen',
      attempts: Object.fromEntries(
        ['/dev/fuse', '/dev/kvm', '/dev/net/tun', '/dev/vsock', '/dev/userfaultfd', '/dev/loop-control'].map((path) => [
          `find ${path}`,
          () => void lstatSync(path),
        ]),
      ),
      twin: ['find /dev/urandom', () => void lstatSync('/dev/urandom')],
    },
    {
      row: '45',
      attempts: Object.fromEntries(
        machine.cgroups.map((path) => [
          `make a cgroup in ${path}`,
          () => {
            mkdirSync(join(path, 'planted'))
            rmdirSync(join(path, 'planted'))
          },
        ]),
      ),
      twin: ['make a directory in its data', () => mkdirSync(own('directory'), { recursive: true })],
    },
    {
      row: '44',
      attempts: {
        'open what bounds it for writing': () =>
          firstThatWorks(filesBelow(machine.cgroups.map((path) => join(path, '..'))), overwrite),
        'open anything below /sys for writing': () =>
          firstThatWorks(filesBelow(['/sys/kernel', '/sys/power', '/sys/fs', '/sys/class']), overwrite),
      },
      twin: ['read which cgroup it is in', () => void readFileSync('/proc/self/cgroup')],
    },
  ]
}

const linkInto = (path: string, at: string): void => {
  rmSync(at, { force: true })
  linkSync(path, at)
}

const makeFile = (path: string): void => {
  writeFileSync(path, 'planted')
  rmSync(path)
}

/** Throws Refused unless the program runs as root, and is more by it than who started it. */
const requireRoot = (program: string): void => {
  const uid = execFileSync(program, ['-u'], { encoding: 'utf8' }).trim()
  requireThat(uid === '0', `it ran as uid ${uid}`)
  // In a user namespace 0 can be what an ordinary uid outside is called. Then the bit is told apart only by what ignores it.
  const mayGain = !/^NoNewPrivs:\t1$/m.test(readFileSync('/proc/self/status', 'utf8'))
  requireThat(process.geteuid?.() !== 0 || mayGain, 'it is called 0 already, and gains nothing (PR_SET_NO_NEW_PRIVS)')
}

const makeNode = (path: string, kind: number, device: number): void => {
  rmSync(path, { force: true })
  call('mknodat', atWorkingDirectory, path, kind | 0o600, device, 0)
}

/** The disk that holds the programs, as mknod(2) takes it for the small numbers there are. */
const diskNumber = (): number => {
  const { dev } = statSync('/usr')
  return ((dev >> 8) << 8) | (dev & 0xff)
}

const openDevice = (path: string): void => {
  if (!existsSync(path)) throw new NotHere(`there is no ${path}`)
  closeSync(openSync(path, 'r'))
}

/** Opens by a handle made up: an inode number of an ext file system, as its handles hold it (open_by_handle_at(2)). */
const openByHandle = (directory: string, inode: number): number => {
  const handle = Buffer.alloc(16)
  handle.writeUInt32LE(8, 0)
  handle.writeInt32LE(1, 4)
  handle.writeUInt32LE(inode, 8)
  const mount = openSync(directory, 'r')
  try {
    return call('open_by_handle_at', mount, handle, 0)
  } finally {
    closeSync(mount)
  }
}
