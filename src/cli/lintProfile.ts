// A profile by name or path → what it allows without a reason. Shared by "seccomp lint" and "check".
import type { Unreasoned } from '../seccomp/lint.ts'

/** Relative paths are relative to `folder`. Rejects with a TenementError for what is no profile. */
export const lintProfile = async (
  nameOrPath: string,
  folder: string,
  arch: { readonly arch?: 'x86_64' | 'aarch64' } = {},
): Promise<readonly Unreasoned[]> => {
  const { readProfile } = await import('../seccomp/find.ts')
  const { policyOf } = await import('../seccomp/compileProfile.ts')
  const { lintPolicy } = await import('../seccomp/lint.ts')
  const { loadLibseccomp } = await import('../seccomp/libseccomp.ts')
  const { file, text } = await readProfile(nameOrPath, folder)
  const policy = policyOf(text, { file, ...arch })
  return lintPolicy(policy, (name) => typeof loadLibseccomp().resolve(name, policy.architecture) === 'number')
}
