import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { judge } from '../../src/attack/judge.ts'
import { rows, type Topic } from '../../src/attack/rows.ts'
import { isRoot } from '../helpers/root.ts'
import { type Evidence, type Field, levels, type Ran, startField, whyNotHere } from './harness.ts'

let field: Field
beforeAll(async () => {
  field = await startField()
}, 60_000)
afterAll(() => field.close())

const topics = [...new Set(rows.map(({ topic }) => topic))]

/** Rows whose success leaves something on the machine's side that can be counted. */
const counted = ['12', '14.port', '14.path', '15', '16', '27', '66']

describe.each(levels)('an instance of "%s"', (level) => {
  const reason = whyNotHere(level)
  const ran = new Map<Topic, Ran>()
  beforeAll(async () => {
    if (reason === undefined) for (const topic of topics) ran.set(topic, await field.run(level, topic))
  }, 60_000)

  test.for(rows.map((row) => ({ ...row, promised: row[level] })))(
    'row $row, $promised: it $sentence',
    (row, { skip }) => {
      if (reason !== undefined) skip(reason)
      if (row.promised === 'does not apply') skip(row.why ?? 'this level has nothing that could be attacked so')
      const { tried, before, after } = required(ran.get(row.topic), row.topic)
      const each = required(tried.get(row.row), `row ${row.row}`)
      const verdict = judge(row, each, { promised: row.promised, hasOwnUid: isRoot })
      if (process.env.ATTACK_LOG) console.log(level, row.row, JSON.stringify(verdict), JSON.stringify(each))
      expect(verdict.because).toEqual([])
      if (verdict.isKept !== undefined && verdict.found === 'blocked')
        expect(touched(row.row, after), `row ${row.row} on the machine's side`).toEqual(touched(row.row, before))
      if (verdict.found === 'got through' && counted.includes(row.row))
        expect(touched(row.row, after)).not.toEqual(touched(row.row, before))
    },
  )
})

/** What the machine shows of a row and of its parts. */
const touched = (row: string, evidence: Evidence): Evidence =>
  Object.fromEntries(Object.entries(evidence).filter(([name]) => name === row || name.startsWith(`${row}.`)))

const required = <T>(value: T | undefined, what: string): T => {
  if (value === undefined) throw new Error(`the attacks told nothing of ${what}`)
  return value
}
