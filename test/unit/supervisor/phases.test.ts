import { expect, test } from 'vitest'
import { assertChange, nextPhases } from '../../../src/supervisor/phases.ts'

test('a change that is not in the table throws and names the instance and both phases', () => {
  expect(() => assertChange('notes:alice', 'asleep', 'ready')).toThrowError(
    'notes:alice cannot go from asleep to ready',
  )
  expect(() => assertChange('notes:alice', 'asleep', 'queued')).not.toThrow()
})

test('nothing starts but from the queue, and the queue is never reached while a process may live', () => {
  const into = (phase: string) =>
    Object.entries(nextPhases).flatMap(([from, to]) => (to.some((one) => one === phase) ? [from] : []))
  expect(into('starting')).toEqual(['queued'])
  expect(into('queued')).toEqual(['asleep', 'stopping', 'backoff', 'crashlooped', 'paused'])
})

test('every phase can be left, and leads back to asleep', () => {
  for (const from of Object.keys(nextPhases)) {
    const reached = new Set<string>([from])
    for (const phase of reached)
      for (const [name, to] of Object.entries(nextPhases)) if (name === phase) for (const next of to) reached.add(next)
    expect(reached).toContain('asleep')
  }
})
