// The table of rows says for each adapter that comes with tenement what is promised, in a person's judgement; the promises that
// a row would break say it for any adapter. Where both speak, they must say the same.
import { expect, test } from 'vitest'
import { type Promised, rows } from '../../../src/attack/rows.ts'
import { capabilities } from '../../../src/isolation/capabilities.ts'
import { builtinAdapters } from '../../../src/isolation/registry.ts'
import { keepersOf, lostKeepersOf, type Where, whyNotApplying } from '../../../src/proof/promised.ts'

const columns = ['none', 'namespace', 'sandbox'] as const
const named = rows.flatMap((row) => columns.map((column) => [row.row, column, row[column]] as const))

const whereOf = (column: string): Where => {
  const adapter = builtinAdapters.get(column)
  if (adapter === undefined) throw new Error(`there is no ${column}`)
  return { claims: new Set(Object.keys(adapter.capabilities)), lost: new Set(), network: adapter.defaults.network }
}

const wordFor = (row: string, where: Where): readonly Promised[] => {
  if (whyNotApplying(row, where) !== undefined) return ['does not apply']
  return keepersOf(row, where).length > 0
    ? ['blocked', 'blocked by its uid']
    : ['allowed by design', 'depends on the machine']
}

test.each(named)('row %s of "%s" is "%s" by its promises too', (row, column, promised) => {
  expect(wordFor(row, whereOf(column))).toContain(promised)
})

test('what only the uid keeps is promised no more where the machine has none for each tenant', () => {
  const lost = new Set(['user.perTenantUid'])
  const none = { ...whereOf('none'), lost }
  expect(keepersOf('4', none)).toEqual([])
  expect(lostKeepersOf('4', none)).toEqual(['user.perTenantUid'])
  expect(keepersOf('4', { ...whereOf('sandbox'), lost })).toEqual(['fs.privateRoot'])
})

test('a network of its own is promised to whoever asks for one, and to nobody else', () => {
  const namespace = whereOf('namespace')
  expect(keepersOf('12', namespace)).toEqual([])
  expect(keepersOf('12', { ...namespace, network: 'private' })).toEqual(['net.private', 'net.egress'])
})

test('only promises that there are keep a row', () => {
  const all: Where = { claims: new Set(Object.keys(capabilities)), lost: new Set(), network: 'private' }
  for (const { row } of rows)
    for (const name of keepersOf(row, all)) expect([...Object.keys(capabilities), 'launcher']).toContain(name)
})
