import { expect, test } from 'vitest'
import { Departure } from '../../src/departure.ts'

test('a client that leaves is told of once to each who listens, and to none who has stopped', () => {
  const departure = new Departure('the client has left')
  const told: string[] = []
  const stopped = (): void => void told.push('stopped')
  departure.addEventListener('abort', () => told.push('first'))
  departure.addEventListener('abort', stopped)
  departure.removeEventListener('abort', stopped)
  expect(departure.aborted).toBe(false)
  departure.abort()
  departure.abort()
  expect(told).toEqual(['first'])
  expect(departure.aborted).toBe(true)
  expect(departure.reason).toBe('the client has left')
})
