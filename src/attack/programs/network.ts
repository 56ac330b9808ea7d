// Whom an instance reaches: the machine by its addresses, its neighbours, the services that clouds offer to machines.
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { constants, networkInterfaces } from 'node:os'
import { type Attack, firstThatWorks, Refused, requireThat } from '../attempt.ts'
import { call } from '../kernel.ts'
import type { Targets } from '../targets.ts'
import {
  addressFamily,
  addressOfSocket,
  connectTcp,
  type Place,
  reach,
  reachAnybody,
  sendDescriptor,
  socketType,
  talkToItself,
} from './sockets.ts'

/** Where clouds answer questions about a machine, with its credentials among the answers; the last two are Azure's and Alibaba's. */
const metadata = ['169.254.169.254', 'fd00:ec2::254', '168.63.129.16', '100.100.100.200']

const { datagram, raw, stream } = socketType

export const network = ({ machine, neighbour }: Targets): readonly Attack[] => [
  {
    row: '12',
    attempts: Object.fromEntries(
      machine.addresses.map(([host, port]) => [`connect to ${host}`, () => reach({ host, port })]),
    ),
    twin: ['connect to itself on 127.0.0.1', () => talkToItself({ host: '127.0.0.1' })],
  },
  {
    row: '13',
    attempts: Object.fromEntries(
      metadata.map((host) => [`connect to port 80 of ${host}`, () => reachAnybody({ host, port: 80 })]),
    ),
    twin: ['connect to itself on ::1', () => talkToItself({ host: '::1' })],
  },
  {
    row: '14.port',
    attempts: { "connect to its neighbour's port": () => reach({ host: '127.0.0.1', port: neighbour.port }) },
    twin: ['connect to itself on 127.0.0.1', () => talkToItself({ host: '127.0.0.1' })],
  },
  {
    row: '14.path',
    attempts: Object.fromEntries(
      neighbour.sockets.map((path) => [`connect to its neighbour's socket ${path}`, () => reach({ path })]),
    ),
    twin: ['connect to a socket of its own by path', () => talkToItself({ path: `/tmp/own-${process.pid}.sock` })],
  },
  {
    row: '15',
    attempts: {
      "send a descriptor to the machine's abstract socket": () => sendTo(`\0${machine.abstractSocket}`),
      "send a descriptor to its neighbour's abstract socket": () => sendTo(`\0${neighbour.abstractSocket}`),
    },
    twin: ['connect to an abstract socket of its own', () => talkToItself({ path: `\0own-${process.pid}` })],
  },
  {
    row: '16',
    attempts: Object.fromEntries(
      [...machine.sockets, '/run/docker.sock', '/run/containerd/containerd.sock', '/run/systemd/private'].map(
        (path) => [`connect to ${path}`, () => reach({ path })],
      ),
    ),
    twin: ['connect to a socket of its own by path', () => talkToItself({ path: `/tmp/own-${process.pid}.sock` })],
  },
  {
    row: '68.port',
    attempts: { "take its neighbour's port on every address": () => takePort(neighbour.port) },
    twin: ['take a port of its own', () => talkToItself({ host: '0.0.0.0' })],
  },
  {
    row: '69',
    attempts: {
      'open a raw socket': () => void call('socket', addressFamily.inet, raw, 1),
      'open a raw socket of IPv6, for router advertisements': () => void call('socket', addressFamily.inet6, raw, 58),
      'open a packet socket, for ARP': () => void call('socket', addressFamily.packet, raw, 0x0608),
      'add a route by ioctl': () => ioctlOf(0x890b, routeTo([203, 0, 113, 0])),
      'add a route by netlink': () => netlink(24, routeMessage),
      'take the loopback interface down': () => setFlags(0),
      'set the address of the loopback interface': () => ioctlOf(0x8916, interfaceRequest([127, 9, 9, 9])),
    },
    twin: [
      'read the flags of its loopback interface, and open a datagram socket',
      () => ioctlOf(0x8913, interfaceRequest([0, 0, 0, 0])),
    ],
  },
  {
    row: '70',
    attempts: {
      'reach the metadata service past its routes, by a route of its own': async () => {
        ignoreRefusal(() => netlink(25, routeMessage))
        return reachAnybody({ host: metadata[0] ?? '', port: 80 })
      },
      'reach the machine by a socket bound to a device': () =>
        throughDevices(machine.addresses.map(([host, port]) => ({ host, port }))),
      'reach a metadata service by a socket bound to a device': () =>
        throughDevices(metadata.map((host) => ({ host, port: 80 }))),
      'reach private networks by a socket bound to a device': () =>
        throughDevices(['10.0.0.1', '172.16.0.1', '192.168.0.1', 'fc00::1'].map((host) => ({ host, port: 80 }))),
      'reach the metadata service by a source route': () => sourceRouted(),
    },
    twin: ['connect to itself on 127.0.0.1', () => talkToItself({ host: '127.0.0.1' })],
  },
]

const descriptorOf = (socket: object): number => {
  const handle: unknown = Reflect.get(socket, '_handle')
  return Number(typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'fd') : -1)
}

const sendTo = async (path: string): Promise<void> => {
  const socket = connect({ path })
  try {
    await once(socket, 'connect')
    sendDescriptor(descriptorOf(socket), 0)
  } finally {
    socket.destroy()
  }
}

const takePort = async (port: number): Promise<void> => {
  const server = createServer()
  server.listen({ host: '0.0.0.0', port })
  await once(server, 'listening')
  server.close()
}

/** struct ifreq of the loopback interface with an IPv4 address (netdevice(7)). */
const interfaceRequest = (address: readonly number[]): Buffer => {
  const request = Buffer.alloc(40)
  request.write('lo', 0)
  request.writeUInt16LE(addressFamily.inet, 16)
  Buffer.from(address).copy(request, 20)
  return request
}

const setFlags = (flags: number): void => {
  const request = interfaceRequest([0, 0, 0, 0])
  request.writeUInt16LE(flags, 16)
  ioctlOf(0x8914, request)
}

/** struct rtentry: a route to a /24 by way of the loopback interface (route(8), linux/route.h). */
const routeTo = (address: readonly number[]): Buffer => {
  const entry = Buffer.alloc(120)
  entry.writeUInt16LE(addressFamily.inet, 8)
  Buffer.from(address).copy(entry, 12)
  entry.writeUInt16LE(addressFamily.inet, 24)
  entry.writeUInt16LE(addressFamily.inet, 40)
  Buffer.from([255, 255, 255, 0]).copy(entry, 44)
  entry.writeUInt16LE(1, 56)
  return entry
}

const ioctlOf = (request: number, argument: Uint8Array): void => {
  const fd = call('socket', addressFamily.inet, datagram, 0)
  try {
    call('ioctl', fd, request, argument)
  } finally {
    call('close', fd)
  }
}

/** struct rtmsg and one attribute: unicast to 169.254.169.254/32 through interface 1 (rtnetlink(7)). */
const routeMessage = Buffer.concat([
  Buffer.from([addressFamily.inet, 32, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0]),
  Buffer.from([8, 0, 1, 0, 169, 254, 169, 254]),
  Buffer.from([8, 0, 4, 0, 1, 0, 0, 0]),
])

/** Sends one request to the kernel's router and throws what it answers (netlink(7): NLMSG_ERROR carries the errno). */
const netlink = (type: number, body: Uint8Array): void => {
  const fd = call('socket', addressFamily.netlink, raw, 0)
  try {
    const head = Buffer.alloc(16)
    head.writeUInt32LE(16 + body.length, 0)
    head.writeUInt16LE(type, 4)
    head.writeUInt16LE(0x1 | 0x4 | 0x400, 6) // request, acknowledge, create
    const message = Buffer.concat([head, body])
    call('sendto', fd, message, message.length, 0, null, 0)
    const answer = Buffer.alloc(256)
    call('recvfrom', fd, answer, answer.length, 0, null, null)
    const errno = -answer.readInt32LE(16)
    const name = Object.entries(constants.errno).find(([, value]) => value === errno)?.[0]
    requireThat(errno === 0, name ?? `errno ${errno}`)
  } finally {
    call('close', fd)
  }
}

const ignoreRefusal = (act: () => unknown): void => {
  try {
    act()
  } catch {
    // Whether it then reaches anybody is what is asked about.
  }
}

/** struct timeval (socket(7)). */
const aQuarterSecond = Buffer.from(new BigInt64Array([0n, 250_000n]).buffer)

/** SO_BINDTODEVICE for every interface that leads out, then a connection (socket(7)). */
const throughDevices = (targets: readonly Place[]): string =>
  firstThatWorks(
    Object.keys(networkInterfaces())
      .filter((device) => device !== 'lo')
      .flatMap((device) => targets.map((target) => ({ device, target }))),
    ({ device, target }) => boundTo(device, target),
  )

/** A silence is no refusal: what was sent has left the instance, and whoever got it can only not answer. */
const boundTo = (device: string, { host, port }: Place): void => {
  const { family, bytes } = addressOfSocket(host, port)
  const fd = call('socket', family, stream, 0)
  try {
    call('setsockopt', fd, 1, 25, device, device.length + 1)
    call('setsockopt', fd, 1, 21, aQuarterSecond, aQuarterSecond.length) // SO_SNDTIMEO, which bounds connect(2)
    call('connect', fd, bytes, bytes.length)
  } catch (error) {
    if (!(error instanceof Refused) || error.message !== 'EINPROGRESS') throw error
  } finally {
    call('close', fd)
  }
}

/** Loose source route by way of the loopback interface to the metadata service (ip(7), IP_OPTIONS). */
const sourceRouted = (): void => {
  const fd = call('socket', addressFamily.inet, stream, 0)
  try {
    const options = Buffer.from([131, 7, 4, 169, 254, 169, 254, 0])
    call('setsockopt', fd, 0, 4, options, options.length)
    connectTcp(fd, 80)
  } finally {
    call('close', fd)
  }
}
