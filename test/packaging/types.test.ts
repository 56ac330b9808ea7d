// The types of the package as the editor of an adapter's author has them: from the packed tarball, in a folder where nothing else of
// this repository is found.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const fixture = (name: string): string => fileURLToPath(new URL(`types/${name}`, import.meta.url))

let folder: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tenement-types-'))
  const modules = join(folder, 'node_modules', 'tenement')
  mkdirSync(modules, { recursive: true })
  const { stdout } = await execa('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], {
    cwd: root,
  })
  await execa('tar', ['xzf', join(folder, stdout.trim()), '-C', modules, '--strip-components=1'])
  writeFileSync(join(folder, 'package.json'), '{ "type": "module", "private": true }')
}, 60_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const compile = async (name: string, moduleResolution: string): Promise<string> => {
  const file = join(folder, `${name.replace('.ts', '')}-${moduleResolution}.ts`)
  await execa('cp', [fixture(name), file])
  const module = moduleResolution === 'bundler' ? 'esnext' : 'nodenext'
  const options = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--skipLibCheck', 'false', '--types', '']
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const { stdout } = await execa(
    process.execPath,
    [
      tsc,
      ...options,
      '--target',
      'es2023',
      '--lib',
      'es2023,dom',
      '--module',
      module,
      '--moduleResolution',
      moduleResolution,
      file,
    ],
    { cwd: folder, reject: false },
  )
  return stdout
}

describe.each(['nodenext', 'bundler'])('with moduleResolution %s', (moduleResolution) => {
  test('an editor accepts what an adapter may say', async () => {
    expect(await compile('accepted.ts', moduleResolution)).toBe('')
  }, 60_000)

  test('an editor refuses what it may not', async () => {
    expect(await compile('refused.ts', moduleResolution)).toBe('')
  }, 60_000)
})

test('both entries can be imported from another package', async () => {
  const text = `
    import { defineAdapter } from 'tenement/plugin'
    console.log(typeof defineAdapter, import.meta.resolve('tenement/conformance').endsWith('dist/conformance/index.js'))`
  const { stdout } = await execa(process.execPath, ['--input-type=module', '-e', text], { cwd: folder })
  expect(stdout).toBe('function true')
})
