import { expect, test } from 'vitest'
import { serverTiming } from '../../../src/router/serverTiming.ts'

test('times are told in milliseconds under names of tenement', () => {
  expect(serverTiming({ queueMs: 0, wakeMs: 312.345, appMs: 4.25 })).toEqual([
    'Server-Timing',
    'tn-queue;dur=0.0, tn-wake;dur=312.3, tn-app;dur=4.3',
  ])
})
