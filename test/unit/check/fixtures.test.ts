import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkReading } from '../../../src/check/check.ts'
import { formatProblems } from '../../../src/check/format.ts'
import { probeAdapters } from '../../../src/check/probes.ts'
import { readConfig } from '../../../src/config/load.ts'
import { ConfigError } from '../../../src/config/problem.ts'
import { readText } from '../../../src/config/text.ts'
import { adapters, machine as laptop, surroundings } from './fixtures.ts'

const folder = new URL('../../fixtures/config', import.meta.url).pathname

/** What `tenement check` prints for the file, with the place of the fixtures written as "<fixtures>". */
const told = async (file: string): Promise<string> => {
  const machine = { ...laptop, path: `${folder}/bin:/usr/bin` }
  const problems = await readText(file)
    .then(async (text) => {
      const probes = await probeAdapters(adapters, new Set(adapters.keys()), machine)
      return (
        await checkReading(readConfig({ file, text }, surroundings), { adapters, faults: new Map(), machine, probes })
      ).problems
    })
    .catch((error: unknown) => {
      if (error instanceof ConfigError) return error.problems
      throw error
    })
  return `${formatProblems(problems, folder)}\n`.replaceAll(folder, '<fixtures>').trimStart()
}

describe('a config fixture is told in exactly the text beside it', () => {
  const files = readdirSync(folder).filter((name) => name.endsWith('.toml'))
  it.each(files)('%s', async (name) => {
    const expected = readFileSync(join(folder, name.replace(/\.toml$/, '.txt')), 'utf8')
    expect(await told(join(folder, name))).toBe(expected)
  })
})
