// What the examples need before they can be served: the C one compiled, where there is a compiler, and all of them readable
// by the users tenants run as.
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, lstatSync, readdirSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { inRoot } from './paths.mjs'
import { lastLines, say } from './report.mjs'

const source = inRoot('examples', 'hello-c', 'hello.c')
const program = inRoot('examples', 'hello-c', 'hello')

/** @type {import('./steps.mjs').Step} */
export const exampleStep = {
  isNeeded: () => hasCompiler() && (!existsSync(program) || statSync(program).mtimeMs < statSync(source).mtimeMs),
  run: () => {
    say('building examples/hello-c')
    const failure = compile(['-static']) === undefined ? undefined : compile([])
    if (failure !== undefined) say(`examples/hello-c does not compile, so it is left out:\n${failure}`)
  },
}

/**
 * As root, tenants run as other users than whoever made the clone, perhaps with a umask that lets nobody else read it.
 * @type {import('./steps.mjs').Step}
 */
export const readableExamplesStep = {
  isNeeded: () => process.getuid?.() === 0 && closedExamples().length > 0,
  run: () => {
    say('making the example programs readable by all users')
    for (const path of closedExamples()) chmodSync(path, readable(lstatSync(path)))
  },
}

/** Without the C library's headers a compiler is of no use. */
const hasCompiler = () => existsSync('/usr/bin/cc') && existsSync('/usr/include/stdio.h')

/**
 * What the compiler said when it failed.
 * @param {readonly string[]} flags
 * @returns {string | undefined}
 */
const compile = (flags) => {
  const made = `${program}.new`
  const args = ['-std=c11', '-O2', '-Wall', '-Wextra', ...flags, '-o', made, source]
  const { error, status, stderr } = spawnSync('/usr/bin/cc', args, { encoding: 'utf8' })
  if (status !== 0) return lastLines(error?.message ?? stderr)
  // Renamed into place: a program that runs cannot be written to (ETXTBSY).
  renameSync(made, program)
  return undefined
}

/** Folders of programs that tenants run: those a person starts with, and those of the tests. */
const programFolders = ['examples', join('test', 'fixtures', 'apps')]

const closedExamples = () =>
  programFolders
    .filter((folder) => existsSync(inRoot(folder)))
    .flatMap((folder) =>
      ['', ...readdirSync(inRoot(folder), { recursive: true, encoding: 'utf8' })].map((path) => inRoot(folder, path)),
    )
    .filter((path) => {
      const status = lstatSync(path, { throwIfNoEntry: false })
      // What a link leads to is not an example of ours to open.
      return status !== undefined && !status.isSymbolicLink() && (status.mode & 0o777) !== readable(status)
    })

/**
 * The mode bits with which everybody may read it, and enter or execute it when its owner may.
 * @param {import('node:fs').Stats} status
 */
const readable = ({ mode }) => (mode & 0o777) | 0o444 | ((mode & 0o100) === 0 ? 0 : 0o111)
