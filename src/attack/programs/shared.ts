// Objects that processes of one machine find by name, each with a neighbour's secret in it.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type Attack, Refused } from '../attempt.ts'
import { bytesAt, call, writeAt } from '../kernel.ts'
import type { SharedNames, Targets } from '../targets.ts'

/** shmget(2), mq_open(3): IPC_CREAT and O_RDWR | O_CREAT. */
const create = 0o1000
const openOrCreate = 0o102
const remove = 0

export const shared = ({ neighbour }: Targets): readonly Attack[] => {
  const { key, name } = neighbour.shared
  return [
    {
      row: '66',
      attempts: {
        "write to its neighbour's System V segment": () => overwriteSegment(call('shmget', key, 0, 0)),
        "use its neighbour's semaphores": () => call('semget', key, 0, 0o200),
        "use its neighbour's message queue": () => call('msgget', key, 0o600),
        "write to its neighbour's file in /dev/shm": () =>
          writeFileSync(`/dev/shm/${name}`, 'overwritten', { flag: 'r+' }),
        "open its neighbour's POSIX message queue": () => call('mq_open', name, 2, 0, null),
      },
      twin: [
        'have each of its own',
        () => {
          const own = { key: key + 1, name: `${name}-own` }
          makeShared(own, 'own')
          removeShared(own)
        },
      ],
    },
    {
      row: '66.seen',
      attempts: {
        "see its neighbour's System V segment": () => requireListed('/proc/sysvipc/shm', key),
        "see its neighbour's file in /dev/shm": () => {
          if (!readdirSync('/dev/shm').includes(name)) throw new Refused('it is not there')
        },
      },
      twin: ['list what there is', () => [readFileSync('/proc/sysvipc/shm'), readdirSync('/dev/shm')].length],
    },
  ]
}

const requireListed = (file: string, key: number): void => {
  const keys = readFileSync(file, 'latin1')
    .split('\n')
    .map((line) => Number(line.trim().split(/\s+/)[0]))
  if (!keys.includes(key)) throw new Refused('it is not there')
}

const overwriteSegment = (segment: number): void => writeAt(call('shmat', segment, 0, 0), Buffer.from('overwritten'))

/** One of each kind, for its own uid alone. */
export const makeShared = ({ key, name }: SharedNames, content: string): void => {
  const segment = call('shmget', key, 4_096, create | 0o600)
  writeAt(call('shmat', segment, 0, 0), Buffer.from(content))
  call('semget', key, 1, create | 0o600)
  call('msgget', key, create | 0o600)
  writeFileSync(`/dev/shm/${name}`, content, { mode: 0o600 })
  unlessForbidden(() => call('mq_open', name, openOrCreate, 0o600, null))
}

/** Where no instance may make a message queue, as under Landlock, there is none to be found. */
const unlessForbidden = (act: () => unknown): void => {
  try {
    act()
  } catch (error) {
    if (!(error instanceof Refused && ['EACCES', 'ENOENT'].includes(error.message))) throw error
  }
}

/** What is in the segment and in the file. */
export const readShared = ({ key, name }: SharedNames, length: number): readonly string[] => [
  bytesAt(call('shmat', call('shmget', key, 0, 0), 0, 0), length).toString('latin1'),
  readFileSync(`/dev/shm/${name}`, 'latin1').slice(0, length),
]

/** They outlive every process (sysvipc(7)). */
export const removeShared = ({ key, name }: SharedNames): void => {
  call('shmctl', call('shmget', key, 0, 0), remove, null)
  call('semctl', call('semget', key, 0, 0), 0, remove, 0)
  call('msgctl', call('msgget', key, 0), remove, null)
  rmSync(`/dev/shm/${name}`)
  unlessForbidden(() => call('mq_unlink', name))
}
