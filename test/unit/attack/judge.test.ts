import { expect, test } from 'vitest'
import type { Attempt, Tried } from '../../../src/attack/attempt.ts'
import { judge } from '../../../src/attack/judge.ts'
import type { Promised, Row } from '../../../src/attack/rows.ts'

const row: Row = {
  row: '0',
  topic: 'files',
  sentence: 'does nothing',
  none: 'blocked',
  namespace: 'blocked',
  sandbox: 'blocked',
}

const attempt = (outcome: Attempt['outcome'], said = ''): Attempt => ({ attempt: 'try', outcome, said })
const worked = attempt('done')
const tried = (attempts: readonly Attempt[], twin = worked): Tried => ({ row: '0', attempts, twin })
const verdictOn = (found: Tried, promised: Promised = 'blocked', over: Partial<Row> = {}, hasOwnUid = true) => {
  const { isKept, found: what } = judge({ ...row, ...over }, found, { promised, hasOwnUid })
  return [isKept, what]
}

test('a promise is kept only where every attempt was refused and the benign twin worked', () => {
  const refused = attempt('refused', 'EPERM')
  expect(verdictOn(tried([refused, refused]))).toEqual([true, 'blocked'])
  expect(verdictOn(tried([refused, worked]))).toEqual([false, 'got through'])
  expect(verdictOn(tried([refused], refused))).toEqual([false, 'blocked'])
})

test('an attack that broke off by itself is no defence', () => {
  expect(verdictOn(tried([attempt('failed', 'TypeError')]))[0]).toBe(false)
  expect(verdictOn(tried([attempt('failed', 'TypeError')]), 'depends on the machine')[0]).toBe(false)
})

test('what could not be tried is neither kept nor broken', () => {
  expect(verdictOn(tried([attempt('not here', 'no such device')]))).toEqual([undefined, 'nothing to try'])
})

test('a refusal that programs would take for something else breaks the promise', () => {
  expect(verdictOn(tried([attempt('refused', 'EPERM')]), 'blocked', { answers: ['ENOSYS'] })[0]).toBe(false)
  expect(verdictOn(tried([attempt('refused', 'ENOSYS')]), 'blocked', { answers: ['ENOSYS'] })[0]).toBe(true)
})

test('what is said to be allowed must be, unless this kernel has no such thing', () => {
  expect(verdictOn(tried([worked]), 'allowed by design')[0]).toBe(true)
  expect(verdictOn(tried([attempt('refused', 'EACCES')]), 'allowed by design')[0]).toBe(false)
  expect(verdictOn(tried([attempt('refused', 'EAFNOSUPPORT')]), 'allowed by design')[0]).toBe(undefined)
})

test('what only its uid keeps from an instance is open where it shares that uid', () => {
  expect(verdictOn(tried([worked]), 'blocked by its uid', {}, true)[0]).toBe(false)
  expect(verdictOn(tried([worked]), 'blocked by its uid', {}, false)[0]).toBe(true)
})

test('where whether it is open depends on what others of its uid have, neither is held against it', () => {
  const over = { withSharedUid: 'depends on the machine' } as const
  for (const each of [worked, attempt('refused', 'EACCES')])
    expect(verdictOn(tried([each]), 'blocked by its uid', over, false)[0]).toBe(undefined)
  expect(verdictOn(tried([worked]), 'blocked by its uid', over, true)[0]).toBe(false)
})
