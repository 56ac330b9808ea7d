import { expect, test } from 'vitest'
import { Harness, settled } from './harness.ts'

test('each start of an instance is an endpoint of its own, and the one before is gone', async () => {
  const house = new Harness()
  const first = await house.leased()
  expect(first.endpoint.responseTimeoutMs).toBe(120_000)
  house.process().exit({ code: 1 })
  await settled()
  expect(first.endpoint.gone.aborted).toBe(true)
  await house.clock.advance(1_000)
  const second = await house.leased()
  expect(second.endpoint).not.toBe(first.endpoint)
  expect(second.endpoint.gone.aborted).toBe(false)
})
