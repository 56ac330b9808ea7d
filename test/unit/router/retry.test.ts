import { expect, test } from 'vitest'
import type { Failed } from '../../../src/router/attempt.ts'
import { mayRepeat } from '../../../src/router/retry.ts'

const onReused: Failed = {
  kind: 'failed',
  error: new Error('reset'),
  connected: true,
  handedOver: true,
  heard: false,
  begun: false,
  wasReused: true,
}
const onFresh: Failed = { ...onReused, wasReused: false }
const methods = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'POST', 'PATCH', 'PROPFIND']
const request = { hasBody: false, upgrade: undefined, isKeyed: false }

const repeatable = (failed: Failed, more: object = {}, isWhole = true): string[] =>
  methods.filter((method) => mayRepeat(failed, { ...request, method, ...more }, isWhole))

test('after a reset on a used connection everything is repeated that changes nothing the second time', () => {
  expect(repeatable(onReused)).toEqual(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])
  expect(repeatable(onReused, { hasBody: true })).toEqual(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])
  expect(repeatable(onReused, { isKeyed: true })).toEqual(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'POST', 'PATCH'])
})

test('after a reset on a fresh connection only safe methods without a body are repeated', () => {
  expect(repeatable(onFresh)).toEqual(['GET', 'HEAD', 'OPTIONS'])
  expect(repeatable(onFresh, { isKeyed: true })).toEqual(['GET', 'HEAD', 'OPTIONS'])
  expect(repeatable(onFresh, { hasBody: true })).toEqual([])
})

test('of which not a byte was handed over on a used connection may be sent whatever it is', () => {
  expect(repeatable({ ...onReused, handedOver: false })).toEqual(methods)
})

test('nothing is repeated after a byte of an answer, without its whole body, or on its way to another protocol', () => {
  for (const failed of [onReused, onFresh]) {
    expect(repeatable({ ...failed, heard: true })).toEqual([])
    expect(repeatable({ ...failed, begun: true })).toEqual([])
    expect(repeatable(failed, {}, false)).toEqual([])
    expect(repeatable(failed, { upgrade: 'websocket' })).toEqual([])
  }
})
