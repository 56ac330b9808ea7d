// A profile by name or path → what it allows without a reason, and how much of the kernel it leaves open. Shared by "seccomp lint"
// and "check".
import type { Surface } from '../check/exposure/facts.ts'
import type { Unreasoned } from '../seccomp/lint.ts'
import type { Policy } from '../seccomp/policy.ts'

/** Relative paths are relative to `folder`. Rejects with a TenementError for what is no profile. */
export const lintProfile = async (
  nameOrPath: string,
  folder: string,
  arch: ArchOption = {},
): Promise<readonly Unreasoned[]> => {
  const { lintPolicy } = await import('../seccomp/lint.ts')
  const { policy, exists } = await read(nameOrPath, folder, arch)
  return lintPolicy(policy, exists)
}

/** The same of all that it allows that is dangerous, with a reason or without. */
export const weighProfile = async (nameOrPath: string, folder: string): Promise<Surface> => {
  const { surfaceOf } = await import('../seccomp/lint.ts')
  const { policy, exists } = await read(nameOrPath, folder, {})
  return surfaceOf(policy, exists)
}

interface ArchOption {
  readonly arch?: 'x86_64' | 'aarch64'
}

interface Read {
  readonly policy: Policy
  readonly exists: (name: string) => boolean
}

const read = async (nameOrPath: string, folder: string, arch: ArchOption): Promise<Read> => {
  const { readProfile } = await import('../seccomp/find.ts')
  const { policyOf } = await import('../seccomp/compileProfile.ts')
  const { loadLibseccomp } = await import('../seccomp/libseccomp.ts')
  const { file, text } = await readProfile(nameOrPath, folder)
  const policy = policyOf(text, { file, ...arch })
  return { policy, exists: (name) => typeof loadLibseccomp().resolve(name, policy.architecture) === 'number' }
}
