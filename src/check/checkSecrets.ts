// Whether the files of a service's secrets are there, can be read, and could not have been put there by a tenant.
import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { type Issue, type KeyPath, quote, showKey } from '../config/problem.ts'
import type { Service } from '../config/schema.ts'
import { lookAt, type Told } from './trustedPath.ts'

export const checkSecrets = (service: Service): Promise<readonly Issue[]> =>
  forEachSecret(service, 'unsupported_machine', problemOf)

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

/** As much as the launcher reads of one. */
const longestBytes = 1_048_576

const problemOf = async (file: string): Promise<Told | undefined> => {
  const looked = await lookAt(file)
  if ('problem' in looked) return looked
  const { status } = looked
  if (!status.isFile())
    return {
      problem: `is ${status.isDirectory() ? 'a directory' : 'no regular file'}`,
      fix: 'name the file that holds the secret',
    }
  // The file itself: whoever may write it chooses what every instance reads as its secret.
  if ((status.mode & 0o002) !== 0) return { problem: 'may be written by everybody', fix: `chmod o-w ${quote(file)}` }
  if (status.size > longestBytes)
    return {
      problem: `holds ${status.size} bytes, more than the ${longestBytes} a secret may have`,
      fix: 'grant it as a file: read = [...]',
    }
  return (await isReadable(file))
    ? undefined
    : { problem: 'may not be read by this user', fix: `chmod u+r ${quote(file)}, or start tenement as its owner` }
}

const isReadable = (file: string): Promise<boolean> =>
  access(file, constants.R_OK).then(
    () => true,
    () => false,
  )
