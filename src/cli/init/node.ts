// Node programs: package.json, or a file with a usual name. Run as node itself where the start script is no more than that:
// npm between tenement and the program costs 200 ms of each start and 50 MB of memory.
import { isRecord } from '../../control/decode.ts'
import { type Folder, firstOf, isPlain } from './folder.ts'
import type { Found } from './found.ts'

const usualEntries = [
  ...['server.js', 'server.mjs', 'index.js', 'index.mjs', 'app.js', 'app.mjs', 'main.js', 'main.mjs'],
  ...['src/server.js', 'src/server.mjs', 'src/index.js', 'src/index.mjs', 'dist/index.js', 'dist/server.js'],
]

const readPackage = (text: string | undefined): Readonly<Record<string, unknown>> | undefined => {
  if (text === undefined) return undefined
  try {
    const parsed: unknown = JSON.parse(text)
    return isRecord(parsed) ? parsed : undefined
  } catch {
    return undefined // not for Node to run either
  }
}

const textIn = (table: unknown, key: string): string | undefined => {
  const value = isRecord(table) && Object.hasOwn(table, key) ? table[key] : undefined
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** The words of a script that node alone can run; undefined where it takes a shell or another program. */
const nodeWords = (script: string): readonly string[] | undefined => {
  const [program, ...words] = script.trim().split(/\s+/)
  return program === 'node' && words.every((word) => isPlain(word.replace(/^--?/, ''))) ? words : undefined
}

interface Start {
  readonly command: readonly string[]
  readonly because: string
  readonly entry?: string | undefined
}

const startOf = async (folder: Folder, manifest: Readonly<Record<string, unknown>>): Promise<Start | undefined> => {
  const script = textIn(manifest.scripts, 'start')
  if (script !== undefined) {
    const because = `package.json starts it with ${JSON.stringify(script)}`
    const words = nodeWords(script)
    if (words === undefined) return { command: ['npm', 'start'], because }
    return { command: ['node', ...words], because, entry: words.find((word) => !word.startsWith('-')) }
  }
  const main = textIn(manifest, 'main')
  const named = main !== undefined && isPlain(main) && (await folder.has(main)) ? main : undefined
  const entry = named ?? (await firstOf(folder, usualEntries))
  if (entry === undefined) return undefined
  return {
    command: ['node', entry],
    because: named === undefined ? `${entry} is there` : `its main is ${entry}`,
    entry,
  }
}

export const findNode = async (folder: Folder): Promise<Found | undefined> => {
  const manifest = readPackage(await folder.text('package.json'))
  const start = await startOf(folder, manifest ?? {})
  if (start === undefined) return undefined
  const needsPackages = isRecord(manifest?.dependencies) && Object.keys(manifest.dependencies).length > 0
  const isInstalled = !needsPackages || (await folder.has('node_modules'))
  const isBuilt = textIn(manifest?.scripts, 'build') === undefined || !(start.entry?.startsWith('dist/') ?? false)
  return {
    language: 'Node',
    ...start,
    name: textIn(manifest, 'name'),
    env: { NODE_ENV: 'production' },
    steps: [...(isInstalled ? [] : ['npm install']), ...(isBuilt ? [] : ['npm run build'])],
  }
}
