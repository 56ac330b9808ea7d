// Writes the page of an attack where a person wants it. The command often runs as root, and the folder may be one that others write
// to: nothing is written through what somebody else put there, and a file that is there is replaced whole or not at all. Whether that
// will work is found out before anything is attacked.
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { lstat, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { messageOf, TenementError } from '../errors.ts'

/** Rejects with a TenementError where the file could not be written; leaves nothing. */
export const requireWritable = async (file: string): Promise<void> => {
  await refuseOthers(file)
  const trial = besideOf(file)
  await orExplain(file, async () => {
    await (await create(trial)).close()
    await rm(trial)
  })
}

/** Replaces a file of that name, with the same checks as before. */
export const writeReport = async (file: string, text: string): Promise<void> => {
  await refuseOthers(file)
  const temporary = besideOf(file)
  await orExplain(file, async () => {
    try {
      const handle = await create(temporary)
      try {
        await handle.writeFile(text)
      } finally {
        await handle.close()
      }
      // rename(2) replaces a symbolic link itself, and never what it leads to.
      await rename(temporary, file)
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
  })
}

/** O_EXCL follows no link and takes no file that is there already (open(2)); the name cannot be guessed either. */
const create = (path: string) =>
  open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o644)

const besideOf = (file: string): string => join(dirname(file), `.${basename(file)}-${randomBytes(6).toString('hex')}`)

/** Whoever names a link, a folder, a pipe or a device does not mean that it is to vanish. */
const refuseOthers = async (file: string): Promise<void> => {
  const found = await lstat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw unwritable(file, error)
  })
  if (found === undefined || found.isFile()) return
  throw unwritable(file, new Error(found.isSymbolicLink() ? 'it is a symbolic link' : 'it is not a regular file'))
}

const orExplain = async (file: string, act: () => Promise<void>): Promise<void> => {
  try {
    await act()
  } catch (error) {
    throw unwritable(file, error)
  }
}

const unwritable = (file: string, cause: unknown): TenementError =>
  new TenementError('unwritable_report', `the report cannot be written to "${file}": ${messageOf(cause)}`, {
    fix: 'name a file in a folder that you may write to',
    cause,
  })
