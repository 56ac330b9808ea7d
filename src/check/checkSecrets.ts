// Whether the files of a service's secrets are there, can be read, and could not have been put there by a tenant. A file that
// everybody may write, or that lies where anybody could put another in its place, hands every instance what somebody chose.
// The group's bits do not count: no tenant is in a group that an account of the machine is in.
import { constants } from 'node:fs'
import { access, lstat, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type Issue, type KeyPath, quote, showKey } from '../config/problem.ts'
import type { Service, Settings } from '../config/schema.ts'

interface Told {
  readonly problem: string
  readonly fix: string
}

type UidRange = Settings['tenantUids']

export const checkSecrets = (service: Service, tenantUids: UidRange): Promise<readonly Issue[]> =>
  forEachSecret(service, 'unsupported_machine', (file) => problemOf(file, tenantUids))

/** What is no reason to refuse a service, and still worth a person's attention. */
export const warnOfSecrets = (service: Service): Promise<readonly Issue[]> =>
  forEachSecret(service, 'exposed_secret', async (file) => {
    const status = await stat(file).catch(() => undefined)
    if (status === undefined || !status.isFile() || (status.mode & 0o004) === 0) return undefined
    return { problem: 'may be read by every user of this machine', fix: `chmod o-r ${quote(file)}` }
  })

const forEachSecret = async (
  { name, secrets }: Service,
  code: 'unsupported_machine' | 'exposed_secret',
  look: (file: string) => Promise<Told | undefined>,
): Promise<readonly Issue[]> => {
  const issues = await Promise.all(
    Object.entries(secrets).map(async ([secret, { file }]): Promise<readonly Issue[]> => {
      const told = await look(file)
      if (told === undefined) return []
      const path: KeyPath = ['service', name, 'secrets', secret, 'file']
      const message = `${showKey(path)}, ${quote(file)}, ${told.problem}`
      return [{ path, code, message, value: quote(file), fix: told.fix }]
    }),
  )
  return issues.flat()
}

const problemOf = async (file: string, tenantUids: UidRange): Promise<Told | undefined> => {
  const status = await lstat(file).catch(() => undefined)
  if (status === undefined)
    return {
      problem: 'does not exist, or may not be looked at',
      fix: 'make it, or name the file that holds the secret',
    }
  if (status.isSymbolicLink())
    return { problem: 'is a symbolic link, and the launcher follows none', fix: 'name the file itself' }
  if (!status.isFile())
    return { problem: `is ${status.isDirectory() ? 'a directory' : 'no regular file'}`, fix: 'name a file' }
  const barred = await access(file, constants.R_OK).then(
    () => false,
    () => true,
  )
  if (barred)
    return { problem: 'may not be read by this user', fix: `chmod u+r ${quote(file)}, or start tenement as its owner` }
  return replaceable(file, tenantUids)
}

/** The file, or a folder above it, that a tenant or anybody could change or replace. */
const replaceable = async (file: string, { first, last }: UidRange): Promise<Told | undefined> => {
  for (const path of [file, ...foldersAbove(file)]) {
    const status = await stat(path)
    if (status.uid >= first && status.uid <= last)
      return {
        problem: `can be replaced by a tenant: ${quote(path)} belongs to uid ${status.uid}`,
        fix: 'keep the secret where no tenant writes',
      }
    // In a directory with the sticky bit others add files, and rename or remove only their own (inode(7)).
    const isSticky = status.isDirectory() && (status.mode & 0o1000) !== 0
    if (!isSticky && (status.mode & 0o002) !== 0)
      return {
        problem: `can be changed by everybody: ${path === file ? 'it' : quote(path)} is open for writing`,
        fix: `chmod o-w ${quote(path)}`,
      }
  }
  return undefined
}

const foldersAbove = (path: string): readonly string[] => {
  const above = dirname(path)
  return above === path ? [] : [above, ...foldersAbove(above)]
}
