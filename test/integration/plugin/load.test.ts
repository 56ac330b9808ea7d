// Where plug-ins are found, whose files are believed, and how the keys of [isolation.NAME] and [service.X.options] reach them: asked of
// `tenement check` as a person would.
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { testAsRoot } from '../../helpers/root.ts'

const main = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))

/** Its probe tells in its problem what it was given, so that it can be read from outside. */
const adapter = (over = ''): string => `
const named = (name) => ({ '~standard': { version: 1, vendor: 'test', validate: (value) => {
  const wrong = Object.keys(value).filter((key) => key !== name)
  return wrong.length > 0
    ? { issues: wrong.map((key) => ({ message: 'is no key', path: [{ key }], expected: [name] })) }
    : { value: { read: value[name] ?? 'nothing', made: new Map([[1, () => 1]]) } }
} } })
export default {
  name: 'told', apiVersion: 1, capabilities: {}, settings: named('runtime'), options: named('profile'),
  probe: (machine, settings) => ({ usable: false, lost: [], problem: { reason: 'told ' + settings.read, fix: 'none' } }),
  prepare: () => { throw new Error('never') },
  ${over}
}`

let folder: string
beforeEach(() => {
  folder = mkdtempSync('/tmp/tenement-load-')
  chmodSync(folder, 0o755)
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const write = (path: string, text: string): string => {
  const file = join(folder, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  return file
}

const check = async (lines: string, options = '') => {
  const file = write(
    'tenement.toml',
    `
[service.api]
command = "/bin/true"
cwd = "/usr"
isolation = "told"
${options}
[isolation.told]
${lines}
`,
  )
  const { exitCode, stdout } = await execa(process.execPath, [main, 'check', '--json', '--config', file], {
    reject: false,
  })
  const { problems } = JSON.parse(stdout) as {
    problems: { key: string; message: string; fix: string; suggestion: string | null }[]
  }
  return { exitCode, problems, text: problems.map(({ message, fix }) => `${message}\n→ ${fix}`).join('\n') }
}

describe('a plug-in is found', () => {
  test('by a path from the folder of the config, with what [isolation.NAME] says beside it', async () => {
    write('adapters/mine.mjs', adapter())
    const { text, exitCode } = await check('plugin = "./adapters/mine.mjs"\nruntime = "crun"')
    expect(text).toContain('told crun')
    expect(exitCode).toBe(3)
  })

  test('as a folder, by the entry of its package', async () => {
    write('mine/package.json', '{ "type": "module", "main": "./lib/adapter.js" }')
    write('mine/lib/adapter.js', `export { default } from './other.js'`)
    write('mine/lib/other.js', adapter())
    expect((await check('plugin = "./mine"')).text).toContain('told nothing')
  })

  test.each([
    ['"./adapter.js"'],
    ['{ ".": { "types": "./adapter.d.ts", "import": "./adapter.js" } }'],
    ['{ "node": { "default": "./adapter.js" } }'],
  ])('as a package that exports %s', async (exports) => {
    write('node_modules/@acme/told/package.json', `{ "type": "module", "exports": ${exports} }`)
    write('node_modules/@acme/told/adapter.js', adapter())
    expect((await check('plugin = "@acme/told"')).text).toContain('told nothing')
  })

  test('or what to install is said', async () => {
    const { text } = await check('plugin = "tenement-gone"')
    expect(text).toMatch(/there is no package "tenement-gone" in node_modules of ".*"/)
    expect(text).toContain(`→ npm install --prefix "${folder}" tenement-gone`)
  })
})

describe('what the config says is read by the schemas of the plug-in', () => {
  test('[isolation.NAME]: a wrong key is a fault of the config, with the one that was meant', async () => {
    write('a.mjs', adapter())
    const { problems, exitCode } = await check('plugin = "./a.mjs"\nruntme = "crun"')
    expect(problems).toMatchObject([{ key: 'isolation.told.runtme', suggestion: 'runtime' }])
    expect(exitCode).toBe(2)
  })

  test('[service.X.options] as well', async () => {
    write('a.mjs', adapter('probe: () => ({ usable: true, lost: [] }),'))
    const { problems, exitCode } = await check('plugin = "./a.mjs"', 'options = { profil = "x" }')
    expect(problems).toMatchObject([{ key: 'service.api.options.profil', suggestion: 'profile' }])
    expect(exitCode).toBe(2)
    expect((await check('plugin = "./a.mjs"', 'options = { profile = "x" }')).problems).toEqual([])
  })

  test('the name of an isolation that comes with tenement is refused', async () => {
    write('a.mjs', adapter())
    const { problems, exitCode } = await check('plugin = "./a.mjs"\n[isolation.sandbox]\nplugin = "./a.mjs"')
    expect(problems.map(({ key }) => key)).toContain('isolation.sandbox')
    expect(exitCode).toBe(2)
  })
})

describe('as root a plug-in is refused', () => {
  const refused = async (lines: string, who: RegExp): Promise<void> => {
    const { text, exitCode } = await check(lines)
    expect(text).toMatch(/others than root could change what it does/)
    expect(text).toMatch(who)
    expect(exitCode).toBe(3)
  }

  testAsRoot('that everybody may write', async () => {
    chmodSync(write('a.mjs', adapter()), 0o666)
    await refused('plugin = "./a.mjs"', /everybody may write ".*a\.mjs"\n→ chmod o-w/)
  })

  testAsRoot('that belongs to somebody else', async () => {
    chownSync(write('a.mjs', adapter()), 65_534, 65_534)
    await refused('plugin = "./a.mjs"', /a\.mjs" belongs to uid 65534\n→ chown root/)
  })

  testAsRoot('in a folder that a group may write', async () => {
    write('in/a.mjs', adapter())
    chownSync(join(folder, 'in'), 0, 100)
    chmodSync(join(folder, 'in'), 0o775)
    await refused('plugin = "./in/a.mjs"', /group 100 may write ".*\/in"/)
  })

  testAsRoot('that a link of somebody else leads to', async () => {
    write('a.mjs', adapter())
    mkdirSync(join(folder, 'theirs'))
    symlinkSync(join(folder, 'a.mjs'), join(folder, 'theirs/b.mjs'))
    chownSync(join(folder, 'theirs'), 65_534, 65_534)
    await refused('plugin = "./theirs/b.mjs"', /theirs" belongs to uid 65534/)
  })

  testAsRoot('that imports what others may write', async () => {
    chmodSync(write('lib/part.mjs', 'export const part = 1'), 0o666)
    write('a.mjs', `import { part } from './lib/part.mjs'\n${adapter()}`)
    await refused('plugin = "./a.mjs"', /everybody may write ".*lib\/part\.mjs"/)
  })
})
