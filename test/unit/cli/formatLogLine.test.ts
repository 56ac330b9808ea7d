import { describe, expect, it } from 'vitest'
import { formatLogLine } from '../../../src/cli/formatLogLine.ts'
import { parseLogLine } from '../../../src/control/logLine.ts'

const at = '2026-11-23T18:15:54.123Z'
const hostile = Buffer.concat([
  Buffer.from('\u001b]0;title\u0007 \u009b31m '),
  Buffer.from([0xff, 0x80]),
  Buffer.from('\ttab \u202egpj'),
])
const line = parseLogLine(Buffer.concat([Buffer.from(`${at} err `), hostile]))

describe('a line of a log', () => {
  it('leaves for a program exactly as the tenant wrote it', () => {
    expect(formatLogLine(line, { escapes: false, timestamps: false })).toEqual(
      Buffer.concat([hostile, Buffer.from('\n')]),
    )
  })

  it('cannot act upon a terminal', () => {
    const shown = formatLogLine(line, { escapes: true, timestamps: false }).toString()
    expect(shown).toMatch(/^[^\p{Cc}\p{Cf}]*\t[^\p{Cc}\p{Cf}]*\n$/u)
    expect(shown).toContain('\\u001b]0;title\\u0007')
  })

  it('is shown without the carriage return that ends it, but with one in its middle escaped', () => {
    const written = parseLogLine(Buffer.from(`${at} out good\rbad\r`))
    expect(formatLogLine(written, { escapes: true, timestamps: false }).toString()).toBe('good\\u000dbad\n')
  })

  it('carries its time and stream when asked for', () => {
    const written = parseLogLine(Buffer.from(`${at} err text`))
    expect(formatLogLine(written, { escapes: true, timestamps: true }).toString()).toBe(`${at} err text\n`)
    const unstamped = parseLogLine(Buffer.from('by hand'))
    expect(formatLogLine(unstamped, { escapes: true, timestamps: true }).toString()).toBe('- out by hand\n')
  })

  it('that is a remark of tenement is told from what the tenant wrote', () => {
    const remark = parseLogLine(Buffer.from(`${at} log 3 lines dropped`))
    expect(formatLogLine(remark, { escapes: true, timestamps: false }).toString()).toBe('[tenement] 3 lines dropped\n')
  })
})
