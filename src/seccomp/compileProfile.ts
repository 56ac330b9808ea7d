// The text of a profile → a filter that was held against it. What the rest of tenement calls; everything else in this folder
// is a step of it.
import { release } from 'node:os'
import process from 'node:process'
import { TenementError } from '../errors.ts'
import { type Architecture, architectureOf, architectures } from './architectures.ts'
import { compilePolicy } from './compile.ts'
import { decodeProgram } from './interpret.ts'
import { type Libseccomp, loadLibseccomp } from './libseccomp.ts'
import { newCallNames, type Resolved } from './newCalls.ts'
import type { Policy } from './policy.ts'
import { policyFor } from './policyFor.ts'
import { parseProfile } from './profile.ts'
import { type Disagreement, findDisagreement } from './verify.ts'

export interface Source {
  /** For messages: where the text comes from. */
  readonly file: string
  /** The machine's own where it is left out. */
  readonly arch?: Architecture['name']
}

/** struct sock_filter[], little endian: what `bwrap --seccomp` reads. Throws TenementError; never returns a weaker filter. */
export const compileProfile = (text: string, source: Source, library = loadLibseccomp()): Uint8Array => {
  const policy = policyOf(text, source, library)
  const program = compilePolicy(policy, source.file, library)
  const disagreement = findDisagreement(policy, decodeProgram(program))
  if (disagreement !== undefined) throw weakened(source.file, policy, disagreement, library)
  return program
}

/** What a profile says on an architecture. */
export const policyOf = (text: string, { file, arch }: Source, library = loadLibseccomp()): Policy => {
  const architecture = arch === undefined ? ownArchitecture() : architectures[arch]
  return policyFor(parseProfile(text, file), {
    architecture,
    kernelRelease: release(),
    resolve: remember((name) => library.resolve(name, architecture)),
    knownNames: () => knownNames(library, architecture),
  })
}

/** Each name is asked for more than once, and a call into a library costs more than a look into a map. */
const remember = (resolve: (name: string) => Resolved): ((name: string) => Resolved) => {
  const known = new Map<string, Resolved>()
  return (name) => {
    if (!known.has(name)) known.set(name, resolve(name))
    return known.get(name)
  }
}

const ownArchitecture = (): Architecture => {
  const found = architectureOf(process.arch)
  if (found !== undefined) return found
  throw new TenementError(
    'unsupported_machine',
    `seccomp filters are made for ${Object.keys(architectures).join(' and ')}, not for ${process.arch}`,
    {
      fix: 'run services with isolation "none" on this machine',
    },
  )
}

function* knownNames(library: Libseccomp, architecture: Architecture): Generator<string> {
  for (let number = 0; number < 600; number += 1) {
    const name = library.nameOf(number, architecture)
    if (name !== undefined) yield name
  }
  yield* newCallNames
}

const hex = (value: number | bigint): string => `0x${value.toString(16)}`

const weakened = (file: string, policy: Policy, found: Disagreement, { version }: Libseccomp): TenementError => {
  const { number, args, arch } = found.attempt
  const name = policy.calls.get(number)?.name ?? `call ${number}`
  const call = `${name}(${args.map(hex).join(', ')}) on architecture ${hex(arch)}`
  return new TenementError(
    'unsupported_machine',
    `${file}: libseccomp ${version} makes a filter that answers ${call} with ${hex(found.found)}, where the profile says ${hex(found.expected)}`,
    { fix: 'install libseccomp 2.6.1 or newer, or state the conditions on this call in another way' },
  )
}
