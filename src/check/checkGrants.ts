// Whether what a service is granted is there, can be opened by its instances, and could not have been planted by a tenant.
// That a grant opens neither data nor folders of tenement's own is told from the paths alone (config/checkFolders.ts).
import type { Stats } from 'node:fs'
import { type Grant, grantsOf } from '../config/grants.ts'
import { type Issue, quote, showKey } from '../config/problem.ts'
import type { Service } from '../config/schema.ts'
import type { CheckMachine } from './machine.ts'
import { lookAt, type Told } from './trustedPath.ts'

export const checkGrants = async (service: Service, machine: CheckMachine): Promise<readonly Issue[]> => {
  const issues = await Promise.all(grantsOf(service).map((grant) => checkGrant(grant, machine)))
  return issues.flat()
}

const checkGrant = async (grant: Grant, machine: CheckMachine): Promise<readonly Issue[]> => {
  const { key, path } = grant
  const looked = await lookAt(path)
  const told = 'problem' in looked ? looked : problemWith(grant, looked.status, machine)
  if (told === undefined) return []
  const message = `${showKey(key.slice(0, -1))} holds ${quote(path)}, which ${told.problem}`
  // Another machine may have it.
  return [{ path: key, code: 'unsupported_machine', message, value: quote(path), fix: told.fix }]
}

const problemWith = ({ path, isWritable }: Grant, status: Stats, { hasTenantUids }: CheckMachine): Told | undefined => {
  if (status.isBlockDevice() || status.isCharacterDevice())
    return { problem: 'is a device, and no instance may open one', fix: 'remove it' }
  if (!hasTenantUids) return undefined
  const needed = neededBits(status, isWritable)
  if ((status.mode & needed.bits) === needed.bits) return undefined
  return {
    problem: `the uids of tenants may not ${isWritable ? 'write' : 'read'}`,
    fix: `chmod ${needed.chmod} ${quote(path)}`,
  }
}

/** The bits for others that a tenant's uid needs; it owns nothing here and is in no group. In a folder all share, a name stays its owner's (S_ISVTX). */
const neededBits = (status: Stats, isWritable: boolean): { readonly bits: number; readonly chmod: string } => {
  if (status.isDirectory()) return isWritable ? { bits: 0o007, chmod: 'o+rwx,+t' } : { bits: 0o005, chmod: 'o+rx' }
  return isWritable ? { bits: 0o006, chmod: 'o+rw' } : { bits: 0o004, chmod: 'o+r' }
}
