// Objects that a neighbour leaves on the machine for others to find by name: which names are nobody else's, and their end. They
// outlive every process (sysvipc(7), mq_overview(7)), so they are removed from here, however their owner ended.
import { randomInt } from 'node:crypto'
import { readFileSync, rmSync } from 'node:fs'
import { Refused } from '../attack/attempt.ts'
import { call } from '../attack/kernel.ts'
import type { SharedNames } from '../attack/targets.ts'

/** IPC_RMID. */
const remove = 0

/** Whoever removes needs no key: a System V object is removed by its id, whatever its mode, by root and by its owner. */
const kinds = [
  { table: '/proc/sysvipc/shm', end: (id: number) => call('shmctl', id, remove, null) },
  { table: '/proc/sysvipc/sem', end: (id: number) => call('semctl', id, 0, remove, 0) },
  { table: '/proc/sysvipc/msg', end: (id: number) => call('msgctl', id, remove, null) },
] as const

/** Keys a key of System V may have for an attack: those of programs are seldom here, and the attacker's own is the next one. */
const keys = { first: 0x7000_0000, last: 0x7fff_fff0 }

/** @throws {Error} Where a kernel tells nothing of System V objects. */
export const newSharedNames = (name: string): SharedNames => {
  const taken = new Set(kinds.flatMap(({ table }) => objectsIn(table)).map(({ key }) => key))
  for (;;) {
    const key = randomInt(keys.first, keys.last)
    if (!taken.has(key) && !taken.has(key + 1)) return { key, name }
  }
}

/** Those of that owner, and where there are none, nothing. */
export const removeSharedObjects = ({ key, name }: SharedNames, uid: number): void => {
  removeSystemV((each) => each.key === key && each.uid === uid)
  rmSync(`/dev/shm/${name}`, { force: true })
  quietly(() => call('mq_unlink', name))
}

export const removeSystemV = (isMeant: (object: Listed) => boolean): void => {
  for (const { table, end } of kinds) for (const { id } of objectsIn(table).filter(isMeant)) quietly(() => end(id))
}

/** An object may have ended since it was listed; that of a namespace of its own was never here. */
const quietly = (act: () => unknown): void => {
  try {
    act()
  } catch (error) {
    if (!(error instanceof Refused && ['ENOENT', 'EINVAL', 'EIDRM', 'ENOSYS'].includes(error.message))) throw error
  }
}

interface Listed {
  readonly key: number
  readonly id: number
  readonly uid: number
}

/** Lines of ipc/util.c below a heading that names the columns. */
const objectsIn = (table: string): readonly Listed[] => {
  const [heading = [], ...lines] = readFileSync(table, 'latin1')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.trim().split(/\s+/))
  const idColumn = heading.findIndex((name) => name.endsWith('id'))
  const uidColumn = heading.indexOf('uid')
  return lines.map((line) => ({ key: Number(line[0]), id: Number(line[idColumn]), uid: Number(line[uidColumn]) }))
}
