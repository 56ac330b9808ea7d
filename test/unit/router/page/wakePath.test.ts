import { expect, test } from 'vitest'
import { isOwnPath, isWakePath } from '../../../../src/router/page/wakePath.ts'

test.each([
  ['/.well-known/tenement/wake', true, true],
  ['/.well-known/tenement/wake?x=/', true, true],
  ['/.well-known/tenement/wake/', true, false],
  ['/.well-known/tenement/', true, false],
  ['/.well-known/tenement', true, false],
  ['/.well-known/tenement?x', true, false],
  ['/.well-known/tenement/other', true, false],
  ['/.well-known/tenements/wake', false, false],
  ['/.well-known/Tenement/wake', false, false],
  ['/.well-known/acme-challenge/x', false, false],
  ['/?/.well-known/tenement/wake', false, false],
  ['/', false, false],
])('%s: kept by tenement is %s, the path of wakes is %s', (path, isOwn, isWake) => {
  expect(isOwnPath(path)).toBe(isOwn)
  expect(isWakePath(path)).toBe(isWake)
})
