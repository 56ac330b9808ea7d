// Where proofs are kept, and what the last one is worth: what `check` and `serve` tell, and what `check --attack` writes.
import { defaultDirectories } from '../config/directories.ts'
import type { Config } from '../config/schema.ts'
import { currentSurroundings } from '../config/surroundings.ts'
import { takeFingerprint } from '../proof/fingerprint.ts'
import { type LastProof, lastProofOf } from '../proof/lastProof.ts'
import { readProofs } from '../proof/store.ts'

/** Without a config, where one that names no directory would have it. */
export const stateDirOf = (config: Config | undefined): string =>
  config?.settings.stateDir ?? defaultDirectories(currentSurroundings()).stateDir

/** Of these adapters. Rejects where the file cannot be read for another reason than that it is not there or is somebody else's. */
export const lastProof = async (config: Config | undefined, adapters: Iterable<string>): Promise<LastProof> => {
  const stored = await readProofs(stateDirOf(config))
  return lastProofOf(stored, [...adapters], { fingerprint: takeFingerprint, atMs: Date.now() })
}
