import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { directions, rows } from './rows.ts'

const tests = fileURLToPath(new URL('../..', import.meta.url))

/** Numbers at the beginning of the names of tests; a test of several rows begins with several. */
const testedRows = (): ReadonlySet<number> => {
  const texts = readdirSync(tests, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts') && /^(unit\/supervisor|unit\/launcher|integration)\//.test(file))
    .map((file) => readFileSync(`${tests}/${file}`, 'utf8'))
  const names = texts.flatMap((text) => [...text.matchAll(/^\s*test\(\s*['`]((?:L3\.\d+ )+)/gm)])
  return new Set(names.flatMap(([, numbers = '']) => [...numbers.matchAll(/L3\.(\d+)/g)].map(([, row]) => Number(row))))
}

test('every row of the transition table has a test of its name, except those that are a direction', () => {
  const tested = testedRows()
  const untested = Object.keys(rows).filter((row) => !tested.has(Number(row)))
  expect(untested).toEqual(Object.keys(directions))
  expect([...tested].filter((row) => rows[row] === undefined)).toEqual([])
})
