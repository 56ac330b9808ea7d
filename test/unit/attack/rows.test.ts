import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { numbers } from '../../../src/attack/kernel.ts'
import { rows, systemRows } from '../../../src/attack/rows.ts'
import { capabilities } from '../../../src/isolation/capabilities.ts'
import { architectureOf } from '../../../src/seccomp/architectures.ts'
import { loadLibseccomp } from '../../../src/seccomp/libseccomp.ts'

const numberOf = (row: string): number => Number(row.split('.')[0])

/** Rows that are no program inside an instance: what they leave on the machine is looked for by these tests. */
const onTheMachine: Readonly<Record<string, readonly number[]>> = {
  'attack/ends.test.ts': [9, 27, 56, 57, 58, 59, 61, 62, 63, 68],
  'attack/leads.test.ts': [17, 18, 19, 20, 21, 22],
  'integration/launcher/gate.test.ts': [60],
}

const shown = (): ReadonlySet<number> =>
  new Set([...rows.map(({ row }) => numberOf(row)), ...Object.values(onTheMachine).flat()])

test('every attack of the corpus from 1 to 46 and from 56 to 70 is tried', () => {
  const wanted = [...Array.from({ length: 46 }, (_, at) => at + 1), ...Array.from({ length: 15 }, (_, at) => at + 56)]
  expect(wanted.filter((number) => !shown().has(number))).toEqual([])
})

test('every attack of the corpus that needs the whole system is proved by a test that names it', () => {
  const numbers = [47, 48, 49, 50, 51, 52, 53, 54, 55, 71, 72, 73, 79]
  expect(systemRows.map(({ row }) => Number(row))).toEqual(numbers)
  for (const { row, provedIn, sandbox } of systemRows) {
    const text = readFileSync(fileURLToPath(new URL(`../../${provedIn}`, import.meta.url)), 'utf8')
    if (sandbox === 'does not apply') continue
    expect({ row, isNamed: new RegExp(`\\brows? (\\d+ and )?${row}\\b`).test(text) }).toEqual({ row, isNamed: true })
  }
})

test('a row is named once', () => {
  expect(new Set(rows.map(({ row }) => row)).size).toBe(rows.length)
})

test('the tests that look at the machine name their rows', () => {
  for (const [file, numbersThere] of Object.entries(onTheMachine).filter(([name]) => name.startsWith('attack/'))) {
    const text = readFileSync(fileURLToPath(new URL(`../../${file}`, import.meta.url)), 'utf8')
    const named = new Set(
      [...text.matchAll(/\brows? ([\d and]+)/g)].flatMap(([, list = '']) => list.match(/\d+/g) ?? []),
    )
    expect(numbersThere.filter((number) => !named.has(String(number)))).toEqual([])
  }
  const gate = readFileSync(fileURLToPath(new URL('../../integration/launcher/gate.test.ts', import.meta.url)), 'utf8')
  expect(gate).toContain("'never runs when the launcher dies before it has let it go'")
})

test('every capability whose proof is among them is proved by one that runs', () => {
  const proofs = Object.values(capabilities).flatMap((each) => each.proofs)
  const among = proofs.filter((number) => number <= 46 || (number >= 56 && number <= 70))
  expect(among.length).toBeGreaterThan(20)
  expect(among.filter((number) => !shown().has(number))).toEqual([])
})

test.each(['x64', 'arm64'] as const)('the numbers of calls are those of %s', (arch) => {
  const architecture = architectureOf(arch)
  if (architecture === undefined) throw new Error(`no architecture ${arch}`)
  const wrong = Object.entries(numbers).filter(([name, [x64, arm64]]) => {
    const known = loadLibseccomp().resolve(name, architecture)
    return known !== undefined && known !== (arch === 'x64' ? x64 : arm64)
  })
  expect(wrong).toEqual([])
})
