// The last proof of each adapter, in one file of the state directory. That directory is the server's, which may have been taken
// over: the file is written by who attacked, replaced whole, and believed only while it is the reader's own.
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { chown, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Identity } from '../isolation/adapter.ts'
import type { BuildFinding } from './builds.ts'
import type { Fingerprint } from './fingerprint.ts'
import type { Proof } from './prove.ts'
import type { AttackReport } from './report.ts'

export interface StoredReport {
  readonly fingerprint: Fingerprint
  readonly report: AttackReport
}

export interface Stored {
  readonly version: 1
  readonly builds: readonly BuildFinding[]
  readonly adapters: Readonly<Record<string, StoredReport>>
}

const nothing: Stored = { version: 1, builds: [], adapters: {} }

const fileIn = (stateDir: string): string => join(stateDir, 'proof.json')

/** Larger than any proof: a file beyond it is something else. */
const mostBytes = 16 * 1024 ** 2

/** What was stored; nothing where there is no file, or one that somebody else wrote or that cannot be understood. */
export const readProofs = async (stateDir: string): Promise<Stored> => {
  try {
    // Without following a symlink, and without waiting for the writer of a FIFO.
    const file = await open(fileIn(stateDir), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      const stat = await file.stat()
      if (!stat.isFile() || stat.size > mostBytes || stat.uid !== process.geteuid?.()) return nothing
      return understand(JSON.parse(await file.readFile('utf8')))
    } finally {
      await file.close()
    }
  } catch (error) {
    if (error instanceof SyntaxError || isMissing(error)) return nothing
    throw error
  }
}

/** Nobody but who reads it can have written it, so its shape is looked at only as far as another version would change it. */
const understand = (found: unknown): Stored =>
  typeof found === 'object' && found !== null && 'version' in found && found.version === 1 ? (found as Stored) : nothing

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && ['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES'].includes(String(error.code))

/** Keeps what was stored of other adapters. `owner`: whose the state directory is, where it has to be made. */
export const storeProof = async (stateDir: string, proof: Proof, owner: Identity | undefined): Promise<void> => {
  const stored = await readProofs(stateDir)
  const reports = proof.adapters.map((report) => [report.adapter, { fingerprint: proof.fingerprint, report }] as const)
  const next: Stored = {
    version: 1,
    builds: proof.builds,
    adapters: { ...stored.adapters, ...Object.fromEntries(reports) },
  }
  // Only the directory itself is the server's alone: tenants pass through those above it to their data.
  await mkdir(dirname(stateDir), { recursive: true, mode: 0o755 })
  const isNew = (await mkdir(stateDir, { recursive: true, mode: 0o700 })) !== undefined
  if (isNew && owner !== undefined) await chown(stateDir, owner.uid, owner.gid)
  const temporary = join(stateDir, `.proof-${randomBytes(6).toString('hex')}`)
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(`${JSON.stringify(next, null, 1)}\n`)
    } finally {
      await file.close()
    }
    await rename(temporary, fileIn(stateDir))
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}
