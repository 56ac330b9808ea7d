import { expect, test } from 'vitest'
import { describeEnding, formatDuration, printable } from '../../../src/supervisor/sentences.ts'

test('durations are told in at most two units', () => {
  const told = [0, 250, 1_000, 12_345, 60_000, 90_000, 300_000, 5_400_000, 90_000_000].map(formatDuration)
  expect(told).toEqual(['0ms', '250ms', '1s', '12s', '1m', '1m30s', '5m', '1h30m', '1d1h'])
})

test('an end is told by what caused it', () => {
  const exit = {
    code: 3,
    signal: null,
    outOfMemory: false,
    refusedForks: 0,
    outOfStorage: false,
    endedFor: null,
    lastLines: [],
  }
  expect(describeEnding({ kind: 'exited', exit }, 12_000)).toBe('exited with code 3 after 12s')
  expect(describeEnding({ kind: 'exited', exit: { ...exit, code: null, signal: 'SIGSEGV' } }, 500)).toBe(
    'was killed by SIGSEGV after 500ms',
  )
  expect(describeEnding({ kind: 'exited', exit: { ...exit, signal: 'SIGKILL', outOfMemory: true } }, 500)).toBe(
    'ran out of memory after 500ms',
  )
  expect(describeEnding({ kind: 'exited', exit: { ...exit, refusedForks: 7 } }, 12_000)).toBe(
    'exited with code 3 after 12s, having been refused 7 processes or threads by its limit',
  )
  expect(describeEnding({ kind: 'exited', exit: { ...exit, outOfStorage: true } }, 12_000)).toBe(
    'exited with code 3 after 12s, with its data at storage_max',
  )
  expect(describeEnding({ kind: 'not started', cause: new Error('no such file') }, 0)).toBe(
    'could not be started: no such file',
  )
})

test("what a tenant wrote cannot move an operator's cursor, hide text or fill the screen", () => {
  expect(printable('a\u001b[2Jb\r\nc\u202ed\u0000')).toBe('a?[2Jb??c?d?')
  expect(printable('x'.repeat(1_000)).length).toBe(200)
})
