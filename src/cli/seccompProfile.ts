// What the seccomp commands share: a profile by name or path below the working directory, and for which architecture.
import { readProfile } from '../seccomp/find.ts'
import type { Policy } from '../seccomp/policy.ts'
import type { Flag, Given } from './command.ts'

export const archFlag: Flag = {
  flags: '--arch <name>',
  help: "the architecture it is for (default: this machine's)",
  choices: ['x86_64', 'aarch64'],
}

/** The flag's value, spread into what takes an optional `arch`. */
export const archOf = (given: Given): { readonly arch?: 'x86_64' | 'aarch64' } => {
  const arch = given.text('arch')
  return arch === 'x86_64' || arch === 'aarch64' ? { arch } : {}
}

export const loadPolicy = async (nameOrPath: string, given: Given): Promise<Policy> => {
  const { policyOf } = await import('../seccomp/compileProfile.ts')
  const { file, text } = await readProfile(nameOrPath, process.cwd())
  return policyOf(text, { file, ...archOf(given) })
}
