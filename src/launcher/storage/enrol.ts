// Makes what a tenant has stored already its project's, before the first start under a quota. The tree is the tenant's, though
// nothing of its runs now: it is walked as measure.ts does, and only what belongs to its uid is touched.
// A symlink cannot be opened to be told of, so it is made anew, which makes it the project's; without that the kernel would not let
// its owner rename it any more (EXDEV, across projects). FIFOs, sockets and what others own stay as they are, and are not counted.
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fstatSync,
  lchownSync,
  lutimesSync,
  openSync,
  readlinkSync,
  renameSync,
  type Stats,
  symlinkSync,
  unlinkSync,
} from 'node:fs'
import { setImmediate as othersTurn } from 'node:timers/promises'
import { joinProject, readMembership } from '../libc/quota.ts'
import { below, type Entry, entriesBelow, ifThere } from './measure.ts'

export interface Enrolment {
  readonly uid: number
  readonly project: number
}

/** How long the launcher does nothing else. */
const sliceMs = 4

/** Each entry in turn, letting others run; rejects with Unmeasurable, or when `abandoned` says so. */
const visitAll = async (directory: number, visit: (entry: Entry) => void, abandoned: AbortSignal): Promise<void> => {
  const entries = entriesBelow(directory, fstatSync(directory).dev)
  let sliceEnd = performance.now() + sliceMs
  try {
    for (const entry of entries) {
      visit(entry)
      if (performance.now() < sliceEnd) continue
      await othersTurn()
      abandoned.throwIfAborted()
      sliceEnd = performance.now() + sliceMs
    }
  } finally {
    entries.return()
  }
}

/** The open directory itself, and all below it. What is the project's already is passed over. */
export const enrolAll = async (directory: number, enrolment: Enrolment, abandoned: AbortSignal): Promise<void> => {
  enrol(directory, enrolment)
  const visit = (entry: Entry): void => {
    const { stats } = entry
    if (stats.uid !== enrolment.uid) return
    if (stats.isSymbolicLink()) renewSymlink(entry)
    else if (canBeAsked(stats)) whileOpen(entry, (fd) => enrol(fd, enrolment))
  }
  await visitAll(directory, visit, abandoned)
}

/** How many files there are of a project at most, the open directory itself included: what cannot be asked may be one. */
export const countMembers = async (directory: number, project: number, abandoned: AbortSignal): Promise<number> => {
  const isMember = (fd: number): boolean => readMembership(fd).project === project
  let count = isMember(directory) ? 1 : 0
  const visit = (entry: Entry): void => {
    if (!canBeAsked(entry.stats) || whileOpen(entry, isMember) === true) count += 1
  }
  await visitAll(directory, visit, abandoned)
  return count
}

const canBeAsked = (stats: Stats): boolean => stats.isFile() || stats.isDirectory()

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = constants

/** Whether it is still what was looked at: nothing else is to be told of a project. */
const isSame = (one: Stats, other: Stats): boolean => one.ino === other.ino && one.dev === other.dev

/** Undefined where it is gone, or something else by now. */
const whileOpen = <T>({ directory, name, stats }: Entry, act: (fd: number) => T): T | undefined => {
  // Should it have become a FIFO or a device meanwhile, its opening must not wait for anybody.
  const fd = ifThere(() => openSync(below(directory, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY))
  if (fd === undefined) return undefined
  try {
    return isSame(fstatSync(fd), stats) ? act(fd) : undefined
  } finally {
    closeSync(fd)
  }
}

const enrol = (fd: number, { project }: Enrolment): void => {
  // Only directories can hand it down: a file that is told to is refused.
  const wanted = { project, isInherited: fstatSync(fd).isDirectory() }
  const found = readMembership(fd)
  if (found.project !== wanted.project || found.isInherited !== wanted.isInherited) joinProject(fd, wanted)
}

/** In the same directory, which is the project's already: what is made in it is too. */
const renewSymlink = ({ directory, name, stats }: Entry): void => {
  const path = below(directory, name)
  const target = ifThere(() => readlinkSync(path, { encoding: 'buffer' }))
  if (target === undefined) return
  const made = below(directory, Buffer.from(`.tenement-${randomBytes(8).toString('hex')}`))
  symlinkSync(target, made)
  try {
    lchownSync(made, stats.uid, stats.gid)
    lutimesSync(made, stats.atime, stats.mtime)
    renameSync(made, path)
  } catch (error) {
    unlinkSync(made)
    throw error
  }
}
