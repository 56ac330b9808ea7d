// Finds the program a command names, as execvp(3) would with the instance's PATH and folder, and says what is wrong with it.
// Whether a tenant's uid may open it is reachability.ts.
import { constants } from 'node:fs'
import { access, open, readdir, stat } from 'node:fs/promises'
import { basename, isAbsolute, join, resolve } from 'node:path'
import { quote } from '../config/problem.ts'
import { nearest } from '../config/suggest.ts'

/** Where a program is looked for. */
export interface ProgramPlace {
  readonly cwd: string
  /** Folders divided by colons; those that are not absolute are passed over, since a tenant could choose what lies there. */
  readonly path: string
  /** What to call the PATH instead of showing it, when it comes from an environment. */
  readonly pathName?: string | undefined
}

const showPath = ({ path, pathName }: ProgramPlace): string => pathName ?? `the PATH of instances (${path})`

export type FoundProgram =
  | { readonly program: string }
  | { readonly problem: string; readonly fix: string; readonly suggestion?: string }

/** The absolute path of the program, or why there is none. Links are not resolved: programs look at the name they were called by. */
export const resolveProgram = async (command0: string, place: ProgramPlace): Promise<FoundProgram> => {
  const candidates = command0.includes('/')
    ? [resolve(place.cwd, command0)]
    : foldersOf(place.path).map((folder) => join(folder, command0))
  const states = await Promise.all(
    candidates.map(async (candidate) => ({ candidate, state: await stateOf(candidate) })),
  )
  const found = states.find(({ state }) => state === 'program')
  if (found !== undefined) return withInterpreter(found.candidate, place)
  const near = states.find(({ state }) => state !== 'missing')
  if (near !== undefined) return unusable(near.candidate, near.state)
  return command0.includes('/') ? missingFile(command0, resolve(place.cwd, command0)) : missingOnPath(command0, place)
}

const foldersOf = (path: string): readonly string[] => path.split(':').filter(isAbsolute)

type State = 'program' | 'missing' | 'folder' | 'special' | 'not executable' | 'barred'

const stateOf = async (file: string): Promise<State> => {
  try {
    const status = await stat(file)
    if (status.isDirectory()) return 'folder'
    if (!status.isFile()) return 'special'
    if ((status.mode & 0o111) === 0) return 'not executable'
    return await access(file, constants.X_OK).then(
      () => 'program' as const,
      () => 'barred' as const,
    )
  } catch (error) {
    return codeOf(error) === 'EACCES' ? 'barred' : 'missing'
  }
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined)

const unusable = (file: string, state: State): FoundProgram => {
  if (state === 'folder') return { problem: `${quote(file)} is a directory`, fix: 'name the program in it' }
  if (state === 'special') return { problem: `${quote(file)} is not a regular file`, fix: 'name a program' }
  if (state === 'barred')
    return {
      problem: `${quote(file)} may not be run by this user`,
      fix: `let this user run it: chmod o+rx, and o+x on the folders above it`,
    }
  return {
    problem: `${quote(file)} is not executable`,
    fix: `chmod +x ${quote(file)}, or write the program that runs it in front of it`,
  }
}

const missingFile = async (command0: string, file: string): Promise<FoundProgram> => {
  const folder = resolve(file, '..')
  const suggestion = nearest(basename(file), await namesIn(folder))
  if (suggestion === undefined)
    return {
      problem: `${quote(file)} does not exist`,
      fix: 'name a program that is there; a relative one is relative to cwd',
    }
  const written = `${command0.slice(0, command0.length - basename(command0).length)}${suggestion}`
  return { problem: `${quote(file)} does not exist`, suggestion: written, fix: `${quote(written)} is there` }
}

const missingOnPath = async (command0: string, place: ProgramPlace): Promise<FoundProgram> => {
  const problem = `${quote(command0)} is not on ${showPath(place)}`
  const names = (await Promise.all(foldersOf(place.path).map(namesIn))).flat()
  const suggestion = newerName(command0, names) ?? nearest(command0, names)
  if (suggestion === undefined)
    return { problem, fix: 'install it, write its absolute path, or set PATH in the env of the service' }
  return { problem, suggestion, fix: `${quote(suggestion)} is there` }
}

/** "python3" for "python": the name with a version behind it is what was meant, whatever else is near. */
const newerName = (name: string, names: readonly string[]): string | undefined =>
  names
    .filter((candidate) => candidate.startsWith(name) && /^\d+$/.test(candidate.slice(name.length)))
    .sort()
    .at(-1)

// A folder that is not there, or may not be listed, has nothing to suggest.
const namesIn = (folder: string): Promise<readonly string[]> => readdir(folder).catch(() => [])

/** A script is only as good as what its first line names. */
const withInterpreter = async (program: string, place: ProgramPlace): Promise<FoundProgram> => {
  const interpreter = interpreterOf(await firstBytes(program), place)
  if (interpreter === undefined) return { program }
  const found = interpreter.onPath
    ? await Promise.all(foldersOf(place.path).map((folder) => stateOf(join(folder, interpreter.name)))).then((states) =>
        states.includes('program'),
      )
    : (await stateOf(interpreter.name)) === 'program'
  if (found) return { program }
  const where = interpreter.onPath ? `is not on ${showPath(place)}` : 'is no program'
  return {
    problem: `the first line of ${quote(program)} names ${quote(interpreter.name)}, which ${where}`,
    fix: 'install it, or correct the first line',
  }
}

// The kernel looks at 256 bytes and no further (BINPRM_BUF_SIZE). A program that may be run but not read is no script.
const firstBytes = async (file: string): Promise<string> => {
  const handle = await open(file, 'r').catch(() => undefined)
  if (handle === undefined) return ''
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(256), 0, 256, 0)
    return buffer.toString('latin1', 0, bytesRead)
  } finally {
    await handle.close()
  }
}

interface Interpreter {
  readonly name: string
  readonly onPath: boolean
}

/** What `#!` names; of `#!/usr/bin/env -S node --flag`, what env looks for. */
const interpreterOf = (head: string, place: ProgramPlace): Interpreter | undefined => {
  const [, line] = /^#![ \t]*([^\n]*)/.exec(head) ?? []
  const [first, ...rest] = line?.split(/[ \t]+/) ?? []
  if (first === undefined || first === '') return undefined
  const looked = rest.find((word) => !word.startsWith('-') && !word.includes('='))
  if (basename(first) !== 'env' || looked === undefined) return { name: resolve(place.cwd, first), onPath: false }
  return looked.includes('/') ? { name: resolve(place.cwd, looked), onPath: false } : { name: looked, onPath: true }
}
