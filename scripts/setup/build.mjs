// src compiled to dist, and its programs bundled. Both are done beside dist and the result takes its place in one rename, so a
// server that runs from dist never finds half a build, and nothing stays of a source file that is gone.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { inRoot, root } from './paths.mjs'
import { lastLines, SetupError, say } from './report.mjs'

const stampFile = inRoot('.setup', 'build')
const bundler = inRoot('scripts', 'setup', 'bundle.mjs')

/** @type {import('./steps.mjs').Step} */
export const buildStep = {
  isNeeded: () => !isBuilt(sourceFiles()) || readStamp() !== digestOf(sourceFiles()),
  run: () => {
    say('building')
    const digest = digestOf(sourceFiles())
    const built = inRoot('.setup', 'dist')
    rmSync(built, { recursive: true, force: true })
    compileInto(built)
    bundleIn(built)
    const old = inRoot('.setup', 'dist.old')
    rmSync(old, { recursive: true, force: true })
    rmSync(stampFile, { force: true })
    moveIfThere(inRoot('dist'), old)
    renameSync(built, inRoot('dist'))
    rmSync(old, { recursive: true, force: true })
    writeFileSync(stampFile, digest)
  },
}

/** @param {string} outDir */
const compileInto = (outDir) => {
  const compiler = inRoot('node_modules', 'typescript', 'bin', 'tsc')
  const args = [compiler, '-p', 'tsconfig.build.json', '--outDir', outDir]
  const { error, status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
  if (status === 0) return
  throw new SetupError(
    `src does not compile:\n${lastLines(error?.message ?? `${stdout}${stderr}`, 30)}`,
    'mend the lines above (npm run types shows all of them), then run the same command again',
  )
}

/** @param {string} dist */
const bundleIn = (dist) => {
  const { error, status, stdout, stderr } = spawnSync(process.execPath, [bundler, dist], {
    cwd: root,
    encoding: 'utf8',
  })
  if (status === 0) return
  throw new SetupError(
    `src compiles, but its programs cannot be bundled:\n${lastLines(error?.message ?? `${stdout}${stderr}`, 30)}`,
    'mend the lines above, then run the same command again',
  )
}

/** Source files below src, as paths relative to it, always in the same order. */
const sourceFiles = () =>
  readdirSync(inRoot('src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .sort()

/**
 * Changes when a source file, or how it is compiled, changes, and with the packages, which are in the bundles.
 * @param {readonly string[]} sources
 */
const digestOf = (sources) => {
  const hash = createHash('sha256')
  const settings = [
    ...['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'],
    'scripts/setup/bundle.mjs',
  ]
  for (const path of [...settings, ...sources.map((source) => `src/${source}`)]) {
    hash
      .update(`${path}\0`)
      .update(readFileSync(inRoot(path)))
      .update('\0')
  }
  return hash.digest('hex')
}

/**
 * True when dist has an output for each source and the bundles, readable by the user the server runs as.
 * @param {readonly string[]} sources
 */
const isBuilt = (sources) =>
  [...sources.map((source) => source.replace(/\.ts$/, '.js')), ...bundles()].every((output) => {
    const found = statSync(inRoot('dist', output), { throwIfNoEntry: false })
    return found !== undefined && (found.mode & 0o044) === 0o044
  })

/** Paths of the bundles relative to dist; that of their folder where there are none, so that it is missed. */
const bundles = () => {
  const folder = inRoot('dist', 'programs')
  return existsSync(folder) ? readdirSync(folder).map((name) => `programs/${name}`) : ['programs']
}

const readStamp = () => {
  try {
    return readFileSync(stampFile, 'utf8')
  } catch {
    // Never built by this script.
    return undefined
  }
}

/**
 * @param {string} from
 * @param {string} to
 */
const moveIfThere = (from, to) => {
  if (statSync(from, { throwIfNoEntry: false }) !== undefined) renameSync(from, to)
}
