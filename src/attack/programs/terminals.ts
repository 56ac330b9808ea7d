// Terminals: typing into one that somebody else reads, and changing how one works.
import { closeSync, constants, existsSync, openSync, readdirSync } from 'node:fs'
import { type Attack, firstThatWorks, NotHere } from '../attempt.ts'
import { type Argument, call } from '../kernel.ts'

const requests = { TIOCSTI: 0x5412, TIOCLINUX: 0x541c, TIOCSETD: 0x5423 } as const
/** The kernel looks at the low 32 bits alone; a filter that compares 64 does not see these (CVE-2019-10063). */
const high = 2 ** 32

export const terminals = (): readonly Attack[] => [
  { row: '24', attempts: everywhere({ TIOCSTI: [requests.TIOCSTI, requests.TIOCSTI + high] }), twin },
  { row: '25', attempts: everywhere({ TIOCLINUX: [requests.TIOCLINUX], TIOCSETD: [requests.TIOCSETD] }), twin },
  {
    row: '24.own',
    attempts: onOwnTerminal({
      'type into a terminal of its own': requests.TIOCSTI,
      'the same with high bits': requests.TIOCSTI + high,
    }),
    twin,
  },
  {
    row: '25.own',
    attempts: onOwnTerminal({ 'change the line discipline of a terminal of its own': requests.TIOCSETD }),
    twin,
  },
]

const everywhere = (named: Readonly<Record<string, readonly number[]>>): Attack['attempts'] =>
  Object.fromEntries(
    Object.entries(named).map(([name, values]) => [
      `${name} on everything open and on the terminals of the machine`,
      () =>
        firstThatWorks([...fdsNow(), ...devices()], (place) =>
          firstThatWorks(values, (value) => withOpen(place, (fd) => call('ioctl', fd, value, Buffer.alloc(8)))),
        ),
    ]),
  )

const fdsNow = (): readonly number[] => readdirSync('/proc/self/fd').map(Number)

const devices = (): readonly string[] =>
  ['/dev/tty', '/dev/console', '/dev/tty0', '/dev/tty1', '/dev/ttyS0', ...pseudoTerminals()].filter((path) =>
    existsSync(path),
  )

const pseudoTerminals = (): readonly string[] => {
  try {
    return readdirSync('/dev/pts')
      .filter((name) => /^\d+$/.test(name))
      .map((name) => `/dev/pts/${name}`)
  } catch {
    return [] // no pseudo terminals here
  }
}

const withOpen = (place: number | string, act: (fd: number) => unknown): void => {
  const fd =
    typeof place === 'number' ? place : openSync(place, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK)
  try {
    act(fd)
  } finally {
    if (fd !== place) closeSync(fd)
  }
}

const onOwnTerminal = (named: Readonly<Record<string, number>>): Attack['attempts'] =>
  Object.fromEntries(
    Object.entries(named).map(([name, request]) => [
      name,
      () => withOwnTerminal((fd) => call('ioctl', fd, request, Buffer.alloc(8))),
    ]),
  )

const withOwnTerminal = (act: (fd: number) => unknown): void => {
  if (!existsSync('/dev/ptmx')) throw new NotHere('there is no /dev/ptmx')
  const main = openSync('/dev/ptmx', constants.O_RDWR | constants.O_NOCTTY)
  try {
    ioctl(main, 0x4004_5431, Buffer.alloc(4)) // TIOCSPTLCK: unlock
    const number = Buffer.alloc(4)
    ioctl(main, 0x8004_5430, number) // TIOCGPTN
    withOpen(`/dev/pts/${number.readInt32LE(0)}`, act)
  } finally {
    closeSync(main)
  }
}

const ioctl = (fd: number, request: number, argument: Argument): number => call('ioctl', fd, request, argument)

const twin: Attack['twin'] = ['open a terminal of its own', () => withOwnTerminal(() => undefined)]
