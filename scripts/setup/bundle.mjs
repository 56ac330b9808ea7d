// The three programs tenement consists of, each made into few files with all it imports: Node takes most of its start to find and
// read hundreds of modules, and every command, every launcher and every server would pay that again. Executed by itself, with the
// folder that the compiler wrote to: the bundler has promises only, and set-up goes one step after the other.
import { readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { dirname, join, posix, relative } from 'node:path'
import { rolldown } from 'rolldown'
import { inRoot } from './paths.mjs'

/** The programs by the name of their bundle, as the compiler wrote them: each is replaced by the import of its bundle. */
const programs = { cli: 'cli/main.js', launcher: 'launcher/main.js', server: 'serve.js' }

/** All bundles lie here, one folder below what the compiler wrote, as the places of files in them are counted on. */
const folder = 'programs'

/** They look for libraries of machine code beside their own files. */
const native = [/^koffi$/, /^@photostructure\/sqlite$/]

/**
 * The package's own entry loads all it can do, a browser's fetch among it, three times as much as the router uses.
 * @type {import('rolldown').Plugin}
 */
const usedOfUndici = {
  name: 'used of undici',
  resolveId: (id) => (id === 'undici' ? '\0undici' : null),
  load: (id) =>
    id === '\0undici'
      ? `export { default as Client } from '${inRoot('node_modules/undici/lib/dispatcher/client.js')}'
         export { default as errors } from '${inRoot('node_modules/undici/lib/core/errors.js')}'`
      : null,
}

/** Stands for what was replaced already. */
const itself = 'place of the bundle'

/**
 * Where a module names another file of the build, the name begins at the module, and its code lies elsewhere from now on.
 * @param {string} dist
 * @returns {import('rolldown').Plugin}
 */
const placesOfFiles = (dist) => ({
  name: 'places of files',
  transform: (code, id) => {
    if (!id.startsWith(`${dist}/`) || !code.includes('import.meta.url')) return null
    const here = posix.dirname(relative(dist, id))
    const moved = code.replace(/new URL\('([^']+)', import\.meta\.url\)/g, (_, path) => {
      const target = posix.join('..', here, path)
      return `new URL('${target}${path.endsWith('..') ? '/' : ''}', ${itself})`
    })
    if (moved.includes('import.meta.url'))
      throw new Error(`${relative(dist, id)} uses import.meta.url, but not as new URL('…', import.meta.url)`)
    return moved.replaceAll(itself, 'import.meta.url')
  },
})

/**
 * The licences of what is bundled, which want to stay with it.
 * @param {ReadonlySet<string>} modules
 */
const noticesOf = (modules) => {
  const packages = new Set([...modules].flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0] ?? []))
  return [...packages].sort().map((path) => {
    const { name, version, license } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'))
    const files = readdirSync(path).filter((file) => /^(licen[cs]e|notice)/i.test(file))
    const texts = files.map((file) => readFileSync(join(path, file), 'utf8').trim())
    return [`${name} ${version} (${license})`, ...texts].join('\n\n')
  })
}

/**
 * Each for itself: what one shared with another would be a further file that both have to load.
 * @param {string} dist
 * @param {string} name
 * @param {string} path
 * @returns {Promise<readonly string[]>} The files that went into it.
 */
const bundleProgram = async (dist, name, path) => {
  const bundle = await rolldown({
    input: { [name]: join(dist, path) },
    platform: 'node',
    external: native,
    plugins: [usedOfUndici, placesOfFiles(dist)],
    onLog: (level, log) => {
      if (level === 'warn' && log.code !== 'INEFFECTIVE_DYNAMIC_IMPORT') throw new Error(log.message)
    },
  })
  const options = { dir: join(dist, folder), chunkFileNames: `${name}-[name]-[hash].js` }
  const { output } = await bundle.write({ ...options, format: 'esm' })
  await bundle.close()
  return output.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []))
}

/**
 * @param {string} file
 * @param {string} bundle
 */
const replaceByImport = (file, bundle) => {
  const first = readFileSync(file, 'utf8').split('\n', 1)[0] ?? ''
  const from = posix.relative(dirname(file), bundle)
  const lines = [
    ...(first.startsWith('#!') ? [first] : []),
    `import '${from.startsWith('.') ? from : `./${from}`}'`,
    '',
  ]
  writeFileSync(file, lines.join('\n'))
}

// As the bundler names the files in it.
const dist = realpathSync(process.argv[2] ?? '')
/** @type {Set<string>} */
const bundled = new Set()
for (const [name, path] of Object.entries(programs)) {
  for (const id of await bundleProgram(dist, name, path)) bundled.add(id)
  replaceByImport(join(dist, path), join(dist, folder, `${name}.js`))
}
writeFileSync(join(dist, folder, 'LICENSES.txt'), `${noticesOf(bundled).join('\n\n---\n\n')}\n`)
