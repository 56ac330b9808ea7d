import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { judge } from '../../src/attack/judge.ts'
import { rows, type Topic } from '../../src/attack/rows.ts'
import { isRoot } from '../helpers/root.ts'
import { slowness } from '../helpers/waitUntil.ts'
import { columnOf, type Evidence, type Field, places, type Ran, startField, whyNotHere } from './harness.ts'

let field: Field | undefined
beforeAll(async () => {
  field = await startField()
}, 60_000 * slowness)
afterAll(() => field?.close())

/** Rows whose success leaves something on the machine's side that can be counted. */
const counted = ['12', '14.port', '14.path', '15', '16', '27', '66']

describe.each(places)('an instance of "%s"', (level) => {
  const column = columnOf(level)
  const here = level === 'internet' ? rows.filter(({ topic }) => topic === 'network') : rows
  const ran = new Map<Topic, Ran>()
  const reason = whyNotHere(level)
  beforeAll(async () => {
    if (reason !== undefined) return
    for (const topic of new Set(here.map((row) => row.topic)))
      ran.set(topic, await required(field, 'a tenement').run(level, topic))
  }, 60_000 * slowness)

  const named = here.map((row) => [`row ${row.row}, ${row[column]}: it ${row.sentence}`, row] as const)
  test.for(named)('%s', ([, row], { skip }) => {
    if (reason !== undefined) skip(reason)
    const promised = row[column]
    if (promised === 'does not apply') skip(row.why ?? 'this level has nothing that could be attacked so')
    const { tried, before, after } = required(ran.get(row.topic), row.topic)
    const each = required(tried.get(row.row), `row ${row.row}`)
    const verdict = judge(row, each, { promised, hasOwnUid: isRoot })
    const { isKept, found, because } = verdict
    if (isKept === undefined && because.length > 0) skip(`nothing here to try it on: ${because.join('; ')}`)
    if (isKept === undefined) skip(`nothing is promised; on this machine it is ${found}`)
    expect(because).toEqual([])
    if (found === 'blocked') expect(touched(row.row, after)).toEqual(touched(row.row, before))
    if (found === 'got through' && counted.includes(row.row))
      expect(touched(row.row, after)).not.toEqual(touched(row.row, before))
  })
})

/** What the machine shows of a row and of its parts. */
const touched = (row: string, evidence: Evidence): Evidence =>
  Object.fromEntries(Object.entries(evidence).filter(([name]) => name === row || name.startsWith(`${row}.`)))

const required = <T>(value: T | undefined, what: string): T => {
  if (value === undefined) throw new Error(`the attacks told nothing of ${what}`)
  return value
}
