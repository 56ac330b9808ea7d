import { describe, expect, test } from 'vitest'
import { readable } from '../../../src/server/log.ts'

const line = (fields: Record<string, unknown>): string =>
  JSON.stringify({ level: 30, time: new Date(2026, 0, 2, 3, 4, 5).getTime(), pid: 7, name: 'server', ...fields })

describe('a log line on a terminal', () => {
  test('names the instance, what happened, and then the fields', () => {
    expect(readable(line({ instance: 'notes:alice', durationMs: 245, why: 'idle for 5m', msg: 'ended' }))).toBe(
      '03:04:05 notes:alice ended  durationMs=245 why="idle for 5m"',
    )
  })

  test('says when it is a warning or an error', () => {
    expect(readable(line({ level: 40, msg: 'crashed' }))).toBe('03:04:05 warning: crashed')
    expect(readable(line({ level: 50, msg: 'failed' }))).toBe('03:04:05 error: failed')
  })

  test('lets no byte of a tenant steer the terminal', () => {
    const shown = readable(line({ detail: '\u001b[2J\u009b31m\r\n\u202e', msg: 'request was refused' }))
    expect(shown).toBe('03:04:05 request was refused  detail="\\u001b[2J\\u009b31m\\r\\n\\u202e"')
  })
})
